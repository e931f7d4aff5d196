/**
 * YOLO v8 and v11, anchor-free and without objectness: [1, 4 + classes, columns] = centre x, centre y, width, height in
 * input pixels, class scores after the sigmoid; one column a candidate.
 */

import { z } from 'zod';
import { bestClass, type Decoder, type RawDetection, single } from './decoder.ts';

export const Yolov8Options = z.strictObject({
  format: z.literal('yolov8'),
  columns: z.number().int().positive().describe('Number of candidate boxes: the last axis of the output'),
});
type Options = z.output<typeof Yolov8Options>;

export const yolov8: Decoder<Options> = {
  needsNms: true,
  shapes: ({ columns }, { classCount }) => [[1, 4 + classCount, columns]],
  decode(outputs, { columns }, { classCount, minScore }) {
    const { data } = single(outputs);
    const found: RawDetection[] = [];
    for (let i = 0; i < columns; i++) {
      const best = bestClass(data, 4 * columns + i, classCount, columns);
      if (!(best.score >= minScore)) continue;
      const value = (axis: number) => data[axis * columns + i] ?? 0;
      found.push({
        classIndex: best.index,
        score: best.score,
        cx: value(0),
        cy: value(1),
        width: value(2),
        height: value(3),
      });
    }
    return found;
  },
};
