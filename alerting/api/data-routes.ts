import type { FastifyInstance } from 'fastify';
import type { Catalog } from '../../backbone/catalog.ts';
import type { DeviceDirectory, Series } from '../../backbone/index.ts';
import { parseDatastreamId, QianliyanError } from '../../contracts/index.ts';
import type { EventStream } from './event-stream.ts';
import type { OpenApi } from './openapi.ts';
import { addRoute } from './route.ts';
import * as s from './schemas.ts';

export interface DataRouteParts {
  series: Series;
  catalog: Catalog;
  directory: DeviceDirectory;
  counts: () => Promise<s.Counts>;
  stream: EventStream;
  openApi: OpenApi;
}

/** Readings, catalog, counts, the event stream, and the document of all this. */
export function dataRoutes(app: FastifyInstance, parts: DataRouteParts): void {
  const { catalog, counts, stream, openApi } = parts;
  addRoute(
    app,
    { method: 'GET', url: '/api/counts', summary: 'Counts of the whole way', answer: s.Counts },
    () => counts(),
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/events',
      summary: 'Events alert, draft-case, lead, counts; Last-Event-ID resumes; reset = read everything anew',
      answer: null,
      mediaType: 'text/event-stream',
    },
    ({ request, reply }) => stream.serve(request, reply),
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/series',
      summary: 'Readings of a datastream, from ≤ time < to, oldest first',
      query: s.SeriesQuery,
      answer: s.SeriesAnswer,
    },
    ({ query }) => readings(parts, query),
  );
  addRoute(
    app,
    { method: 'GET', url: '/api/catalog', summary: 'The catalog', answer: s.CatalogAnswer },
    () => ({
      matters: [...catalog.matters.values()],
      units: [...catalog.units.values()],
      areas: catalog.areas,
      limits: catalog.limits,
      assignments: catalog.assignments,
      version: catalog.version,
    }),
  );
  app.get('/api/openapi.json', () => openApi.document());
}

interface SeriesAsked {
  datastream: string;
  from: number;
  to: number;
  limit: number;
}

async function readings({ series, directory }: DataRouteParts, query: SeriesAsked) {
  const { device: id, property, statistic } = partsOf(query.datastream);
  const device = directory.get(id);
  const declared = device?.datastreams.find((d) => d.property === property && d.statistic === statistic);
  const points = await series.range(query);
  if (declared === undefined && points.length === 0) {
    throw new QianliyanError('NOT_FOUND', `no datastream ${query.datastream}`);
  }
  return {
    datastream: query.datastream,
    unit: declared?.unit ?? null,
    points: points.map(({ time, value, quality, source }) => ({
      time,
      value,
      quality,
      ...(source !== undefined && { source }),
    })),
  };
}

function partsOf(datastream: string) {
  try {
    return parseDatastreamId(datastream);
  } catch (cause) {
    const problems = [
      { path: 'query.datastream', found: datastream, allowed: '<device>/<property>[@<statistic>]' },
    ];
    throw new QianliyanError('REQUEST_INVALID', 'datastream', { problems, cause });
  }
}
