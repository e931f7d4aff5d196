/**
 * Says on stderr how far a long work is: nothing within the first two seconds, then a line that is drawn over itself on
 * a terminal, or a plain line every ten seconds elsewhere.
 */
export interface Progress {
  done(units: number): void;
  end(): void;
}

export interface ProgressOutput {
  write(text: string): unknown;
  isTTY?: boolean;
}

const SILENT_MS = 2000;
const TERMINAL_MS = 200;
const LINE_MS = 10_000;

export function startProgress(
  what: string,
  total: number,
  output: ProgressOutput = process.stderr,
  now: () => number = Date.now,
): Progress {
  const begun = now();
  let done = 0;
  let nextAt = begun + SILENT_MS;
  let drawn = false;
  return {
    done(units) {
      done += units;
      if (now() < nextAt) return;
      nextAt = now() + (output.isTTY ? TERMINAL_MS : LINE_MS);
      drawn = true;
      const share = `${what}: ${done} of ${total} (${Math.round((100 * done) / total)} %)`;
      output.write(output.isTTY ? `\r${share}\x1b[K` : `${share}\n`);
    },
    end() {
      if (drawn && output.isTTY) output.write('\r\x1b[K');
    },
  };
}
