import type { DeviceDirectory } from '../../backbone/index.ts';
import type { Codec } from './codec.ts';
import { frameCodec } from './frame/codec.ts';
import { frigateCodec } from './frigate/codec.ts';
import type { FrigateConfig } from './frigate/config.ts';
import { hj212 } from './hj212/codec.ts';
import { lineProtocol } from './line-protocol/codec.ts';
import { nativeJson } from './native-json/codec.ts';
import { senml } from './senml/codec.ts';
import { sparkplug } from './sparkplug/codec.ts';
import { statusCodec } from './status/codec.ts';
import { topicMapping } from './topic-mapping/codec.ts';
import type { TopicMapping } from './topic-mapping/config.ts';

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
  /** What topics of devices mean that speak MQTT in their own way. */
  topicMappings?: readonly TopicMapping[];
  /** Default: topics below `frigate/`. */
  frigate?: FrigateConfig;
  /** Keys of devices that encrypt HJ 212-2025, 16 bytes; default: no device has one. */
  secretOf?: (device: string, name: 'hj212-sm4') => Buffer | null;
  /** Largest picture, in bytes; default 20,000,000. */
  maxPictureBytes?: number;
}

export function allCodecs(options: CodecOptions): readonly Codec[] {
  return [
    nativeJson(options),
    frameCodec(options),
    senml(options),
    lineProtocol(options),
    sparkplug(options),
    hj212(options),
    statusCodec(),
    frigateCodec(options.frigate),
    topicMapping(options.topicMappings ?? [], options.utcOffsetMs),
  ];
}

export * from './codec.ts';
export { isJsonPicture } from './frame/json-picture.ts';
export { pictureType } from './frame/picture-type.ts';
export { FrigateConfig } from './frigate/config.ts';
export { oneAReason } from './rejections.ts';
export { TopicMapping, TopicMappings } from './topic-mapping/config.ts';
