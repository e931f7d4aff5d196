/**
 * The words that pass between stages. A stage knows the words that reach it, never the stage before.
 *
 *   device ─message▶ ingest ─Observation, Frame, Tick▶ detectors ─Finding▶ alerting ─Alert▶ DraftCase ─Lead▶ case system
 *
 * Times are epoch milliseconds here and RFC 3339 on the wire; units follow UCUM; coordinates are WGS 84 [lon, lat].
 */
export * from './alert.ts';
export * from './catalog.ts';
export * from './device.ts';
export * from './draft-case.ts';
export * from './errors.ts';
export * from './finding.ts';
export * from './frame.ts';
export * from './lead.ts';
export * from './native-payload.ts';
export * from './observation.ts';
export * from './primitives.ts';
export * from './quarantine.ts';
export * from './topics.ts';
