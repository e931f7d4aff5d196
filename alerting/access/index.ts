/**
 * Who may.
 *
 *   request ─▶ cookie → session → account ─▶ forged? (Sec-Fetch-Site, Origin) ─▶ route × role (one table) ─▶ handler
 *                                                     └──────────── refused: audited, counted ◀──┘
 *
 * The first account is made through a one-time link that the product prints; there is no default password.
 */
import type { Problem } from '../../contracts/index.ts';
import { isLoopbackHost } from './same-origin.ts';

export { Accounts, NewAccount, Password } from './accounts.ts';
export { FirstSignIn } from './first-sign-in.ts';
export { addGuard, COOKIE, type GuardParts } from './guard.ts';
export { ACCESS, type Access, type Caller, Role, refusalFor } from './roles.ts';
export { Sessions } from './sessions.ts';

/** Free entry is for a person's own machine: what is wrong with `demoAccess` on a server that others can reach. */
export function demoAccessProblems(demoAccess: boolean, host: string): Problem[] {
  if (!demoAccess || isLoopbackHost(host)) return [];
  return [
    {
      path: 'alerting.demoAccess',
      found: `true, with the HTTP server on ${host}`,
      allowed: 'true only where the HTTP server listens on 127.0.0.1, ::1 or localhost',
    },
  ];
}
