/**
 * The partition of a key: FNV-1a over its UTF-16 code units. Never to be changed: it decides where the records of a
 * device lie, and with that their order.
 */
export function partitionOf(key: string, partitions: number): number {
  if (partitions === 1) return 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) {
    hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  }
  return (hash >>> 0) % partitions;
}
