import type { Logger } from 'pino';

/** Structured log of the product (pino): `log.warn({ device, reason }, 'message quarantined')`. */
export type Log = Logger;
