/**
 * Sparkplug topics (specification 3.0, section 4.1), taken apart:
 *
 *   spBv1.0/<group>/NBIRTH|NDATA|NDEATH|NCMD/<node>
 *   spBv1.0/<group>/DBIRTH|DDATA|DDEATH|DCMD/<node>/<device>
 *
 * Every rule about them that the broker and the codec share is here: whose a topic is, and who is asked by a filter.
 */
export interface SparkplugTopic {
  type: 'NBIRTH' | 'NDATA' | 'NDEATH' | 'DBIRTH' | 'DDATA' | 'DDEATH';
  group: string;
  node: string;
  /** '' for the node itself. */
  device: string;
}

const NAMESPACE = 'spBv1.0/';
const NODE_TYPES = new Set(['NBIRTH', 'NDATA', 'NDEATH']);
const DEVICE_TYPES = new Set(['DBIRTH', 'DDATA', 'DDEATH']);

export function isSparkplug(topic: string): boolean {
  return topic.startsWith(NAMESPACE);
}

/** No address in the registry is longer than 200 characters. */
const LONGEST_TOPIC = 250;

/** What a node or a device says of itself; null for commands, STATE and anything else. */
export function parseSparkplugTopic(topic: string): SparkplugTopic | null {
  if (!isSparkplug(topic) || topic.length > LONGEST_TOPIC) return null;
  const [, group = '', type = '', node = '', device, ...more] = topic.split('/');
  if (group === '' || node === '' || more.length > 0) return null;
  if (device === undefined)
    return NODE_TYPES.has(type) ? { type: type as SparkplugTopic['type'], group, node, device: '' } : null;
  if (device === '' || !DEVICE_TYPES.has(type)) return null;
  return { type: type as SparkplugTopic['type'], group, node, device };
}

/** What is for others to hear: commands to nodes and devices, and the state of host applications. */
export function isSparkplugCommandOrState(topic: string): boolean {
  if (!isSparkplug(topic)) return false;
  const [, group, type] = topic.split('/');
  return group === 'STATE' || type === 'NCMD' || type === 'DCMD' || type === 'STATE';
}

/** The address under which the registry knows a node (`device` '') or one of its devices. */
export function sparkplugAddress(group: string, node: string, device = ''): string {
  return device === '' ? `sparkplug:${group}/${node}` : `sparkplug:${group}/${node}/${device}`;
}

export function nodeCommandTopic(group: string, node: string): string {
  return `${NAMESPACE}${group}/NCMD/${node}`;
}

/**
 * The addresses of which one must be its own for a client to subscribe with this filter; none: nobody may.
 * A node hears all commands to its devices (`DCMD/<node>/#`); a device those to itself.
 */
export function commandFilterAddresses(filter: string): readonly string[] {
  if (!isSparkplug(filter)) return [];
  const [, group = '', type, node = '', device, ...more] = filter.split('/');
  if (more.length > 0 || [group, node].some((part) => part === '' || wild(part))) return [];
  const ofNode = sparkplugAddress(group, node);
  if (device === undefined || device === '#') return type === 'NCMD' || type === 'DCMD' ? [ofNode] : [];
  if (type !== 'DCMD' || device === '') return [];
  return device === '+' ? [ofNode] : wild(device) ? [] : [sparkplugAddress(group, node, device), ofNode];
}

function wild(part: string): boolean {
  return part.includes('+') || part.includes('#');
}
