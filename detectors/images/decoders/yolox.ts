/**
 * YOLOX (Megvii), as its own export script writes it: one row a cell, finest grid first, boxes still in the units of the
 * grid. [1, cells, 5 + classes] = dx, dy, log w, log h, objectness, class scores; score = objectness × class.
 * Source: YOLOX `demo_postprocess`.
 */

import { z } from 'zod';
import { bestClass, type Decoder, type RawDetection, single } from './decoder.ts';

export const YoloxOptions = z.strictObject({
  format: z.literal('yolox'),
  strides: z
    .array(z.number().int().positive())
    .min(1)
    .default([8, 16, 32])
    .describe('Pixels of a cell, finest first'),
});
type Options = z.output<typeof YoloxOptions>;

export const yolox: Decoder<Options> = {
  needsNms: true,
  shapes: ({ strides }, { width, height, classCount }) => [
    [1, strides.reduce((n, s) => n + Math.floor(width / s) * Math.floor(height / s), 0), 5 + classCount],
  ],
  decode(outputs, { strides }, { width, height, classCount, minScore }) {
    const { data } = single(outputs);
    const found: RawDetection[] = [];
    const row = 5 + classCount;
    let at = 0;
    for (const stride of strides) {
      const [columns, rows] = [Math.floor(width / stride), Math.floor(height / stride)];
      for (let cell = 0; cell < columns * rows; cell++, at += row) {
        const objectness = data[at + 4] ?? 0;
        if (objectness < minScore) continue;
        const best = bestClass(data, at + 5, classCount);
        const score = objectness * best.score;
        if (!(score >= minScore)) continue;
        found.push({
          classIndex: best.index,
          score,
          cx: ((data[at] ?? 0) + (cell % columns)) * stride,
          cy: ((data[at + 1] ?? 0) + Math.floor(cell / columns)) * stride,
          width: Math.exp(data[at + 2] ?? 0) * stride,
          height: Math.exp(data[at + 3] ?? 0) * stride,
        });
      }
    }
    return found;
  },
};
