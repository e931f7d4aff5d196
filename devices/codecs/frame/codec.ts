import { EpochMs, WireTime } from '../../../contracts/index.ts';
import { parseDeviceTopic } from '../../topics.ts';
import { type Codec, type CodecInput, type Decoded, type DecodedOne, rejected, shown } from '../codec.ts';
import { exifSerial, exifTime } from './exif-time.ts';
import { decodeJsonPicture, isJsonPicture, type PictureBytes } from './json-picture.ts';
import { pictureType } from './picture-type.ts';

/**
 * `v1/devices/<id>/frames[/<time>]`: a JPEG, PNG or WebP as it came from the camera, or JSON with it in base64
 * (json-picture.ts), told by its first byte. `v1/frames[/<time>]`: the same from whoever cannot put the camera into the
 * topic.
 *
 *   time     topic ▸ MQTT 5 user property `time` ▸ JSON's `time` ▸ EXIF ▸ the moment of receipt
 *   camera   topic ▸ MQTT 5 user property `camera` or `device` ▸ JSON's `camera` ▸ EXIF's serial number, as `exif:<number>`
 *
 * The time in a topic is epoch ms or RFC 3339, percent-encoded where MQTT forbids a character (`+` of a zone is `%2B`). A
 * time that is given but cannot be read rejects the picture: guessing another one would change what it proves.
 * Only the first bytes are looked at; whether a picture follows is checked where it is stored.
 */
export interface FrameOptions {
  utcOffsetMs: number;
  /** Largest picture in JSON, in bytes once decoded; the others are measured as they come. */
  maxPictureBytes?: number;
}

const MOST_PICTURE_BYTES = 20_000_000;

export function frameCodec({ utcOffsetMs, maxPictureBytes = MOST_PICTURE_BYTES }: FrameOptions): Codec {
  return {
    name: 'frame',
    match(topic) {
      const shared = /^v1\/frames(?:\/(.*))?$/s.exec(topic);
      if (shared !== null) return { device: null, kind: 'picture', detail: shared[1] ?? '' };
      const at = parseDeviceTopic(topic);
      return at?.channel === 'frames' ? { device: at.device, kind: 'picture', detail: at.rest } : null;
    },
    decode(input) {
      const { payload, address } = input;
      const picture = isJsonPicture(payload)
        ? decodeJsonPicture(payload, maxPictureBytes)
        : { bytes: payload, time: null, camera: null };
      if ('kind' in picture) return picture;
      const decoded = decodePicture(input, picture, utcOffsetMs);
      if (address.device !== null || decoded.kind === 'rejected') return decoded;
      const device = cameraOf(input, picture);
      return device === null || device.length > LONGEST_NAME
        ? NO_CAMERA
        : { kind: 'several', parts: [{ device, decoded }] };
    },
  };
}

const LONGEST_NAME = 200;

const NO_CAMERA: Decoded = rejected(
  'camera-unknown',
  'camera: neither the topic, nor a user property `camera`, nor JSON, nor EXIF names one; v1/devices/<id>/frames is allowed',
);

function cameraOf({ userProperties }: CodecInput, picture: PictureBytes): string | null {
  const stated = userProperties.camera ?? userProperties.device ?? picture.camera;
  if (stated != null && stated !== '') return stated;
  const serial = exifSerial(picture.bytes);
  return serial === null ? null : `exif:${serial}`;
}

function decodePicture(
  input: CodecInput,
  { bytes, time: said }: PictureBytes,
  utcOffsetMs: number,
): DecodedOne {
  if (pictureType(bytes) === null) {
    const head = bytes.subarray(0, 8).toString('hex');
    return rejected(
      'not-a-picture',
      `payload: begins with ${head || 'nothing'}; JPEG, PNG or WebP is allowed`,
    );
  }
  const { address, userProperties, receivedAt } = input;
  const picture = { kind: 'picture', bytes } as const;
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
  if (said !== null) return { ...picture, time: said, timeFrom: 'payload' };
  const taken = exifTime(bytes, utcOffsetMs);
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
