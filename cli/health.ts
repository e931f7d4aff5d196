import type { FastifyPluginAsync } from 'fastify';
import type { Registry as Metrics } from 'prom-client';

/** What a stage says of itself: ready or not, and in words of its own why not. */
export interface StageHealth {
  ok: boolean;
}

interface HealthDeps {
  metrics: Metrics;
  stages: Record<string, { health(): StageHealth | Promise<StageHealth> }>;
}

/** `/readyz`: every stage works; `/metrics`: Prometheus text. Both tell nothing about devices or people. */
export function healthApi({ metrics, stages }: HealthDeps): FastifyPluginAsync {
  return async (app) => {
    app.get('/readyz', async (_request, reply) => {
      const entries = await Promise.all(
        Object.entries(stages).map(async ([name, stage]) => [name, await stage.health()] as const),
      );
      const ok = entries.every(([, health]) => health.ok);
      return reply.status(ok ? 200 : 503).send({ ok, stages: Object.fromEntries(entries) });
    });
    app.get('/metrics', async (_request, reply) =>
      reply.type(metrics.contentType).send(await metrics.metrics()),
    );
  };
}
