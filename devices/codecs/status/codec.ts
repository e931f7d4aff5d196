import { parseDeviceTopic } from '../../topics.ts';
import { type Codec, type Decoded, rejected, shown } from '../codec.ts';

/**
 * `v1/devices/<id>/status`: the device says `online` when it has connected, and leaves `offline` with the broker as its
 * last will. As plain text, as a JSON string, or as {"status": "online"}, whose other fields are its maker's own.
 */
export function statusCodec(): Codec {
  return {
    name: 'status',
    match(topic) {
      const at = parseDeviceTopic(topic);
      if (at?.channel !== 'status' || at.rest !== '') return null;
      return { device: at.device, kind: 'readings', detail: '' };
    },
    decode({ payload }) {
      // Longer than any status that makes sense: not worth the reading.
      return payload.length > MOST_BYTES ? refused(`${payload.length} bytes`) : decodeStatus(payload);
    },
  };
}

const MOST_BYTES = 4_096;

function decodeStatus(payload: Buffer): Decoded {
  const text = payload.toString('utf8').trim();
  const said = fromJson(text) ?? text;
  if (said === 'online' || said === 'offline') return { kind: 'status', status: said };
  return refused(shown(said));
}

/** What a JSON string or object states; undefined when it is no such thing. */
function fromJson(text: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Plain text, as it should be.
    return undefined;
  }
  const isObject = typeof value === 'object' && value !== null && 'status' in value;
  return isObject ? (value as { status: unknown }).status : value;
}

function refused(found: string): Decoded {
  return rejected('schema', `status: ${found} found; online or offline is allowed`);
}
