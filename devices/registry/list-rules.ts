import type { Device, Problem } from '../../contracts/index.ts';

/**
 * Rules between devices: an address belongs to one device, a gateway exists, and gateways do not go round in a ring. They
 * are judged on the registry as it would be after the list, so that one list may hand an address from one device to another.
 */
export interface ListRow {
  device: Device;
  /** Leads the path of each problem. */
  path: string;
}

const MOST_GATEWAYS = 16;

/** What of the registry is asked; the devices of the list itself count as the list has them. */
export interface Registered {
  get(id: string): Device | undefined;
  find(name: string): Device | undefined;
}

/** @returns the problems of each row that cannot be taken. What stays, fits together. */
export function listProblems(rows: readonly ListRow[], registered: Registered): Map<ListRow, Problem[]> {
  const refused = new Map<ListRow, Problem[]>();
  let left = [...rows];
  // A row that goes may take with it what another rested on.
  for (;;) {
    const found = conflicts(left, registered);
    if (found.size === 0) return refused;
    for (const [row, problems] of found) refused.set(row, problems);
    left = left.filter((row) => !found.has(row));
  }
}

function conflicts(rows: readonly ListRow[], registered: Registered): Map<ListRow, Problem[]> {
  const listed = new Map(rows.map((row) => [row.device.id, row.device]));
  const get = (id: string): Device | undefined => listed.get(id) ?? registered.get(id);
  /** Who has an address after the list, by address. */
  const holders = new Map<string, string>();
  const holderOf = (address: string): string | undefined => {
    const before = registered.find(address);
    // A device of the list has what the list says, no longer what it had.
    const stays = before !== undefined && get(before.id)?.addresses.includes(address) === true;
    return stays ? before.id : (holders.get(address) ?? get(address)?.id);
  };
  const found = new Map<ListRow, Problem[]>();
  for (const row of rows) {
    const problems = [...addressProblems(row, holderOf, registered), ...gatewayProblems(row, get)];
    if (problems.length > 0) found.set(row, problems);
    else for (const address of row.device.addresses) holders.set(address, row.device.id);
  }
  return found;
}

function addressProblems(
  { device, path }: ListRow,
  holderOf: (address: string) => string | undefined,
  registered: Registered,
): Problem[] {
  const taken = device.addresses.flatMap((address, i) => {
    const holder = holderOf(address);
    if (holder === undefined || holder === device.id) return [];
    return [
      {
        path: `${path}.addresses.${i}`,
        found: address,
        allowed: `an address of no other device: ${holder} has it`,
      },
    ];
  });
  const namesake = registered.find(device.id);
  if (namesake !== undefined && namesake.id !== device.id) {
    taken.push({
      path: `${path}.id`,
      found: device.id,
      allowed: `another id: it is an address of ${namesake.id}`,
    });
  }
  return taken;
}

function gatewayProblems({ device, path }: ListRow, get: (id: string) => Device | undefined): Problem[] {
  if (device.gateway === null || device.gateway === device.id) return [];
  const way = [device.id];
  for (let next: string | null = device.gateway; next !== null; ) {
    const gateway = get(next);
    if (gateway === undefined) {
      const allowed = 'a device of the registry or of this list, or null';
      return way.length === 1 ? [{ path: `${path}.gateway`, found: next, allowed }] : [];
    }
    if (way.length > MOST_GATEWAYS) {
      const allowed = `at most ${MOST_GATEWAYS} gateways behind one another`;
      return [{ path: `${path}.gateway`, found: device.gateway, allowed }];
    }
    if (way.includes(next)) {
      // Only who stands in the ring is at fault, not who delivers through it.
      if (next !== device.id) return [];
      const allowed = `no ring: ${[...way, next].join(' → ')}`;
      return [{ path: `${path}.gateway`, found: device.gateway, allowed }];
    }
    way.push(next);
    next = gateway.gateway;
  }
  return [];
}
