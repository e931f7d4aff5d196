import { z } from 'zod';
import {
  EpochMs,
  NativeMessage,
  NativePayload,
  NativeReading,
  Quality,
  Statistic,
  WireTime,
} from '../../../contracts/index.ts';

/**
 * The native payload as JSON Schema (draft 2020-12), made from the very schema that ingest checks with: what device
 * makers test their messages against. It is committed as docs/schemas/native-payload.schema.json; a test holds it there.
 */
interface Words {
  id?: string;
  title?: string;
  description: string;
}

const EXAMPLES = [
  {
    time: '2026-11-22T22:05:00+08:00',
    readings: { PM10: 81.5, TSP: { value: 0.21, unit: 'mg/m3', quality: 'valid' } },
  },
  [
    { time: 1_795_000_000_000, readings: { PM10: 80 } },
    { time: 1_795_000_030_000, statistic: 'minute', readings: { PM10: 81 } },
  ],
];

const words = z.registry<Words>();
words.add(NativePayload, {
  title: 'Readings of a device',
  description:
    'What a device publishes to v1/devices/<id>/observations: the readings of one moment, or of 1 to 1,000 moments.',
});
words.add(NativeMessage, {
  id: 'Moment',
  description:
    'Readings of one moment. `statistic` and `quality` hold for all of them that state none of their own.',
});
words.add(WireTime, {
  id: 'Time',
  description:
    'When it was so at the device: RFC 3339 with a zone, or milliseconds since 1970-01-01T00:00:00Z. Not in the future.',
});
words.add(EpochMs, { description: 'Between 2000 and 2100: what lies outside is a broken clock.' });
words.add(NativeReading, {
  id: 'Reading',
  description:
    'A value alone, in the unit that the registry states; or with its unit (UCUM), which must be the same, and quality.',
});
words.add(Statistic, {
  id: 'Statistic',
  description: 'What a value stands for: an instant (the default), or a mean that the device itself made.',
});
words.add(Quality, {
  id: 'Quality',
  description:
    'What the instrument says of a value; valid is the default. Only valid values count towards a limit.',
});
words.add(NativeMessage.shape.readings, {
  description: 'By property, as the registry declares it: PM10, TSP, LAeq …',
});

export function nativePayloadJsonSchema(): Record<string, unknown> {
  const { $schema, $defs, ...schema } = z.toJSONSchema(NativePayload, { io: 'input', metadata: words });
  // zod leaves examples out where a schema transforms, as the time of a message does.
  return { $schema, $id: 'urn:qianliyan:schema:native-payload:1', ...schema, examples: EXAMPLES, $defs };
}
