/**
 * What a model folder says of its `model.onnx`: all that is needed to run it without knowing it. Strict: a misspelt key
 * is refused, and what the file claims (hash, shapes, class count) is held against the file itself when it is loaded.
 */

import { z } from 'zod';
import { BiText, Sha256 } from '../../../contracts/index.ts';
import { OutputFormat } from '../decoders/index.ts';

const Side = z.number().int().min(16).max(4096);
const PerChannel = z.tuple([z.number(), z.number(), z.number()]);

export const ModelInput = z.strictObject({
  name: z.string().min(1).describe('Name of the input tensor'),
  width: Side.describe('Pixels'),
  height: Side.describe('Pixels'),
  layout: z.enum(['nchw', 'nhwc']).default('nchw').describe('Order of the axes; the batch is always 1'),
  colours: z.enum(['rgb', 'bgr']).describe('Order of the channels'),
  fit: z
    .enum(['letterbox-top-left', 'letterbox-centre', 'stretch'])
    .describe('How a picture of another shape is brought to the size'),
  pad: z.number().int().min(0).max(255).default(114).describe('Grey level of what a letterbox leaves free'),
  scale: z.number().positive().default(1).describe('Pixel values 0 to 255 are multiplied by this first …'),
  mean: PerChannel.default([0, 0, 0]).describe('… then this is taken off, in the order of `colours` …'),
  std: PerChannel.default([1, 1, 1]).describe('… and the rest is divided by this'),
});
export type ModelInput = z.output<typeof ModelInput>;

/** How well it did, on what, at which threshold: what may be claimed, and no more. */
const Quality = z.strictObject({
  on: z.string().describe('The pictures it was measured on, and how many'),
  iou: z.number().min(0).max(1).default(0.5),
  minScore: z.number().min(0).max(1),
  classes: z.record(
    z.string(),
    z.strictObject({
      truths: z.number().int().nonnegative(),
      precision: z.number().min(0).max(1),
      recall: z.number().min(0).max(1),
    }),
  ),
});

export const Manifest = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'lower case letters, digits and - only'),
  version: z.string().min(1),
  task: z.enum(['detection']),
  file: z
    .string()
    .regex(/^[\w.-]+\.onnx$/, 'a file name that ends in .onnx')
    .default('model.onnx'),
  sha256: Sha256.describe('Of the file'),
  licence: z.string().min(1).describe('SPDX identifier'),
  origin: z.strictObject({
    source: z.string().min(1).describe('Where it comes from: address, or how it was made'),
    trainedOn: z.string().min(1),
  }),
  trust: BiText.describe('Where its results may be trusted, in plain words'),
  input: ModelInput,
  output: OutputFormat,
  classes: z.array(z.string().min(1)).min(1).max(10_000).describe('In the order of the output'),
  minScore: z.number().min(0.001).max(1).default(0.3).describe('What scores less is not reported'),
  nmsIou: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('Boxes of one class that overlap more are one thing'),
  eitherOr: z
    .array(z.array(z.string()).min(2))
    .default([])
    .describe('Classes of which one thing can be only one: their boxes thin each other out too'),
  quality: z.array(Quality).default([]),
});
export type Manifest = z.output<typeof Manifest>;
