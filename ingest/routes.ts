import type { DeviceDirectory } from '../backbone/index.ts';
import {
  type Address,
  allCodecs,
  type Codec,
  type CodecOptions,
  type Rejected,
} from '../devices/codecs/index.ts';
import { parseDeviceTopic } from '../devices/topics.ts';
import type { IngestConfig } from './config.ts';

/** Which codec has a topic. */
export interface Route {
  codec: Codec;
  address: Address;
}

/** Topic → route. Devices publish to the same few topics for ever, so the answer is remembered; bounded. */
export interface Routes {
  find(topic: string): Route | 'topic-unknown' | 'codec-unknown';
  /** What codecs waited for in vain. */
  overdue(now: number): { device: string; rejected: Rejected }[];
}

const MOST_TOPICS = 200_000;
/** Longer ones are looked up each time: a client may make up any number of topics of 64 KiB. */
const LONGEST_TOPIC = 200;

export type RouteDeps = Pick<CodecOptions, 'utcOffsetMs' | 'secretOf'> & {
  directory: Pick<DeviceDirectory, 'find'>;
};

export function routes(config: IngestConfig, { directory, utcOffsetMs, secretOf }: RouteDeps): Routes {
  const codecs = allCodecs({
    maxInflatedBytes: config.maxInflatedBytes,
    utcOffsetMs,
    devices: directory,
    ...(secretOf === undefined ? {} : { secretOf }),
    topicMappings: config.topicMappings,
    frigate: config.frigate,
    maxPictureBytes: config.maxPictureBytes,
  });
  /** By topic; only topics without a part of their own for each message, such as a time. */
  const remembered = new Map<string, Route>();

  function match(topic: string): Route | 'topic-unknown' | 'codec-unknown' {
    for (const codec of codecs) {
      const address = codec.match(topic);
      if (address !== null) return { codec, address };
    }
    return parseDeviceTopic(topic) === null ? 'topic-unknown' : 'codec-unknown';
  }

  return {
    find(topic) {
      const known = remembered.get(topic);
      if (known !== undefined) return known;
      const route = match(topic);
      if (typeof route !== 'string' && route.address.detail === '' && topic.length <= LONGEST_TOPIC) {
        if (remembered.size >= MOST_TOPICS) remembered.clear();
        remembered.set(topic, route);
      }
      return route;
    },
    overdue: (now) => codecs.flatMap((codec) => codec.overdue?.(now) ?? []),
  };
}
