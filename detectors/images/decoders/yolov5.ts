/**
 * YOLO v5 and v7 with the grid already decoded in the graph (export with `--grid` / default of v5): [1, rows, 5 +
 * classes] = centre x, centre y, width, height in input pixels, objectness, class scores; score = objectness × class.
 */

import { z } from 'zod';
import { bestClass, type Decoder, type RawDetection, single } from './decoder.ts';

export const Yolov5Options = z.strictObject({
  format: z.literal('yolov5'),
  rows: z.number().int().positive().describe('Number of candidate boxes: the middle axis of the output'),
});
type Options = z.output<typeof Yolov5Options>;

export const yolov5: Decoder<Options> = {
  needsNms: true,
  shapes: ({ rows }, { classCount }) => [[1, rows, 5 + classCount]],
  decode(outputs, { rows }, { classCount, minScore }) {
    const { data } = single(outputs);
    const found: RawDetection[] = [];
    for (let at = 0; at < rows * (5 + classCount); at += 5 + classCount) {
      const objectness = data[at + 4] ?? 0;
      if (objectness < minScore) continue;
      const best = bestClass(data, at + 5, classCount);
      const score = objectness * best.score;
      if (!(score >= minScore)) continue;
      const [cx = 0, cy = 0, width = 0, height = 0] = data.subarray(at, at + 4);
      found.push({ classIndex: best.index, score, cx, cy, width, height });
    }
    return found;
  },
};
