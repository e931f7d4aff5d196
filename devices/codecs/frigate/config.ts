import { z } from 'zod';

/** Frigate, the network video recorder: which of its topics are taken. */
export const FrigateConfig = z.strictObject({
  topicPrefixes: z
    .array(z.string().regex(/^[^+#/$][^+#/]{0,63}$/, { error: 'one level of a topic, without + # / and $' }))
    .max(100)
    .default(['frigate'])
    .describe('`mqtt.topic_prefix` of each Frigate; an empty list: Frigate is not listened to'),
  eventForS: z
    .number()
    .min(0)
    .max(600)
    .default(10)
    .describe('A snapshot takes its time from an event that came at most so many seconds before it'),
});
export type FrigateConfig = z.output<typeof FrigateConfig>;
