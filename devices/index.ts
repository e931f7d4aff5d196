/**
 * Devices: who may speak, and what they say.
 *
 *   registry ◀── api, commands, import       device ══MQTT══▶ broker ──DeviceMessage──▶ (ingest)
 *      │ read only, in memory: DeviceDirectory            │ credentials, own topics, durable PUBACK
 *      └──▶ ingest, detectors, alerting                   └ sessions: connected, disconnected, lost
 *
 *   1 registry/   devices with all their versions, credentials, templates, lists, unknown devices; api/ over HTTP
 *   2 broker/     the embedded MQTT broker; external-broker/ reads others; hj212-gateway/ takes monitors over TCP
 *   3 codecs/     what payloads mean, one folder each; hj212/ is what the codec and the gateway share
 *   4 mqtt5/      MQTT 5 on both sides: clients at our broker, and the broker that we read
 *   5 topics.ts   which device a topic belongs to; message.ts and handover.ts: what every entrance hands on, and how
 */
export * from './api/index.ts';
export * from './broker/broker.ts';
export * from './commands.ts';
export * from './config.ts';
export * from './handover.ts';
export * from './hj212-gateway/index.ts';
export * from './message.ts';
export * from './registry/adopt.ts';
export * from './registry/registry.ts';
export { type DeviceTables, deviceMigrations } from './registry/tables.ts';
export * from './registry/unknown.ts';
