/** When each device published what it read at a time, wall clock; the most recent ones only. */
export interface PublishLog {
  note(device: string, time: number, wall: number): void;
  at(device: string, time: number): number | undefined;
}

/** Per device; at two readings a minute that is most of a day. */
const KEPT = 2000;

export function publishLog(): PublishLog {
  /** By device id: wall ms by time of the reading. */
  const published = new Map<string, Map<number, number>>();
  return {
    note(device, time, wall) {
      const own = published.get(device) ?? new Map<number, number>();
      published.set(device, own);
      // The first sending counts: a repeat must not make the product look faster than it is.
      if (own.has(time)) return;
      own.set(time, wall);
      const oldest = own.keys().next();
      if (own.size > KEPT && !oldest.done) own.delete(oldest.value);
    },
    at: (device, time) => published.get(device)?.get(time),
  };
}
