import { constants, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { explainListenError } from '../../backbone/http.ts';
import { QianliyanError } from '../../contracts/index.ts';
import type { BrokerConfig } from '../config.ts';

/** Opens the broker's port, with TLS if configured. Rejects with PORT_IN_USE or CONFIG_INVALID, naming the setting. */
export async function listen(config: BrokerConfig, onConnection: (socket: Socket) => void): Promise<Server> {
  const server = await createListener(config, onConnection);
  server.maxConnections = config.maxConnections;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: unknown) =>
      reject(explainListenError(error, 'the MQTT broker', `${config.host}:${config.port}`, 'mqtt.port')),
    );
    server.listen({ host: config.host, port: config.port, backlog: 1_024 }, resolve);
  });
  return server;
}

async function createListener(config: BrokerConfig, onConnection: (socket: Socket) => void): Promise<Server> {
  if (config.tls === null) return createServer({ noDelay: true }, onConnection);
  const { certFile, keyFile, clientCaFile } = config.tls;
  // One after the other: when both are missing, it is always the same one that is named.
  const cert = await readPem(certFile, 'mqtt.tls.certFile');
  const key = await readPem(keyFile, 'mqtt.tls.keyFile');
  const ca = clientCaFile === null ? null : await readPem(clientCaFile, 'mqtt.tls.clientCaFile');
  if (ca !== null) requireCertificates(ca, clientCaFile);
  try {
    const options = {
      cert,
      key,
      noDelay: true,
      handshakeTimeout: HANDSHAKE_MS,
      ...(ca && askForCertificates(ca)),
    };
    return createTlsServer(options, onConnection);
  } catch (cause) {
    throw new QianliyanError('CONFIG_INVALID', `certificate and key of the broker do not fit: ${cause}`, {
      cause,
      problems: [{ path: 'mqtt.tls', found: certFile, allowed: 'a certificate and its own key, as PEM' }],
    });
  }
}

/** As long as a client has for its CONNECT. */
const HANDSHAKE_MS = 10_000;

/**
 * A wrong certificate is refused later, with a reason (client-certificate.ts). No session is resumed by ticket: then a
 * certificate would be believed that has ended since.
 */
function askForCertificates(ca: Buffer) {
  return { ca, requestCert: true, rejectUnauthorized: false, secureOptions: constants.SSL_OP_NO_TICKET };
}

/** TLS takes a file without a certificate in silence, and then trusts nobody. */
function requireCertificates(pem: Buffer, file: string | null): void {
  try {
    new X509Certificate(pem);
  } catch (cause) {
    throw new QianliyanError('CONFIG_INVALID', `mqtt.tls.clientCaFile: ${file} holds no certificate`, {
      cause,
      problems: [{ path: 'mqtt.tls.clientCaFile', found: file, allowed: 'a PEM file with certificates' }],
    });
  }
}

async function readPem(file: string, path: string): Promise<Buffer> {
  return readFile(file).catch((cause: unknown) => {
    throw new QianliyanError('CONFIG_INVALID', `${path}: ${file} cannot be read`, {
      cause,
      problems: [{ path, found: file, allowed: 'a PEM file that can be read' }],
    });
  });
}
