/**
 * An MQTT broker that is not ours (Mosquitto, EMQX …), read as one of its clients; several processes may share it.
 *
 *   broker ──bytes──▶ TappedSocket ─┬─ PUBLISH ──▶ PublishTap ──▶ accept() ──▶ durable ──▶ PUBACK (in order, many at a time)
 *                                   └─ all else ─▶ mqtt.js: CONNECT, SUBSCRIBE, PING, reconnecting
 */
export { ExternalBrokerConfig } from './config.ts';
export { type ExternalBroker, type ExternalBrokerDeps, startExternalBroker } from './source.ts';
