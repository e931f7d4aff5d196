import fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { ZodError } from 'zod';
import { ERRORS, type Problem, QianliyanError } from '../contracts/index.ts';
import type { Log } from './log.ts';
import { problemsOf } from './validation.ts';

/**
 * The product's one HTTP server: routes come as fastify plugins of the stages, `cli/` registers them.
 *
 * Promises: every error has the same shape, `{error: {code, message, problems}}`; what is not ours never shows its
 * inside; bodies are bounded; every answer carries the security headers. Sessions and rights are the routes' own.
 */

export interface HttpServerOptions {
  log: Log;
  host: string;
  /** 0 = any free port: see the address that `listen` returns. */
  port: number;
  /** Setting to name when the port is taken, e.g. `console.port`. */
  portSetting: string;
  /** Believe X-Forwarded-For and -Proto: only behind a proxy of one's own. Default false. */
  trustProxy?: boolean;
  /** Largest request body in bytes. Default 1 MiB; a route may set its own. */
  bodyLimit?: number;
}

export interface HttpServer {
  readonly app: FastifyInstance;
  /** @throws QianliyanError PORT_IN_USE */
  listen(): Promise<{ host: string; port: number; url: string }>;
  /** Also ends open event streams. */
  close(): Promise<void>;
}

/** The console is served from here and needs nothing from elsewhere; the map's worker and pictures are blobs. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'self'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self' blob:",
  "object-src 'none'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

const SECURITY_HEADERS = {
  'content-security-policy': CONTENT_SECURITY_POLICY,
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), microphone=(), geolocation=()',
};

export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { log, host, port, portSetting } = options;
  const app: FastifyInstance = fastify({
    trustProxy: options.trustProxy ?? false,
    bodyLimit: options.bodyLimit ?? 1_048_576,
    // An event stream never ends by itself; without this, close() would wait for it.
    forceCloseConnections: true,
    routerOptions: { maxParamLength: 256 },
  });
  app.addHook('onRequest', async (_request, reply) => {
    reply.headers(SECURITY_HEADERS);
  });
  app.setErrorHandler((error, request, reply) => answerError(error, request, reply, log));
  app.setNotFoundHandler((request, reply) =>
    answerError(new QianliyanError('NOT_FOUND', `${request.method} ${pathOf(request)}`), request, reply, log),
  );
  // Alive: the process answers. Whether it is of use is /readyz, which knows the stages and is wired by cli/.
  app.get('/healthz', () => ({ status: 'ok' }));

  return {
    app,
    listen: () => listen(app, host, port, portSetting),
    close: () => app.close(),
  };
}

async function listen(app: FastifyInstance, host: string, port: number, setting: string) {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw explainListenError(error, 'the HTTP server', `${host}:${port}`, setting);
  }
  const address = app.server.address();
  const bound = typeof address === 'object' && address !== null ? address.port : port;
  const shown = host === '0.0.0.0' || host === '::' ? 'localhost' : host;
  return { host, port: bound, url: `http://${shown.includes(':') ? `[${shown}]` : shown}:${bound}` };
}

/**
 * Turns the error of any `listen` into one that says what to change.
 * @param what who wanted the port, e.g. `the MQTT broker`
 * @param setting the setting that names the port, e.g. `mqtt.port`
 */
export function explainListenError(error: unknown, what: string, hostPort: string, setting: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    EADDRINUSE: 'another program has it',
    EACCES: 'this user may not open it (ports below 1024 are reserved)',
    EADDRNOTAVAIL: 'this machine does not have that address',
  };
  const reason = reasons[code ?? ''];
  if (reason === undefined) return error;
  const detail = `${what} cannot listen on ${hostPort}: ${reason}; set ${setting} to a free one`;
  const problems = [
    { path: setting, found: hostPort, allowed: 'an address of this machine with a free port' },
  ];
  return new QianliyanError('PORT_IN_USE', detail, { problems, cause: error });
}

function answerError(error: unknown, request: FastifyRequest, reply: FastifyReply, log: Log) {
  const { status, body } = errorAnswer(error);
  if (status >= 500)
    log.error({ err: error, method: request.method, path: pathOf(request) }, 'request failed');
  return reply.code(status).type('application/json; charset=utf-8').send(body);
}

export interface ErrorBody {
  error: { code: string; message: string; problems: readonly Problem[] };
}

/** Status and body of any error. Only errors thrown on purpose say what happened; others stay in the log. */
export function errorAnswer(error: unknown): { status: number; body: ErrorBody } {
  const known = asQianliyanError(error);
  const { status } = ERRORS[known.code];
  const body = { error: { code: known.code, message: known.message, problems: known.problems } };
  // fastify knows finer statuses for its own refusals, such as 413 and 415.
  return { status: frameworkStatus(error) ?? status, body };
}

function asQianliyanError(error: unknown): QianliyanError {
  if (error instanceof QianliyanError) return error;
  if (error instanceof ZodError) {
    return new QianliyanError('REQUEST_INVALID', 'see problems', { problems: problemsOf(error, undefined) });
  }
  const status = frameworkStatus(error);
  if (status === 429) return new QianliyanError('TOO_MANY_REQUESTS', 'slow down');
  if (status !== undefined) return new QianliyanError('REQUEST_INVALID', (error as Error).message);
  return new QianliyanError('INTERNAL', 'see the log of the server', { cause: error });
}

/** The status of fastify's own 4xx errors (body too large, not JSON, unknown media type …). */
function frameworkStatus(error: unknown): number | undefined {
  const { statusCode, code } = error as Partial<FastifyError>;
  const ours = typeof code === 'string' && code.startsWith('FST_');
  return ours && statusCode !== undefined && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}

/** Without the query, which may hold a token. */
function pathOf(request: FastifyRequest): string {
  return request.url.split('?')[0] ?? '';
}
