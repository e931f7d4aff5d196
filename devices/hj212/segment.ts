import { type CpContent, parseCp } from './cp.ts';
import { cpRange, type Hj212Head, headOf } from './head.ts';
import { wireText } from './text.ts';

/**
 * Takes the data segment of a frame apart: `QN=..;ST=..;CN=..;PW=..;MN=..;Flag=..;[PNUM=..;PNO=..;][RF=1;]CP=&&...&&`.
 */
export type Hj212Segment = Hj212Head & CpContent;

/** @throws SegmentFault with the code and byte position of the first thing that is wrong. */
export function parseSegment(bytes: Uint8Array): Hj212Segment {
  const wire = wireText(bytes);
  const { from, to } = cpRange(wire.latin1);
  const content = parseCp(wire, { text: wire.latin1.slice(from, to), at: from });
  const flag = content.items.find((item) => item.code === 'Flag' && item.field === null)?.value ?? null;
  return { ...headOf(wire, { from, to }, { flag, dataTime: content.dataTime }), ...content };
}
