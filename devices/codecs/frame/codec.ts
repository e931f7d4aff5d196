import { EpochMs, WireTime } from '../../../contracts/index.ts';
import { parseDeviceTopic } from '../../topics.ts';
import { type Codec, type CodecInput, type Decoded, rejected, shown } from '../codec.ts';
import { exifTime } from './exif-time.ts';
import { pictureType } from './picture-type.ts';

/**
 * `v1/devices/<id>/frames[/<time>]`: a JPEG, PNG or WebP as it came from the camera. Its time comes from, in this
 * order: the topic, the MQTT 5 user property `time`, EXIF, the moment of receipt. The time in a topic is epoch ms or
 * RFC 3339, percent-encoded where MQTT forbids a character (`+` of a zone is `%2B`). A time that is given but cannot
 * be read rejects the picture: guessing another one would change what it proves.
 * Only the first bytes are looked at; whether a picture follows is checked where it is stored.
 */
export function frameCodec(options: { utcOffsetMs: number }): Codec {
  return {
    name: 'frame',
    match(topic) {
      const at = parseDeviceTopic(topic);
      return at?.channel === 'frames' ? { device: at.device, kind: 'picture', detail: at.rest } : null;
    },
    decode(input) {
      if (pictureType(input.payload) === null) {
        const head = input.payload.subarray(0, 8).toString('hex');
        return rejected(
          'not-a-picture',
          `payload: begins with ${head || 'nothing'}; JPEG, PNG or WebP is allowed`,
        );
      }
      return withTime(input, options.utcOffsetMs);
    },
  };
}

function withTime(
  { address, payload, userProperties, receivedAt }: CodecInput,
  utcOffsetMs: number,
): Decoded {
  const picture = { kind: 'picture', bytes: payload } as const;
  const stated = address.detail !== '' ? address.detail : userProperties.time;
  if (stated !== undefined) {
    const time = readTime(stated);
    const where = address.detail !== '' ? 'topic' : 'user-property';
    if (time !== null) return { ...picture, time, timeFrom: where };
    return rejected(
      'schema',
      `${where} time: ${shown(stated)} found; epoch ms or RFC 3339 with a zone is allowed`,
    );
  }
  const taken = pictureType(payload) === 'image/jpeg' ? exifTime(payload, utcOffsetMs) : null;
  if (taken !== null) return { ...picture, time: taken, timeFrom: 'exif' };
  return { ...picture, time: receivedAt, timeFrom: 'received' };
}

function readTime(text: string): number | null {
  if (/^\d{12,13}$/.test(text)) return EpochMs.safeParse(Number(text)).data ?? null;
  try {
    return WireTime.safeParse(decodeURIComponent(text)).data ?? null;
  } catch {
    // Not percent-encoded as it should be.
    return null;
  }
}
