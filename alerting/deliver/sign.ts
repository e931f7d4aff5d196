import { createHmac } from 'node:crypto';

/**
 * Headers of Standard Webhooks (https://www.standardwebhooks.com): HMAC-SHA256 over `id.timestamp.body` with the secret
 * that stands as Base64 behind `whsec_`. The timestamp is wall-clock seconds, so that a receiver can refuse old copies.
 */
export function signatureHeaders(
  secret: string,
  message: { id: string; timestampS: number; body: string },
): Record<string, string> {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const { id, timestampS, body } = message;
  const signature = createHmac('sha256', key).update(`${id}.${timestampS}.${body}`).digest('base64');
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': `v1,${signature}`,
  };
}
