/**
 * The product's API as the console knows it, from fixtures: for the console's own tests (deterministic states, faults on demand)
 * and for work on the page without a running product. Served by the product's own HTTP server, so under its real headers.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { pino } from 'pino';
import { createHttpServer } from '../../backbone/http.ts';
import { projectRoot } from '../../backbone/project-root.ts';
import { QianliyanError } from '../../contracts/index.ts';
import type { Counts, LeadRow } from '../src/api/types.ts';
import { type Story, tellStories } from './cases.ts';
import { catalog, devices } from './district.ts';
import { makeScene } from './scene.ts';
import { makeSeries } from './series.ts';

export interface FakeApi {
  url: string;
  /** What the console sent, oldest first: `POST /api/…` with its body. */
  readonly sent: { method: string; path: string; body: unknown; lastEventId: string | null }[];
  /** By alert id. */
  readonly stories: Map<string, Story>;
  /** Puts the story into the lists and sends it to all open lines. */
  raise(story: Story): void;
  /** Sends an event to all open lines and remembers it for those that resume. */
  emit(event: string, data: unknown): void;
  counts: Counts;
  leads: Map<string, LeadRow>;
  /** Cuts every open line, and refuses new ones while `refuseLines` is true. */
  cutLines(): void;
  refuseLines: boolean;
  /** The next request whose `METHOD /path` starts so gets this error instead. */
  failNext(request: string, error: QianliyanError): void;
  signedIn: boolean;
  now(): number;
  close(): Promise<void>;
}

export interface FakeApiOptions {
  port?: number;
  /** Product time at the start; it stands still. Default 2026-11-22 22:31:00 +08:00. */
  now?: number;
  signedIn?: boolean;
  /** Folder of the built console. Default: console/dist. */
  assets?: string;
  /** No alerts, no devices: what a new installation shows. */
  empty?: boolean;
}

const START = Date.parse('2026-11-22T22:31:00+08:00');
const USER = { user: 'zhang', password: 'right-password' };

/** Three frames, drawn once for all servers of the process. */
let pictures: Promise<{ bytes: Buffer; sha256: string }[]> | undefined;

