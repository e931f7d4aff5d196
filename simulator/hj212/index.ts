/**
 * A monitor that speaks HJ 212, written from the standard and not from the product: framing, checksum and dialogue of its
 * own (see tests/foreign/ for a second one, in another language).
 *
 *   values ─▶ realtime, minute and hour data ─▶ frame ══TCP══▶ gateway
 *   state  ◀─ 1012, 1062, 2012 … ─ replies ◀── 9014 / requests ══┘
 */
export * from './frame.ts';
export * from './monitor.ts';
export * from './replies.ts';
export * from './values.ts';
