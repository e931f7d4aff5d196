import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { parse } from '../../backbone/validation.ts';
import { Id, QianliyanError } from '../../contracts/index.ts';
import { COOKIE, type FirstSignIn, Password, type Sessions } from '../access/index.ts';

/** What the page behind the one-time link sends. */
const FirstAccount = z
  .strictObject({ token: z.string().max(100), user: Id, password: Password, again: z.string().max(256) })
  .refine((form) => form.password === form.again, { error: 'the same password twice', path: ['again'] });

export interface SignInParts {
  sessions: Sessions;
  firstSignIn: FirstSignIn;
  /** Cookies only over TLS. */
  secure: boolean;
}

export function setSessionCookie(reply: FastifyReply, token: string, maxAge: number, secure: boolean): void {
  reply.setCookie(COOKIE, token, { path: '/', httpOnly: true, sameSite: 'strict', secure, maxAge });
}

/** The page of the one-time link: a plain form, without scripts and styles, as the content security policy asks. */
export async function signInPages(app: FastifyInstance, { sessions, firstSignIn, secure }: SignInParts) {
  app.addContentTypeParser(
    'application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (_request, body, done) => done(null, Object.fromEntries(new URLSearchParams(String(body)))),
  );
  app.get('/sign-in', async (request, reply) => {
    const { token = '' } = request.query as { token?: string };
    if (!(await firstSignIn.isValid(String(token)))) return reply.redirect('/');
    return sendPage(reply, form(String(token), []));
  });
  app.post('/sign-in', async (request, reply) => {
    try {
      const { token, user, password } = parse(FirstAccount, request.body);
      await firstSignIn.use(token, { user, name: user, password }, request.ip);
      setSessionCookie(reply, await sessions.begin(user), sessions.longestS, secure);
      return reply.redirect('/', 303);
    } catch (error) {
      if (!(error instanceof QianliyanError) || error.code !== 'REQUEST_INVALID') throw error;
      const { token = '' } = (request.body ?? {}) as { token?: string };
      return sendPage(
        reply.code(400),
        form(
          String(token),
          error.problems.map((p) => `${p.path}: ${p.allowed}`),
        ),
      );
    }
  });
}

function sendPage(reply: FastifyReply, html: string) {
  // `no-referrer` would make the browser send `Origin: null` with the form, which looks forged.
  return reply
    .header('referrer-policy', 'same-origin')
    .header('cache-control', 'no-store')
    .type('text/html; charset=utf-8')
    .send(html);
}

function form(token: string, problems: readonly string[]): string {
  const list = problems.map((problem) => `<li>${escapeHtml(problem)}</li>`).join('');
  return `<!doctype html>
<html lang="zh-CN"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>千里眼 Qianliyan</title></head><body>
<h1>千里眼 Qianliyan</h1>
<p>创建第一个账号（拥有全部角色）。 Create the first account (with all roles).</p>
${list === '' ? '' : `<ul role="alert">${list}</ul>`}
<form method="post" action="/sign-in">
<input type="hidden" name="token" value="${escapeHtml(token)}">
<p><label>用户名 User <input name="user" autocomplete="username" required maxlength="64"></label></p>
<p><label>密码（至少12个字符） Password (at least 12 characters)
<input name="password" type="password" autocomplete="new-password" required minlength="12" maxlength="256"></label></p>
<p><label>再次输入 Again <input name="again" type="password" autocomplete="new-password" required></label></p>
<p><button>创建 Create</button></p>
</form></body></html>`;
}

function escapeHtml(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, (c) => entities[c] ?? c);
}
