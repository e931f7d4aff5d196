import { createHash } from 'node:crypto';
import { chmodSync, existsSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ErrorBody } from '../backbone/http.ts';
import { ERRORS, type ErrorCode, QianliyanError } from '../contracts/index.ts';

/**
 * How a command asks the running product: a socket file beside the data, which only its owner may open. It is needed
 * because the series store belongs to one process. Questions, no secrets; `rerun` alone sets work going.
 */
export type Answers = Record<string, (argument: string) => Promise<unknown>>;

export async function startControl(dataFolder: string, answers: Answers): Promise<{ stop(): Promise<void> }> {
  // Loaded here, so that a command that only asks need not wait for a server's code.
  const [{ default: fastify }, { errorAnswer }] = await Promise.all([
    import('fastify'),
    import('../backbone/http.ts'),
  ]);
  const path = socketPath(dataFolder);
  rmSync(path, { force: true });
  const app = fastify({ forceCloseConnections: true });
  app.setErrorHandler((error, _request, reply) => {
    const { status, body } = errorAnswer(error);
    return reply.status(status).send(body);
  });
  for (const [question, answer] of Object.entries(answers)) {
    app.get<{ Querystring: { of?: string } }>(`/${question}`, (req) => answer(req.query.of ?? ''));
  }
  await app.listen({ path });
  chmodSync(path, 0o600);
  return {
    async stop() {
      await app.close();
      rmSync(path, { force: true });
    },
  };
}

/** Asks the product that runs on a data folder; null when none runs there. */
export async function askRunning<T>(dataFolder: string, question: string, argument = ''): Promise<T | null> {
  const path = socketPath(dataFolder);
  if (!existsSync(path)) return null;
  const answer = await get(path, `/${question}?of=${encodeURIComponent(argument)}`);
  if (answer === null) return null;
  const body: unknown = JSON.parse(answer.text);
  if (answer.status === 200) return body as T;
  const { code, message, problems } = (body as ErrorBody).error;
  const known = code in ERRORS ? (code as ErrorCode) : 'INTERNAL';
  // The sentence comes with the code's own words before it; they are put there again.
  throw new QianliyanError(known, message.replace(`${ERRORS[known].message}: `, ''), { problems });
}

function get(socket: string, path: string): Promise<{ status: number; text: string } | null> {
  return new Promise((resolve, reject) => {
    const req = request({ socketPath: socket, path }, (res) => {
      const chunks: Buffer[] = [];
      res.on('data', (chunk: Buffer) => chunks.push(chunk));
      res.on('end', () =>
        resolve({ status: res.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }),
      );
      res.on('error', reject);
    });
    // A socket file that nobody listens on was left behind by kill -9.
    req.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? resolve(null) : reject(error),
    );
    req.end();
  });
}

/** Names of sockets are short (about 100 bytes): a deep data folder gets one among the temporary files. */
function socketPath(dataFolder: string): string {
  const beside = join(dataFolder, 'control.sock');
  if (Buffer.byteLength(beside) < 100) return beside;
  return join(
    tmpdir(),
    `qianliyan-${createHash('sha256').update(dataFolder).digest('hex').slice(0, 16)}.sock`,
  );
}
