import type { FastifyInstance } from 'fastify';
import type { Clock, DeviceDirectory } from '../../backbone/index.ts';
import { Alert, DraftCase } from '../../contracts/index.ts';
import { deviceAt } from '../draft/index.ts';
import type { EvidenceArchive } from '../evidence/index.ts';
import { acknowledge } from '../raise/index.ts';
import type { Decision, Reviewer } from '../review/index.ts';
import type { EventLog } from '../store/events.ts';
import type { Db } from '../store/tables.ts';
import { alertPage, draftPage, findingsOf, readAlert, readDraft, readLeads } from './queries.ts';
import { addRoute } from './route.ts';
import * as s from './schemas.ts';

export interface CaseRouteParts {
  db: Db;
  clock: Clock;
  events: EventLog;
  directory: DeviceDirectory;
  reviewer: Reviewer;
  archive: EvidenceArchive;
}

/** Alerts, draft cases, evidence, leads. */
export function caseRoutes(app: FastifyInstance, parts: CaseRouteParts): void {
  alertRoutes(app, parts);
  draftRoutes(app, parts);
  evidenceRoutes(app, parts);
  addRoute(
    app,
    { method: 'GET', url: '/api/leads', summary: 'Leads, newest first', query: s.LeadQuery, answer: s.Leads },
    async ({ query }) => ({ items: await readLeads(parts.db, query.state) }),
  );
}

function alertRoutes(app: FastifyInstance, parts: CaseRouteParts): void {
  const { db, directory } = parts;
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/alerts',
      summary: 'Alerts, newest first',
      query: s.AlertQuery,
      answer: s.AlertPage,
    },
    ({ query }) => alertPage(db, query),
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/alerts/:id',
      summary: 'An alert with its findings, its device as it was then, and its draft case',
      params: s.IdParams,
      answer: s.AlertDetail,
    },
    async ({ params }) => {
      const alert = await readAlert(db, params.id);
      return {
        alert,
        findings: await findingsOf(db, alert.id),
        device: deviceAt(directory, alert.device, [alert.startedAt, alert.trigger.time]) ?? null,
        draftCase: alert.draftCase === null ? null : await readDraft(db, alert.draftCase),
      };
    },
  );
  addRoute(
    app,
    {
      method: 'POST',
      url: '/api/alerts/:id/acknowledge',
      summary: 'Acknowledge an alert; holds until it is resolved',
      params: s.IdParams,
      answer: Alert,
    },
    ({ params, request }) =>
      acknowledge(parts, { alert: params.id, who: request.caller?.user ?? '', via: request.ip }),
  );
}

function draftRoutes(app: FastifyInstance, { db, reviewer }: CaseRouteParts): void {
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/draft-cases',
      summary: 'Draft cases, newest first',
      query: s.DraftCaseQuery,
      answer: s.DraftCasePage,
    },
    ({ query }) => draftPage(db, query),
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/draft-cases/:id',
      summary: 'A draft case',
      params: s.IdParams,
      answer: DraftCase,
    },
    ({ params }) => readDraft(db, params.id),
  );
  const decision = (name: Decision, summary: string) =>
    addRoute(
      app,
      {
        method: 'POST',
        url: `/api/draft-cases/:id/${name}`,
        summary,
        params: s.IdParams,
        body: s.DecisionBody,
        answer: DraftCase,
      },
      ({ params, body, request }) =>
        reviewer.decide({
          draft: params.id,
          decision: name,
          ...body,
          who: request.caller?.user ?? '',
          via: request.ip,
        }),
    );
  decision('confirm', 'Confirm a draft case: freezes its evidence and sends the lead');
  decision('dismiss', 'Dismiss a draft case, with a reason');
}

function evidenceRoutes(app: FastifyInstance, { db, archive }: CaseRouteParts): void {
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/draft-cases/:id/evidence',
      summary: 'What a draft case rests on',
      params: s.IdParams,
      answer: s.Evidence,
    },
    async ({ params }) => {
      const { items, missing, frozen } = await archive.of(await readDraft(db, params.id));
      return {
        items: items.map((item) => ({ ...item, url: `/api/evidence/${item.sha256}` })),
        missing,
        frozen,
      };
    },
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/evidence/:sha256',
      summary: 'The bytes of a piece of evidence',
      params: s.HashParams,
      answer: null,
      mediaType: 'application/octet-stream',
    },
    async ({ params, reply }) => {
      const { bytes, mediaType } = await archive.read(params.sha256);
      // The name is the hash of the bytes: they never change. Nobody but the person who asked may keep them.
      reply.header('cache-control', 'private, max-age=31536000, immutable').type(mediaType);
      if (!mediaType.startsWith('image/')) {
        reply.header('content-disposition', `attachment; filename="${params.sha256.slice(0, 12)}"`);
      }
      return bytes;
    },
  );
}
