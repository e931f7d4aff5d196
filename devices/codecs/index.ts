import type { DeviceDirectory } from '../../backbone/index.ts';
import type { Codec } from './codec.ts';
import { frameCodec } from './frame/codec.ts';
import { lineProtocol } from './line-protocol/codec.ts';
import { nativeJson } from './native-json/codec.ts';
import { senml } from './senml/codec.ts';
import { sparkplug } from './sparkplug/codec.ts';
import { statusCodec } from './status/codec.ts';

/**
 * What devices speak, one folder each, all of one shape (codec.ts):
 *
 *   topic ──match──▶ address (device, kind)      payload ──decode──▶ readings | picture | why not
 *
 * The first codec that matches a topic has it. To add one: a folder with `codec.ts` and `cases/`, and a line here.
 */
export interface CodecOptions {
  /** A compressed payload may inflate to so much. */
  maxInflatedBytes: number;
  /** Of the site: for clocks of cameras that state no zone. */
  utcOffsetMs: number;
  /** For payloads that name their devices themselves; without it, such names are taken as they stand. */
  devices?: Pick<DeviceDirectory, 'find'>;
}

export function allCodecs(options: CodecOptions): readonly Codec[] {
  return [nativeJson(options), frameCodec(options), senml(options), lineProtocol(options), sparkplug(options), statusCodec()];
}

export * from './codec.ts';
export { pictureType } from './frame/picture-type.ts';
