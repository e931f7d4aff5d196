/**
 * Output formats that can be read, one file each, all of the shape in decoder.ts.
 *
 *   yolox       Megvii YOLOX; the detector that comes with the product
 *   yolov5      YOLO v5, v7: decoded boxes with objectness
 *   yolov8      YOLO v8, v11: decoded boxes, no objectness
 *   fastestdet  one box a cell of a single grid
 *
 * To add one: a file of the same shape, its options in the union, its line in `decoderFor`.
 */

import { z } from 'zod';
import type { DecodeContext, Decoder, OutputTensor, RawDetection } from './decoder.ts';
import { FastestdetOptions, fastestdet } from './fastestdet.ts';
import { Yolov5Options, yolov5 } from './yolov5.ts';
import { Yolov8Options, yolov8 } from './yolov8.ts';
import { YoloxOptions, yolox } from './yolox.ts';

export type { DecodeContext, OutputTensor, RawDetection } from './decoder.ts';

/** `output` of a manifest: the format and its own options. */
export const OutputFormat = z.discriminatedUnion('format', [
  YoloxOptions,
  Yolov5Options,
  Yolov8Options,
  FastestdetOptions,
]);
export type OutputFormat = z.output<typeof OutputFormat>;

/** A decoder with its options filled in. */
export interface BoundDecoder {
  readonly needsNms: boolean;
  shapes(context: Omit<DecodeContext, 'minScore'>): number[][];
  decode(outputs: readonly OutputTensor[], context: DecodeContext): RawDetection[];
}

export function decoderFor(output: OutputFormat): BoundDecoder {
  switch (output.format) {
    case 'yolox':
      return bind(yolox, output);
    case 'yolov5':
      return bind(yolov5, output);
    case 'yolov8':
      return bind(yolov8, output);
    case 'fastestdet':
      return bind(fastestdet, output);
  }
}

function bind<O extends { format: string }>(decoder: Decoder<O>, options: O): BoundDecoder {
  return {
    needsNms: decoder.needsNms,
    shapes: (context) => decoder.shapes(options, context),
    decode: (outputs, context) => decoder.decode(outputs, options, context),
  };
}
