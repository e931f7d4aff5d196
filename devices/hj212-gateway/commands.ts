import { z } from 'zod';

/**
 * What may be asked of a device, and how the dialogue goes (HJ 212-2017, appendix C):
 *
 *   read   9011, a frame of the same CN with the answer, 9012     fetch  9011, data frames of the same CN, 9012
 *   set    9011, 9012 (also: begin sending)                       stop   9013
 */
export type Dialogue = 'read' | 'set' | 'fetch' | 'stop';

const PolId = z
  .string()
  .regex(/^[A-Za-z0-9]{1,16}$/, 'a factor code such as w01018')
  .optional()
  .describe('Instrument, by factor code; left out: the data logger itself');
const Time = z.iso.datetime({ offset: true });
const Span = { from: Time.describe('RFC 3339, first moment'), to: Time.describe('RFC 3339, last moment') };

/** The requests that people can make; everything else that HJ 212 has (3xxx: control) is not offered. */
export const Hj212Request = z
  .discriminatedUnion('cn', [
    z.strictObject({ cn: z.literal('1011').describe('Read the clock'), polId: PolId }),
    z.strictObject({
      cn: z.literal('1012').describe('Set the clock'),
      polId: PolId,
      time: Time.optional().describe("RFC 3339; left out: the product's time when it is sent"),
    }),
    z.strictObject({ cn: z.literal('1061').describe('Read the interval of realtime data') }),
    z.strictObject({
      cn: z.literal('1062').describe('Set the interval of realtime data'),
      intervalS: z.number().int().min(30).max(3_600).describe('Seconds'),
    }),
    z.strictObject({ cn: z.literal('1063').describe('Read the interval of minute data') }),
    z.strictObject({
      cn: z.literal('1064').describe('Set the interval of minute data'),
      intervalMin: z
        .literal([1, 2, 3, 4, 5, 6, 10, 12, 15, 20, 30])
        .describe('Minutes; those that divide an hour'),
    }),
    z.strictObject({ cn: z.literal('2011').describe('Begin sending realtime data') }),
    z.strictObject({ cn: z.literal('2012').describe('Stop sending realtime data') }),
    z.strictObject({ cn: z.literal('2021').describe('Begin sending the status of equipment') }),
    z.strictObject({ cn: z.literal('2022').describe('Stop sending the status of equipment') }),
    z.strictObject({ cn: z.literal('2031').describe('Fetch day data'), ...Span }),
    z.strictObject({ cn: z.literal('2041').describe('Fetch daily run times of equipment'), ...Span }),
    z.strictObject({ cn: z.literal('2051').describe('Fetch minute data'), ...Span }),
    z.strictObject({ cn: z.literal('2061').describe('Fetch hour data'), ...Span }),
  ])
  .superRefine((request, context) => {
    if (!('from' in request) || Date.parse(request.from) <= Date.parse(request.to)) return;
    context.addIssue({
      code: 'custom',
      path: ['to'],
      input: request.to,
      message: 'a time that is not before `from`',
    });
  });
export type Hj212Request = z.infer<typeof Hj212Request>;

const DIALOGUES: Readonly<Record<Hj212Request['cn'], Dialogue>> = {
  '1011': 'read',
  '1012': 'set',
  '1061': 'read',
  '1062': 'set',
  '1063': 'read',
  '1064': 'set',
  '2011': 'set',
  '2012': 'stop',
  '2021': 'set',
  '2022': 'stop',
  '2031': 'fetch',
  '2041': 'fetch',
  '2051': 'fetch',
  '2061': 'fetch',
};

export function dialogueOf(cn: Hj212Request['cn']): Dialogue {
  return DIALOGUES[cn];
}

/** What stands between `CP=&&` and `&&`. `local` writes a time as the device does; `now` is for a clock that is set. */
export function cpOf(request: Hj212Request, now: number, local: (time: number) => string): string {
  switch (request.cn) {
    case '1011':
      return polId(request);
    case '1012': {
      const time = request.time === undefined ? now : Date.parse(request.time);
      return [polId(request), `SystemTime=${local(time)}`].filter((part) => part !== '').join(';');
    }
    case '1062':
      return `RtdInterval=${request.intervalS}`;
    case '1064':
      return `MinInterval=${request.intervalMin}`;
    case '2031':
    case '2041':
    case '2051':
    case '2061':
      return `BeginTime=${local(Date.parse(request.from))};EndTime=${local(Date.parse(request.to))}`;
    default:
      return '';
  }
}

function polId(request: { polId?: string | undefined }): string {
  return request.polId === undefined ? '' : `PolId=${request.polId}`;
}

/** `YYYYMMDDhhmmss` of local time (HJ 212 knows no zones; by custom Beijing time). */
export function localTime(time: number, utcOffsetMs: number): string {
  return new Date(time + utcOffsetMs).toISOString().replace(/\D/g, '').slice(0, 14);
}

/** A QN: local time with milliseconds. */
export function localQn(time: number, utcOffsetMs: number): string {
  return new Date(time + utcOffsetMs).toISOString().replace(/\D/g, '').slice(0, 17);
}

/** Epoch ms of `YYYYMMDDhhmmss`; null when it is none. */
export function parseLocalTime(text: string, utcOffsetMs: number): number | null {
  const match = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(text);
  if (match === null) return null;
  const [, year, month, day, hour, minute, second] = match.map(Number);
  const time = Date.UTC(year ?? 0, (month ?? 0) - 1, day, hour, minute, second);
  return Number.isNaN(time) ? null : time - utcOffsetMs;
}
