/**
 * What a draft case rests on, piece by piece, each under its SHA-256.
 *
 *   draft ─▶ findings/*.json   the recipes      ─┐
 *          ─▶ device.json       record at capture │
 *          ─▶ readings/*.csv    time ± context    ├▶ blob store ─▶ list with hashes ─▶ frozen with the confirmation
 *          ─▶ frames/*          originals, drawn  ─┘
 */
export { EvidenceArchive } from './archive.ts';
export type { DrawFrame, Evidence, EvidenceItem, EvidenceSources } from './collect.ts';
