import type { Log } from '../backbone/index.ts';
import type { KnownDevices } from './known-devices.ts';
import type { Quarantine } from './quarantine.ts';
import type { Routes } from './routes.ts';

/**
 * What codecs waited for in vain, such as the other parts of an HJ 212 frame: with each tick it is asked of them, and goes
 * to quarantine without bytes of its own. Best effort: what waits is in memory, and is gone with the process.
 */
export function overdueWatch(deps: {
  routes: Pick<Routes, 'overdue'>;
  known: Pick<KnownDevices, 'find'>;
  quarantine: Pick<Quarantine, 'put'>;
  log: Log;
}): (time: number) => void {
  return (time) => {
    for (const { device: name, rejected } of deps.routes.overdue(time)) {
      const device = deps.known.find(name)?.device.id ?? name;
      const suspect = { ...rejected, receivedAt: time, topic: '', client: null, device, payload: NOTHING };
      deps.quarantine
        .put(suspect)
        .catch((error: unknown) =>
          deps.log.warn({ err: error, device }, 'an incomplete message left no entry'),
        );
    }
  };
}

const NOTHING = Buffer.alloc(0);
