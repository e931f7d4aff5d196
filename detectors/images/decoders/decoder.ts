/**
 * The shape of every decoder: from output tensors to boxes. A pure function of tensors and options; one file a format.
 * To add one: write the file, register it in index.ts. Pre-processing, letterbox, NMS and class names are not its matter.
 */

/** One output of the model, as onnxruntime gives it. */
export interface OutputTensor {
  dims: readonly number[];
  data: Float32Array;
}

/** What a decoder knows of the model. */
export interface DecodeContext {
  /** Pixels of the model's input. */
  width: number;
  height: number;
  classCount: number;
  /** What scores less is left out, as early as possible. */
  minScore: number;
}

/** A box in pixels of the model's input, centre and size; may reach beyond it. */
export interface RawDetection {
  classIndex: number;
  score: number;
  cx: number;
  cy: number;
  width: number;
  height: number;
}

/** `O`: the format's options in the manifest, a strict zod object beside the decoder. */
export interface Decoder<O extends { format: string }> {
  /** True when the boxes overlap and have to be thinned out by NMS. */
  readonly needsNms: boolean;
  /** Shapes that the outputs must have, for the check at load; in the order of the model's outputs. */
  shapes(options: O, context: Omit<DecodeContext, 'minScore'>): number[][];
  decode(outputs: readonly OutputTensor[], options: O, context: DecodeContext): RawDetection[];
}

/** The only output of a model that has one. */
export function single(outputs: readonly OutputTensor[]): OutputTensor {
  const [first] = outputs;
  if (!first) throw new RangeError('the model gave no output');
  return first;
}

/** The best of `count` class scores that lie `step` apart from `from` on. */
export function bestClass(
  data: Float32Array,
  from: number,
  count: number,
  step = 1,
): { index: number; score: number } {
  let index = 0;
  let score = data[from] ?? 0;
  for (let i = 1; i < count; i++) {
    const value = data[from + i * step] ?? 0;
    if (value > score) [index, score] = [i, value];
  }
  return { index, score };
}
