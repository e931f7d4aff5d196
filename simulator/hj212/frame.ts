/**
 * HJ 212 frames as a monitor's maker would write them from the standard: framing and checksum of its own, so that the
 * product is tried by somebody else's idea of the protocol. `##` + length + data segment + CRC + CR LF; lengths are bytes.
 */
export type Checksum = 'standard' | 'modbus';

/** One step of eight bits, for each value of the low byte. */
const STEP = Uint16Array.from({ length: 256 }, (_, start) => {
  let register = start;
  for (let bit = 0; bit < 8; bit++) register = (register >>> 1) ^ ((register & 1) * 0xa001);
  return register;
});

/** HJ 212-2017, Appendix A: of the register only the high byte lives on. */
function standard(bytes: Uint8Array): number {
  let register = 0xffff;
  for (let i = 0; i < bytes.length; i++) register = STEP[(register >>> 8) ^ (bytes[i] ?? 0)] ?? 0;
  return register;
}

function modbus(bytes: Uint8Array): number {
  let register = 0xffff;
  for (let i = 0; i < bytes.length; i++)
    register = (register >>> 8) ^ (STEP[(register ^ (bytes[i] ?? 0)) & 0xff] ?? 0);
  return register;
}

export function checksum(bytes: Uint8Array, kind: Checksum): string {
  const value = kind === 'modbus' ? modbus(bytes) : standard(bytes);
  return value.toString(16).toUpperCase().padStart(4, '0');
}

export function frameOf(segment: string, kind: Checksum = 'standard'): Buffer {
  const length = Buffer.byteLength(segment);
  const bytes = Buffer.allocUnsafe(length + 12);
  bytes.write(`##${String(length).padStart(4, '0')}`, 0, 'latin1');
  bytes.write(segment, 6);
  bytes.write(`${checksum(bytes.subarray(6, 6 + length), kind)}\r\n`, 6 + length, 'latin1');
  return bytes;
}

/** What a monitor reads of a frame from the host. */
export interface HostFrame {
  /** Fields before CP, by name. */
  head: Map<string, string>;
  /** Fields of CP, by name. */
  cp: Map<string, string>;
}

/** Cuts what the host sends into frames; what has a wrong checksum is dropped, as the standard says. */
export class HostReader {
  readonly #kind: Checksum;
  #rest: Buffer = Buffer.alloc(0);

  constructor(kind: Checksum = 'standard') {
    this.#kind = kind;
  }

  push(chunk: Buffer): HostFrame[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: HostFrame[] = [];
    for (;;) {
      const at = this.#rest.indexOf('##');
      if (at < 0) break;
      const length = Number(this.#rest.toString('latin1', at + 2, at + 6));
      const end = at + 6 + length + 4;
      if (!Number.isInteger(length) || this.#rest.length < end) break;
      const data = this.#rest.subarray(at + 6, at + 6 + length);
      const stated = this.#rest.toString('latin1', at + 6 + length, end);
      if (stated === checksum(data, this.#kind)) frames.push(read(data.toString()));
      this.#rest = this.#rest.subarray(end);
    }
    return frames;
  }

  /** A new connection begins with nothing. */
  clear(): void {
    this.#rest = Buffer.alloc(0);
  }
}

function read(segment: string): HostFrame {
  const [head = '', inside = ''] = segment.split('CP=&&');
  return { head: fields(head), cp: fields(inside.replace(/&&$/, '')) };
}

function fields(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const piece of text.split(/[;,]/)) {
    const equals = piece.indexOf('=');
    if (equals > 0) found.set(piece.slice(0, equals), piece.slice(equals + 1));
  }
  return found;
}