export async function startFakeApi(options: FakeApiOptions = {}): Promise<FakeApi> {
  const server = createHttpServer({
    log: pino({ level: 'silent' }),
    host: '127.0.0.1',
    port: options.port ?? 0,
    portSetting: '--port',
  });
  pictures ??= Promise.all([0, 1, 2].map((shift) => makeScene(shift)));
  const scenes = await pictures;
  const now = options.now ?? START;
  const stories =
    options.empty === true
      ? []
      : tellStories(
          now,
          scenes.map((picture) => picture.sha256),
        );
  const failures: { request: string; error: QianliyanError }[] = [];
  const lines = new Set<FastifyReply>();
  const events: { id: number; text: string }[] = [];

  const fake: FakeApi = {
    url: '',
    sent: [],
    stories: new Map(stories.map((story) => [story.alert.id, story])),
    counts: countsOf(stories),
    leads: new Map(),
    refuseLines: false,
    signedIn: options.signedIn ?? true,
    now: () => now,
    failNext: (request, error) => void failures.push({ request, error }),
    emit(event, data) {
      const id = events.length + 1;
      const text = `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
      events.push({ id, text });
      for (const line of lines) line.raw.write(text);
    },
    raise(story) {
      fake.stories.set(story.alert.id, story);
      fake.emit('alert', story.alert);
      if (story.draftCase !== null) fake.emit('draft-case', story.draftCase);
      fake.counts = { ...countsOf([...fake.stories.values()]), observations: fake.counts.observations };
      fake.emit('counts', fake.counts);
    },
    cutLines() {
      for (const line of lines) line.raw.destroy();
      lines.clear();
    },
    close: () => server.close(),
  };

  server.app.addHook('preHandler', async (request) => {
    if (!request.url.startsWith('/api/')) return;
    record(fake, request);
    const call = `${request.method} ${request.url}`;
    const at = failures.findIndex((failure) => call.startsWith(failure.request));
    const failure = failures[at];
    if (failure !== undefined) {
      failures.splice(at, 1);
      throw failure.error;
    }
    if (!fake.signedIn && !request.url.startsWith('/api/session'))
      throw new QianliyanError('NOT_SIGNED_IN', 'no session');
  });
  sessionRoutes(server.app, fake);
  alertRoutes(server.app, fake);
  draftRoutes(server.app, fake, scenes);
  dataRoutes(server.app, fake, options.empty === true);
  server.app.get('/api/events', (request, reply): FastifyReply | undefined => {
    if (fake.refuseLines) return reply.code(503).send();
    reply.hijack();
    // A hijacked reply has to carry the headers itself.
    reply.raw.writeHead(200, {
      ...(reply.getHeaders() as Record<string, string>),
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
    });
    reply.raw.write(': hello\n\n');
    const after = Number(request.headers['last-event-id'] ?? events.length);
    for (const event of events) if (event.id > after) reply.raw.write(event.text);
    lines.add(reply);
    request.raw.on('close', () => lines.delete(reply));
    return undefined;
  });
  await server.app.register(fastifyStatic, {
    root: options.assets ?? join(projectRoot, 'console', 'dist'),
  });
  fake.url = (await server.listen()).url;
  return fake;
}

function record(fake: FakeApi, request: FastifyRequest): void {
  fake.sent.push({
    method: request.method,
    path: request.url,
    body: request.body ?? null,
    lastEventId: (request.headers['last-event-id'] as string | undefined) ?? null,
  });
}

function countsOf(stories: readonly Story[]): Counts {
  const perKind = (list: readonly Story[]): Record<string, number> => {
    const sums: Record<string, number> = {};
    for (const { alert } of list) sums[alert.kind] = (sums[alert.kind] ?? 0) + 1;
    return sums;
  };
  const drafts = stories.filter((story) => story.draftCase !== null);
  return {
    observations: { acknowledged: 128_404, stored: 128_404 },
    frames: 361,
    quarantined: 12,
    findings: perKind(stories),
    alerts: perKind(stories),
    alertsOpen: stories.filter((story) => story.alert.state === 'open').length,
    drafts: perKind(drafts),
    draftsOpen: drafts.filter((story) => story.draftCase?.state === 'draft').length,
    leads: { delivered: 3, pending: 0, failed: 0 },
    lag: { sensors: 0, images: 0, alerting: 0 },
  };
}

function sessionRoutes(app: FastifyInstance, fake: FakeApi): void {
  app.get('/api/session', () => {
    if (!fake.signedIn) throw new QianliyanError('NOT_SIGNED_IN', 'no session');
    return {
      user: 'zhang',
      name: '张敏',
      roles: ['reviewer', 'duty-officer'],
      unit: null,
      demo: true,
      clock: { now: fake.now(), speed: 1 },
    };
  });
  app.post('/api/session', (request, reply) => {
    const { user, password } = request.body as typeof USER;
    if (user !== USER.user || password !== USER.password) throw new QianliyanError('NOT_SIGNED_IN', 'wrong');
    fake.signedIn = true;
    return reply.code(204).send();
  });
  app.delete('/api/session', (_request, reply) => {
    fake.signedIn = false;
    return reply.code(204).send();
  });
}

function storyOf(fake: FakeApi, id: string): Story {
  const story = fake.stories.get(id);
  if (story === undefined) throw new QianliyanError('NOT_FOUND', id);
  return story;
}

function alertRoutes(app: FastifyInstance, fake: FakeApi): void {
  app.get('/api/alerts', (request) => {
    const { limit = '100', before } = request.query as { limit?: string; before?: string };
    const all = [...fake.stories.values()]
      .map((story) => story.alert)
      .sort((a, b) => b.raisedAt - a.raisedAt || (a.id < b.id ? 1 : -1));
    const start = before === undefined ? 0 : all.findIndex((alert) => alert.id === before) + 1;
    const items = all.slice(start, start + Number(limit));
    return { items, next: start + items.length < all.length ? (items.at(-1)?.id ?? null) : null };
  });
  app.get('/api/alerts/:id', (request) => {
    const { alert, findings, device, draftCase } = storyOf(fake, (request.params as { id: string }).id);
    return { alert, findings, device, draftCase };
  });
  app.post('/api/alerts/:id/acknowledge', (request) => {
    const story = storyOf(fake, (request.params as { id: string }).id);
    if (story.alert.state !== 'open') throw new QianliyanError('ILLEGAL_TRANSITION', story.alert.state);
    story.alert = {
      ...story.alert,
      state: 'acknowledged',
      acknowledgedAt: fake.now(),
      acknowledgedBy: '张敏',
    };
    fake.emit('alert', story.alert);
    return story.alert;
  });
}

function draftRoutes(
  app: FastifyInstance,
  fake: FakeApi,
  pictures: { bytes: Buffer; sha256: string }[],
): void {
  const storyOfDraft = (id: string): Story & { draftCase: NonNullable<Story['draftCase']> } => {
    for (const story of fake.stories.values()) if (story.draftCase?.id === id) return story as never;
    throw new QianliyanError('NOT_FOUND', id);
  };
  app.get('/api/draft-cases', () => ({
    items: [...fake.stories.values()].flatMap((story) => story.draftCase ?? []),
    next: null,
  }));
  app.get('/api/draft-cases/:id', (request) => storyOfDraft((request.params as { id: string }).id).draftCase);
  app.post('/api/draft-cases/:id/:decision', (request) => {
    const { id, decision } = request.params as { id: string; decision: 'confirm' | 'dismiss' };
    const body = request.body as { version: number; reason: string };
    const story = storyOfDraft(id);
    const draft = story.draftCase;
    if (draft.state !== 'draft') throw new QianliyanError('ILLEGAL_TRANSITION', draft.state);
    if (draft.version !== body.version) throw new QianliyanError('CONFLICT', `version ${draft.version}`);
    const state = decision === 'confirm' ? 'confirmed' : 'dismissed';
    story.draftCase = {
      ...draft,
      state,
      version: draft.version + 1,
      lead: state === 'confirmed' ? `lead-${id}` : null,
      review: { by: '张敏', at: fake.now(), decision: state, reason: body.reason },
    };
    fake.emit('draft-case', story.draftCase);
    if (state === 'confirmed') {
      const lead: LeadRow = {
        id: `lead-${id}`,
        draftCase: id,
        unit: draft.route.unit ?? '',
        state: 'pending',
        attempts: 0,
        nextTryAt: fake.now(),
        deliveredAt: null,
        lastError: null,
        receipt: null,
      };
      fake.leads.set(lead.id, lead);
      fake.emit('lead', lead);
    }
    return story.draftCase;
  });
  app.get('/api/draft-cases/:id/evidence', (request) => {
    const { alert } = storyOfDraft((request.params as { id: string }).id);
    const text = (name: string, mediaType: string) => {
      const sha256 = createHash('sha256').update(`${alert.id}${name}`).digest('hex');
      return { name, mediaType, sha256, bytes: 4211, url: `/api/evidence/${sha256}` };
    };
    const photos =
      alert.kind === 'image'
        ? pictures.map(({ sha256, bytes }, i) => ({
            name: `frame-${i + 1}.jpg`,
            mediaType: 'image/jpeg',
            sha256,
            bytes: bytes.length,
            url: `/api/evidence/${sha256}`,
          }))
        : [];
    return {
      items: [
        ...photos,
        ...(photos.length > 0 ? [] : [text('readings.csv', 'text/csv')]),
        text('finding.json', 'application/json'),
        text('device.json', 'application/json'),
      ],
    };
  });
  app.get('/api/evidence/:sha256', (request, reply) => {
    const picture = pictures.find(({ sha256 }) => sha256 === (request.params as { sha256: string }).sha256);
    if (picture === undefined) throw new QianliyanError('NOT_FOUND', 'no such blob');
    return reply
      .type('image/jpeg')
      .header('cache-control', 'private, max-age=31536000, immutable')
      .send(picture.bytes);
  });
}

/** Level of each property: quiet, in the interval, noise, decimals. */
const LEVELS: Record<string, [number, number, number, number]> = {
  TSP: [0.34, 1.5, 0.09, 3],
  PM10: [92, 260, 12, 1],
  LAeq: [49, 64, 2.2, 1],
  COD: [18.2, 18.2, 0, 1],
  LEVEL: [2.6, 2.94, 0.01, 2],
};

function dataRoutes(app: FastifyInstance, fake: FakeApi, empty: boolean): void {
  app.get('/api/series', (request) => {
    const { datastream, from, to } = request.query as Record<string, string>;
    const [id = '', property = ''] = (datastream ?? '').split('/');
    const unit =
      devices.find((device) => device.id === id)?.datastreams.find((stream) => stream.property === property)
        ?.unit ?? null;
    const story = [...fake.stories.values()].find((candidate) => candidate.alert.datastream === datastream);
    const interval =
      story === undefined
        ? { from: fake.now(), to: fake.now() }
        : { from: story.alert.startedAt, to: story.alert.lastSeenAt };
    const [quiet, high, noise, decimals] = LEVELS[property] ?? [1, 2, 0.1, 2];
    return {
      datastream,
      unit,
      points: makeSeries(
        { quiet, high, noise, decimals, interval, stepMs: 30_000 },
        Number(from),
        Math.min(Number(to), fake.now()),
      ),
    };
  });
  app.get('/api/catalog', () => catalog);
  app.get('/api/devices', () => ({ items: empty ? [] : devices, next: null }));
  app.get('/api/leads', () => ({ items: [...fake.leads.values()] }));
  app.get('/api/counts', () => fake.counts);
}
