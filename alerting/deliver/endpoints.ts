import { readFileSync } from 'node:fs';
import { type Problem, QianliyanError } from '../../contracts/index.ts';
import type { AlertingConfig, Endpoint } from '../config.ts';

/** Where a unit's leads go, with the secret at hand. */
export interface Receiver {
  url: string;
  secret: string;
}

const SECRET = /^whsec_[A-Za-z0-9+/]{32,}={0,2}$/;

/**
 * Reads all endpoints with their secrets, once, at the start. Only these addresses are ever called.
 * @throws QianliyanError CONFIG_INVALID with every secret that is missing or malformed; secrets themselves are not shown
 */
export function openEndpoints(config: AlertingConfig['deliver']): (unit: string) => Receiver | null {
  const problems: Problem[] = [];
  const open = (path: string, endpoint: Endpoint): Receiver => {
    const secret = secretOf(endpoint);
    if (secret === null || !SECRET.test(secret)) {
      const found = secret === null ? 'nothing' : 'something else';
      problems.push({ path, found, allowed: 'whsec_ and at least 24 bytes in Base64' });
    }
    return { url: endpoint.url, secret: secret ?? '' };
  };
  const named = new Map(
    Object.entries(config.endpoints).map(([unit, e]) => [
      unit,
      open(`alerting.deliver.endpoints.${unit}`, e),
    ]),
  );
  const fallback = config.fallback === null ? null : open('alerting.deliver.fallback', config.fallback);
  if (problems.length > 0)
    throw new QianliyanError('CONFIG_INVALID', 'secrets of case systems', { problems });
  return (unit) => named.get(unit) ?? fallback;
}

function secretOf({ secret, secretFile, secretEnv }: Endpoint): string | null {
  if (secret !== undefined) return secret;
  if (secretEnv !== undefined) return process.env[secretEnv]?.trim() ?? null;
  try {
    return readFileSync(secretFile ?? '', 'utf8').trim();
  } catch {
    return null;
  }
}
