import { createHash } from 'node:crypto';
import { z } from 'zod';
import { type Codec, type CodecInput, type Decoded, rejected, shown } from '../codec.ts';
import { pictureType } from '../frame/picture-type.ts';
import { parseJson } from '../json-text.ts';
import { FrigateConfig } from './config.ts';
import { type SnapshotTimes, snapshotTimes } from './snapshot-times.ts';

/**
 * Frigate, a network video recorder, by what it says on MQTT (topics below its prefix, `frigate` by default):
 *
 *   <camera>/<label>/snapshot   a picture of the camera with the address `frigate:<camera>`, or
 *                               `frigate:<prefix>/<camera>` where the prefix is another
 *   events                      another system's detections: they are no observations and nothing of them is kept, but
 *                               they tell when the next snapshot was taken
 *   <camera>/status/detect      online, offline (of Frigate's process for the camera) or disabled
 *   available                   online or offline: of the device that is signed in, as which Frigate itself is registered
 *   all others                  counts, switches, statistics: known, and nothing of them is kept
 *
 * A snapshot says nothing of its own time. How it gets one, and when that is the time of receipt: snapshot-times.ts.
 */
export function frigateCodec(config: FrigateConfig = FrigateConfig.parse({})): Codec {
  const prefixes = new Set(config.topicPrefixes);
  const times = snapshotTimes(config.eventForS * 1_000);
  return {
    name: 'frigate',
    match(topic) {
      const [prefix = '', ...levels] = topic.split('/');
      return prefixes.has(prefix) && levels.length > 0 ? addressOf(prefix, levels) : null;
    },
    decode(input) {
      const [kind, prefix = '', label = ''] = input.address.detail.split('/');
      switch (kind) {
        case 'snapshot':
          return snapshot(input, label, times);
        case 'events':
          return event(input, prefix, times);
        case 'status':
          return status(input);
        case 'available':
          return available(input);
        case 'too-long':
          return rejected('schema', `topic: names of at most ${LONGEST_NAME} characters are allowed`);
        default:
          return NOTHING;
      }
    },
  };
}

const NOTHING: Decoded = { kind: 'several', parts: [] };

/** Frigate's own names are far shorter; a topic may have 64 KiB. */
const LONGEST_NAME = 100;

function addressOf(prefix: string, levels: readonly string[]) {
  const [first = '', second = '', third = ''] = levels;
  if (first.length > LONGEST_NAME || second.length > LONGEST_NAME) {
    return { device: null, kind: 'picture' as const, detail: 'too-long' };
  }
  const named = (kind: 'readings' | 'picture', detail: string) => ({
    device: cameraAddress(prefix, first),
    kind,
    detail,
  });
  if (levels.length === 3 && third === 'snapshot' && first !== '' && second !== '') {
    return named('picture', `snapshot/${prefix}/${second}`);
  }
  if (levels.length === 3 && second === 'status' && third === 'detect' && first !== '') {
    return named('readings', `status/${prefix}`);
  }
  const own =
    levels.length === 1 && (first === 'events' || first === 'available') ? `${first}/${prefix}` : '';
  return { device: null, kind: 'readings' as const, detail: own };
}

export function cameraAddress(prefix: string, camera: string): string {
  return prefix === 'frigate' ? `frigate:${camera}` : `frigate:${prefix}/${camera}`;
}

function snapshot(input: CodecInput, label: string, times: SnapshotTimes): Decoded {
  const { payload, address, receivedAt, sender = null } = input;
  if (pictureType(payload) === null) {
    const head = payload.subarray(0, 8).toString('hex');
    return rejected(
      'not-a-picture',
      `payload: begins with ${head || 'nothing'}; JPEG, PNG or WebP is allowed`,
    );
  }
  const hash = createHash('sha256').update(payload).digest('base64');
  const { time, timeFrom } = times.of({ sender, camera: address.device ?? '', label, hash, receivedAt });
  return { kind: 'picture', bytes: payload, time, timeFrom };
}

/** Seconds since 1970, with a fraction. */
const EpochS = z.number().min(946_684_800).max(4_102_444_800);

/** Only what is needed: Frigate adds fields from release to release. */
const Event = z.object({
  type: z.enum(['new', 'update', 'end']),
  after: z.object({
    id: z.string().min(1).max(200),
    camera: z.string().min(1).max(200),
    label: z.string().min(1).max(200),
    /** From 0.14 on. */
    snapshot: z.object({ frame_time: EpochS }).nullish(),
    /** Before. */
    snapshot_time: EpochS.nullish(),
  }),
});

function event(
  { payload, receivedAt, sender = null }: CodecInput,
  prefix: string,
  times: SnapshotTimes,
): Decoded {
  const json = parseJson(payload.toString('utf8'));
  if (!json.ok) return rejected(json.reason, json.detail);
  const parsed = Event.safeParse(json.value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const path = issue?.path.map(String).join('.') ?? '';
    return rejected(
      'schema',
      `${path || 'payload'}: ${issue?.message ?? 'not an event'}; an event of Frigate is allowed`,
    );
  }
  const { id, camera, label, snapshot: picture, snapshot_time } = parsed.data.after;
  const takenS = picture?.frame_time ?? snapshot_time;
  if (takenS != null) {
    const time = Math.round(takenS * 1_000);
    times.announce({ sender, camera: cameraAddress(prefix, camera), label, event: id, time, receivedAt });
  }
  return NOTHING;
}

function status({ payload }: CodecInput): Decoded {
  const said = payload.toString('utf8', 0, 100).trim();
  if (said === 'online' || said === 'offline') return { kind: 'status', status: said };
  if (said === 'disabled') return { kind: 'nothing' };
  return rejected('schema', `payload: ${shown(said)} found; online, offline or disabled is allowed`);
}

function available({ payload, sender = null }: CodecInput): Decoded {
  const said = payload.toString('utf8', 0, 100).trim();
  if (said !== 'online' && said !== 'offline' && said !== 'stopped') {
    return rejected('schema', `payload: ${shown(said)} found; online, offline or stopped is allowed`);
  }
  if (sender === null) return NOTHING;
  const decoded = { kind: 'status', status: said === 'online' ? 'online' : 'offline' } as const;
  return { kind: 'several', parts: [{ device: sender, decoded }] };
}
