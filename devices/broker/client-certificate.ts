import { TLSSocket } from 'node:tls';
import { type CertificateRefusal, commonName } from '../registry/certificates.ts';
import type { Registry } from '../registry/registry.ts';

/** What a client's certificate proves: a device, or why nothing. */
export type Proof =
  | { device: string }
  | CertificateRefusal
  | 'certificate-not-trusted'
  | 'certificate-expired';

/**
 * Looks at the certificate with which a client came. TLS has compared it with the configured authority and let it pass
 * either way, so that a refusal has its reason in the log and reaches the client as a CONNACK.
 *
 * @returns null when the client brought no certificate, or was not asked for one
 */
export function proofOf(socket: object, registry: Pick<Registry, 'certificateSignIn'>): Proof | null {
  if (!(socket instanceof TLSSocket)) return null;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  if (!socket.authorized) {
    const expired = String(socket.authorizationError) === 'CERT_HAS_EXPIRED';
    return expired ? 'certificate-expired' : 'certificate-not-trusted';
  }
  const fingerprint = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  return registry.certificateSignIn({ fingerprint, commonName: commonName(certificate.subject) });
}

/** The device that a certificate proves; undefined = it proves none. */
export function provenDevice(proof: Proof | null): string | undefined {
  return typeof proof === 'object' ? proof?.device : undefined;
}
