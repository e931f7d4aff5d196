import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyPluginAsync } from 'fastify';
import { QianliyanError } from '../../contracts/index.ts';

/**
 * Serves the built console. Files below `assets/` carry a hash in their name and may be kept for ever; `index.html` is
 * asked for anew each time. An address that is no file is a place inside the console and gets `index.html`; a missing
 * file, and anything below /api, stays a 404.
 * @param root folder of the built console; when it is not there, `/` says how to build it
 */
export function consoleFiles(root: string): FastifyPluginAsync {
  return async (app) => {
    if (!existsSync(join(root, 'index.html'))) {
      app.get('/', (_request, reply) =>
        reply.type('text/plain; charset=utf-8').send('The console is not built: npm run build\n'),
      );
      return;
    }
    await app.register(fastifyStatic, {
      root,
      wildcard: false,
      serve: false,
      cacheControl: false,
      setHeaders: (response, path) => {
        const forEver = path.startsWith(join(root, 'assets'));
        response.setHeader('cache-control', forEver ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    });
    app.get('/*', (request, reply) => {
      const { '*': path } = request.params as { '*': string };
      if (path === 'api' || path.startsWith('api/')) throw new QianliyanError('NOT_FOUND', `GET /${path}`);
      const isFile = basename(path).includes('.');
      return reply.sendFile(isFile ? path : 'index.html');
    });
  };
}
