/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once, for a person who will not wait. */
export function untilSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const first = (signal: NodeJS.Signals) => {
      for (const name of SIGNALS) {
        process.off(name, first);
        process.on(name, () => process.exit(130));
      }
      resolve(signal);
    };
    for (const name of SIGNALS) process.on(name, first);
  });
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
