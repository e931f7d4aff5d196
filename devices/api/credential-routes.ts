import type { FastifyInstance } from 'fastify';
import { addRoute } from '../../backbone/route.ts';
import type { Registry } from '../registry/registry.ts';
import { authorOf, there } from './asked.ts';
import * as s from './schemas.ts';

/** How devices prove who they are. What is secret goes in here and never comes out, but for a password that was just made up. */
export function credentialRoutes(app: FastifyInstance, registry: Registry): void {
  addRoute(
    app,
    {
      method: 'POST',
      url: '/api/devices/:id/password',
      summary: 'Sets a password, or makes one up and shows it this once; open sessions end',
      params: s.DeviceId,
      body: s.PasswordBody,
      answer: s.PasswordAnswer,
    },
    async ({ params: { id }, body, request }) => ({
      device: id,
      password: await registry.setPassword(id, body.password, authorOf(request)),
    }),
  );
  addRoute(
    app,
    {
      method: 'DELETE',
      url: '/api/devices/:id/password',
      summary: 'The device may no longer sign in by password; open sessions end',
      params: s.DeviceId,
      answer: null,
    },
    ({ params: { id }, request }) => registry.removePassword(id, authorOf(request)),
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/devices/:id/certificates',
      summary: 'Client certificates on record, revoked ones too',
      params: s.DeviceId,
      answer: s.CertificatesAnswer,
    },
    ({ params: { id } }) => {
      there(registry.get(id), id);
      return { items: registry.certificates(id) };
    },
  );
  addRoute(
    app,
    {
      method: 'POST',
      url: '/api/devices/:id/certificates',
      summary: 'Puts a client certificate on record; from then on only those on record let this device in',
      params: s.DeviceId,
      body: s.CertificateBody,
      answer: s.CertificateAnswer,
      status: 201,
    },
    ({ params: { id }, body, request }) => registry.addCertificate(id, body, authorOf(request)),
  );
  addRoute(
    app,
    {
      method: 'DELETE',
      url: '/api/devices/:id/certificates/:fingerprint',
      summary: 'Revokes a certificate for ever, registered before or not; open sessions of the device end',
      params: s.CertificateParams,
      answer: null,
    },
    ({ params: { id, fingerprint }, request }) =>
      registry.revokeCertificate(id, fingerprint, authorOf(request)),
  );
  addRoute(
    app,
    {
      method: 'GET',
      url: '/api/devices/:id/secrets',
      summary: 'Names of the secrets that codecs and gateways use for this device',
      params: s.DeviceId,
      answer: s.SecretsAnswer,
    },
    ({ params: { id } }) => {
      there(registry.get(id), id);
      return { items: registry.secretNames(id) };
    },
  );
  addRoute(
    app,
    {
      method: 'PUT',
      url: '/api/devices/:id/secrets/:name',
      summary: 'Sets a secret, such as hj212-sm4 or hj212-password',
      params: s.SecretParams,
      body: s.SecretBody,
      answer: null,
    },
    ({ params: { id, name }, body, request }) =>
      registry.setSecret(id, name, Buffer.from(body.value, body.encoding), authorOf(request)),
  );
  addRoute(
    app,
    {
      method: 'DELETE',
      url: '/api/devices/:id/secrets/:name',
      summary: 'Takes a secret away',
      params: s.SecretParams,
      answer: null,
    },
    ({ params: { id, name }, request }) => registry.setSecret(id, name, null, authorOf(request)),
  );
}
