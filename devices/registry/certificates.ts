import { X509Certificate } from 'node:crypto';
import { QianliyanError } from '../../contracts/index.ts';

/**
 * Which client certificate is which device. That a certificate is signed by the configured authority and is in time, TLS
 * has checked before; here is the question whose it is.
 *
 *   its fingerprint is registered, not revoked         → that device
 *   not registered; its CN is a device without any
 *   registered or revoked certificate                  → the device named by CN
 *   all else                                           → refused, with the reason
 *
 * So a district may trust its authority (CN = device id, nothing to register), or pin each device: from the first
 * certificate on record on, only those on record count, and revoking one is final.
 */
export type CertificateRefusal =
  | 'certificate-revoked'
  | 'certificate-not-registered'
  | 'certificate-of-nobody';

export interface PeerCertificate {
  /** SHA-256, 64 lower-case hex digits. */
  fingerprint: string;
  commonName: string | null;
}

export interface KnownCertificate {
  fingerprint: string;
  device: string;
  subject: string;
  notAfter: number | null;
  revoked: boolean;
}

export function certificates() {
  /** By fingerprint. */
  const all = new Map<string, KnownCertificate>();
  /** Fingerprints on record, by device id. */
  const ofDevice = new Map<string, Set<string>>();

  return {
    set(certificate: KnownCertificate): void {
      ofDevice.get(all.get(certificate.fingerprint)?.device ?? '')?.delete(certificate.fingerprint);
      all.set(certificate.fingerprint, certificate);
      const own = ofDevice.get(certificate.device) ?? new Set();
      ofDevice.set(certificate.device, own.add(certificate.fingerprint));
    },
    list: (device: string): KnownCertificate[] =>
      [...(ofDevice.get(device) ?? [])].flatMap((fingerprint) => all.get(fingerprint) ?? []),
    get: (fingerprint: string): KnownCertificate | undefined => all.get(fingerprint),
    /** @param exists whether the registry has a device of this id */
    signIn(peer: PeerCertificate, exists: (id: string) => boolean): { device: string } | CertificateRefusal {
      const known = all.get(peer.fingerprint);
      if (known?.revoked === true) return 'certificate-revoked';
      if (known !== undefined) return { device: known.device };
      if (peer.commonName === null || !exists(peer.commonName)) return 'certificate-of-nobody';
      if ((ofDevice.get(peer.commonName)?.size ?? 0) > 0) return 'certificate-not-registered';
      return { device: peer.commonName };
    },
  };
}

/** What a person hands in: a certificate as PEM, or its SHA-256 fingerprint with or without colons. */
export function readCertificate(
  given: { certificate?: string | undefined; fingerprint?: string | undefined },
  now: number,
): Omit<KnownCertificate, 'device' | 'revoked'> {
  if (given.certificate === undefined) {
    return { fingerprint: normalFingerprint(given.fingerprint ?? ''), subject: '', notAfter: null };
  }
  const parsed = parsePem(given.certificate);
  const notAfter = Date.parse(parsed.validTo);
  if (notAfter <= now) throw refused('certificate', parsed.validTo, 'a certificate that is still valid');
  return { fingerprint: normalFingerprint(parsed.fingerprint256), subject: parsed.subject, notAfter };
}

/** @throws QianliyanError REQUEST_INVALID when it is none */
export function normalFingerprint(text: string): string {
  const hex = text.replaceAll(':', '').trim().toLowerCase();
  if (/^[0-9a-f]{64}$/.test(hex)) return hex;
  throw refused(
    'fingerprint',
    text,
    'SHA-256 as 64 hex digits, with or without colons (openssl x509 -fingerprint -sha256)',
  );
}

/** The first CN of a subject as Node writes it: one attribute a line. */
export function commonName(subject: string): string | null {
  return /^CN=(.*)$/m.exec(subject)?.[1] ?? null;
}

function parsePem(pem: string): X509Certificate {
  try {
    return new X509Certificate(pem);
  } catch (cause) {
    throw refused(
      'certificate',
      pem.slice(0, 40),
      'a certificate as PEM (-----BEGIN CERTIFICATE-----)',
      cause,
    );
  }
}

function refused(path: string, found: string, allowed: string, cause?: unknown): QianliyanError {
  const problems = [{ path, found, allowed }];
  return new QianliyanError('REQUEST_INVALID', `${path}: ${allowed}`, { problems, cause });
}
