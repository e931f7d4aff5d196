import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Clock } from '../../backbone/index.ts';
import { addRoute } from '../../backbone/route.ts';
import { QianliyanError } from '../../contracts/index.ts';
import { authorOf } from '../api/asked.ts';
import { Hj212Request } from './commands.ts';
import type { Hj212Gateway, Hj212RequestResult } from './gateway.ts';
import type { RequestOutcome } from './requests.ts';
import { exeRtn, qnRtn } from './results.ts';

const Params = z.strictObject({ id: z.string().max(200) });
const Code = z.strictObject({ code: z.number().int(), zh: z.string(), en: z.string() });

const Answer = z.strictObject({
  device: z.string(),
  mn: z.string(),
  cn: z.string(),
  qn: z.string().describe('Number of the request, as it stands in the frames'),
  outcome: z.enum(['done', 'refused', 'failed', 'no-answer', 'no-result', 'connection-lost']),
  qnRtn: Code.nullable().describe('What the device said of the request (9011)'),
  exeRtn: Code.nullable().describe('What the device said of its execution (9012)'),
  frames: z.number().int().describe('Frames of data that came for it; they are stored like all others'),
  answer: z.record(z.string(), z.string()).describe('Values of the answer to 1011, 1061 and 1063, as sent'),
  clockOffS: z
    .number()
    .nullable()
    .describe("Of 1011: seconds that the device's clock is ahead of the product's"),
  tries: z.number().int().describe('How often it was sent'),
});

/** A request by a person, for the audit trail. */
export interface Hj212RequestStep {
  at: number;
  who: string;
  /** Address that it came from. */
  via: string | null;
  device: string;
  request: Hj212Request;
  outcome: RequestOutcome;
}

export interface Hj212ApiDeps {
  /** Asked at each request: the gateway is among the last to start; null where none is configured. */
  gateway: () => Hj212Gateway | null;
  clock: Clock;
  /** Resolves when the step is in the audit trail. */
  audit?: (step: Hj212RequestStep) => Promise<void>;
}

/**
 * POST /api/devices/:id/hj212/requests    a request to a connected monitor; answers when the dialogue has ended
 * Sessions and roles are checked before, for all of /api.
 */
export function hj212Api({ gateway, clock, audit }: Hj212ApiDeps) {
  return async (app: FastifyInstance): Promise<void> => {
    addRoute(
      app,
      {
        method: 'POST',
        url: '/api/devices/:id/hj212/requests',
        summary:
          'Ask a connected HJ 212 monitor: read or set its clock or intervals, start, stop or fetch data',
        params: Params,
        body: Hj212Request,
        answer: Answer,
      },
      async ({ params, body, request }) => {
        const running = gateway();
        if (running === null)
          throw new QianliyanError('ILLEGAL_TRANSITION', 'the HJ 212 gateway is off: set hj212.port');
        const result = await running.request(params.id, body);
        const { device, outcome } = result;
        await audit?.({ at: clock.now(), ...authorOf(request), device, request: body, outcome });
        return inWords(result);
      },
    );
  };
}

function inWords(result: Hj212RequestResult): z.infer<typeof Answer> {
  return {
    ...result,
    qnRtn: result.qnRtn === null ? null : qnRtn(result.qnRtn),
    exeRtn: result.exeRtn === null ? null : exeRtn(result.exeRtn),
  };
}
