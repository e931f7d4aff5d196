/** What a run has come to: counted as it goes, percentiles from a histogram, so that its length costs no memory. */
export interface LoadResult {
  /** Until the last acknowledgement. */
  seconds: number;
  /** Different messages that were sent. */
  published: number;
  acknowledged: number;
  /** Never acknowledged, although there was patience. */
  failed: number;
  /** Acknowledged messages a second. */
  ratePerS: number;
  /** Ms from the first sending of a message to its acknowledgement, within 2 %. */
  ackMs: { p50: number; p99: number };
  /** Messages that were sent again, with the same content: after a lost connection, or for want of an answer. */
  resent: number;
  /** Connections that had to be made again. */
  reconnects: number;
}

export interface Meter {
  published(): void;
  /** Messages published so far. */
  count(): number;
  acknowledged(ms: number): void;
  resent(messages: number): void;
  reconnected(): void;
  result(): LoadResult;
}

/** Each class of the histogram ends 2 % above the one before; the first at 10 µs, the last beyond a day. */
const STEP = 1.02;
const FIRST_MS = 0.01;
const CLASSES = 1_200;

/** `now`: ms, monotonic. */
export function startMeter(now: () => number): Meter {
  const begun = now();
  const classes = new Uint32Array(CLASSES);
  let [published, acknowledged, resent, reconnects, lastAckAt] = [0, 0, 0, 0, begun];

  /** Upper end of the class in which the share lies. */
  function quantile(share: number): number {
    let left = Math.ceil(share * acknowledged);
    for (let i = 0; i < CLASSES && left > 0; i++) {
      left -= classes[i] ?? 0;
      if (left <= 0) return Number((FIRST_MS * STEP ** i).toPrecision(3));
    }
    return 0;
  }

  return {
    published: () => {
      published += 1;
    },
    count: () => published,
    acknowledged(ms) {
      const place = Math.ceil(Math.log(Math.max(ms, FIRST_MS) / FIRST_MS) / Math.log(STEP));
      const index = Math.min(place, CLASSES - 1);
      classes[index] = (classes[index] ?? 0) + 1;
      acknowledged += 1;
      lastAckAt = now();
    },
    resent: (messages) => {
      resent += messages;
    },
    reconnected: () => {
      reconnects += 1;
    },
    result() {
      const seconds = (lastAckAt - begun) / 1_000;
      return {
        seconds: Number(seconds.toFixed(3)),
        published,
        acknowledged,
        failed: published - acknowledged,
        ratePerS: seconds > 0 ? Number((acknowledged / seconds).toFixed(1)) : 0,
        ackMs: { p50: quantile(0.5), p99: quantile(0.99) },
        resent,
        reconnects,
      };
    },
  };
}
