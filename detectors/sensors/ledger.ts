import { createHash } from 'node:crypto';
import type { Finding } from '../../contracts/index.ts';
import type { Said } from './detector.ts';

/**
 * Completes what a watch says into findings. Promises: the same words about the same happening get the same id, in every
 * run; revisions count from 0 without a hole; a lasting happening is told at most every `updateEveryMs` of its own time,
 * unless it gets more or less severe; nothing is closed twice. Holds only what is open.
 */

/** Who speaks, of what. */
export interface Speaker {
  /** Name of the configured instance; the detector's name unless configured otherwise. */
  label: string;
  detector: string;
  version: string;
  parameters: Readonly<Record<string, unknown>>;
  device: string;
  /** Null: it speaks of the device as a whole. */
  datastream: string | null;
  /** The datastreams that it looks at. */
  looksAt: readonly string[];
}

/** Last finding told of each happening that is still open, by finding id. */
export type OpenFindings = Map<string, Finding>;

export type Trigger = Finding['trigger'];

/** `f_` and 32 hex digits: detector, version, what it is about, reason, start. */
export function findingId(speaker: Speaker, said: Pick<Said, 'reason' | 'since' | 'key'>): string {
  const about = speaker.datastream ?? speaker.device;
  const parts = [speaker.label, speaker.version, about, said.reason, said.key ?? '', said.since];
  return `f_${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)}`;
}

/**
 * The finding that these words make, or null when there is nothing new to tell. Changes `open` accordingly.
 */
export function tell(
  open: OpenFindings,
  speaker: Speaker,
  said: Said,
  trigger: Trigger,
  updateEveryMs: number,
): Finding | null {
  const id = findingId(speaker, said);
  const before = open.get(id);
  if (before !== undefined && said.state !== 'closed' && !worthTelling(before, said, updateEveryMs))
    return null;
  const state = said.state === 'closed' ? 'closed' : before === undefined ? 'open' : 'update';
  const finding = complete(speaker, said, trigger, { id, state, revision: (before?.revision ?? -1) + 1 });
  if (state === 'closed') open.delete(id);
  else open.set(id, finding);
  return finding;
}

function worthTelling(before: Finding, said: Said, updateEveryMs: number): boolean {
  return before.severity !== said.severity || said.interval.to - before.interval.to >= updateEveryMs;
}

function complete(
  speaker: Speaker,
  said: Said,
  trigger: Trigger,
  of: Pick<Finding, 'id' | 'state' | 'revision'>,
): Finding {
  const { since: _since, key: _key, parameters, input, ...words } = said;
  return {
    ...words,
    ...of,
    device: speaker.device,
    ...(speaker.datastream === null ? {} : { datastream: speaker.datastream }),
    detector: {
      name: speaker.detector,
      version: speaker.version,
      parameters: {
        ...(speaker.label === speaker.detector ? {} : { instance: speaker.label }),
        ...speaker.parameters,
        ...parameters,
      },
    },
    input: { datastreams: [...speaker.looksAt], ...input, frames: [] },
    trigger,
  };
}

/** What is still open of a watch that is taken away ends with what was last known of it. */
export function closeAll(open: OpenFindings, trigger: Trigger): Finding[] {
  const closed = [...open.values()].map(
    (finding): Finding => ({ ...finding, state: 'closed', revision: finding.revision + 1, trigger }),
  );
  open.clear();
  return closed;
}
