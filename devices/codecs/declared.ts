import type { Datastream, RegisteredDevice, Statistic } from '../../contracts/index.ts';

/**
 * For formats whose names are not ours: what a device's record in the registry says of a property. A property that is
 * declared with one statistic only has that one, so that a device whose values are hourly means needs no word for it.
 */
export function declares(device: RegisteredDevice, property: string): boolean {
  return device.datastreams.some((stream) => stream.property === property);
}

export function declaredAs(
  device: RegisteredDevice | undefined,
  property: string,
): { statistic: Statistic; unit: string | null } {
  const streams = device?.datastreams.filter((stream) => stream.property === property) ?? [];
  const [only] = streams;
  const stream = streams.length === 1 ? only : streams.find(({ statistic }) => statistic === 'instant');
  return { statistic: stream?.statistic ?? 'instant', unit: stream?.unit ?? null };
}

/** As they may stand in a sentence. */
export function declaredNames(device: RegisteredDevice): string {
  const names = [...new Set(device.datastreams.map(({ property }: Datastream) => property))];
  return `${device.id} declares ${names.slice(0, 30).join(', ') || 'nothing'}`;
}
