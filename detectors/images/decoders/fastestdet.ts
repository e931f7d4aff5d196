/**
 * FastestDet (dog-qiuqiu): one box a cell of a single grid, [1, 5 + classes, rows, columns] = objectness, tanh⁻¹ of the
 * shift of the centre in cells, sigmoid⁻¹ of width and height as shares of the input, class scores.
 * Score = objectness^0.6 × class^0.4. Source: its `utils/tool.py`, `handle_preds`.
 */

import { z } from 'zod';
import { bestClass, type Decoder, type RawDetection, single } from './decoder.ts';

export const FastestdetOptions = z.strictObject({
  format: z.literal('fastestdet'),
  stride: z.number().int().positive().default(16).describe('Pixels of a cell'),
});
type Options = z.output<typeof FastestdetOptions>;

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

export const fastestdet: Decoder<Options> = {
  needsNms: true,
  shapes: ({ stride }, { width, height, classCount }) => [
    [1, 5 + classCount, Math.floor(height / stride), Math.floor(width / stride)],
  ],
  decode(outputs, { stride }, { width, height, classCount, minScore }) {
    const { data } = single(outputs);
    const [columns, rows] = [Math.floor(width / stride), Math.floor(height / stride)];
    const plane = columns * rows;
    const found: RawDetection[] = [];
    for (let i = 0; i < plane; i++) {
      const best = bestClass(data, 5 * plane + i, classCount, plane);
      const score = Math.max(0, data[i] ?? 0) ** 0.6 * Math.max(0, best.score) ** 0.4;
      if (!(score >= minScore)) continue;
      const value = (axis: number) => data[axis * plane + i] ?? 0;
      found.push({
        classIndex: best.index,
        score,
        cx: ((i % columns) + Math.tanh(value(1))) * stride,
        cy: (Math.floor(i / columns) + Math.tanh(value(2))) * stride,
        width: sigmoid(value(3)) * width,
        height: sigmoid(value(4)) * height,
      });
    }
    return found;
  },
};
