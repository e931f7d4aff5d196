import type { RegisteredDevice, Statistic } from '../../contracts/index.ts';

/**
 * For formats whose names are not ours: what a device's record in the registry says of a property. A property that is
 * declared with one statistic only has that one, so that a device whose values are hourly means needs no word for it.
 */
export interface Declared {
  statistic: Statistic;
  /** UCUM; null = not stated. */
  unit: string | null;
}

/** By property, for each record of a device: a new version of a device is a new record. */
const laidOut = new WeakMap<RegisteredDevice, ReadonlyMap<string, Declared>>();
const UNKNOWN: Declared = { statistic: 'instant', unit: null };
const MOST_NAMES = 30;

export function declares(device: RegisteredDevice, property: string): boolean {
  return declaredBy(device).has(property);
}

export function declaredAs(device: RegisteredDevice | undefined, property: string): Declared {
  return (device === undefined ? undefined : declaredBy(device).get(property)) ?? UNKNOWN;
}

/** As they may stand in a sentence. */
export function declaredNames(device: RegisteredDevice): string {
  const names = [...declaredBy(device).keys()].slice(0, MOST_NAMES);
  return `${device.id} declares ${names.join(', ') || 'nothing'}`;
}

function declaredBy(device: RegisteredDevice): ReadonlyMap<string, Declared> {
  const known = laidOut.get(device);
  if (known !== undefined) return known;
  const made = new Map<string, Declared>();
  for (const { property, statistic, unit } of device.datastreams) {
    // Of several means nobody knows which is meant: the value is taken for an instant one, which is not declared.
    const several = made.has(property);
    if (!several || statistic === 'instant') made.set(property, { statistic, unit });
    else if (made.get(property)?.statistic !== 'instant') made.set(property, { statistic: 'instant', unit });
  }
  laidOut.set(device, made);
  return made;
}
