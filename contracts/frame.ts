import { z } from 'zod';
import { EpochMs, Id, Sha256 } from './primitives.ts';

/** A picture from a camera at a time; the bytes lie untouched in the blob store. One record of the `frames` topic. */
export const Frame = z.strictObject({
  type: z.literal('frame'),
  camera: Id,
  /** When the camera took it. */
  time: EpochMs,
  receivedAt: EpochMs,
  /** SHA-256 of the original bytes = their name in the blob store. */
  blob: Sha256,
  mediaType: z.enum(['image/jpeg', 'image/png', 'image/webp']),
  /** Pixels of the upright image. */
  width: z.number().int().positive(),
  height: z.number().int().positive(),
  bytes: z.number().int().positive(),
});
export type Frame = z.infer<typeof Frame>;

/** A box in pixels of the upright image: left, top, width, height. */
export const Box = z.tuple([z.number(), z.number(), z.number(), z.number()]);
export type Box = z.infer<typeof Box>;

/** What an image model saw in a frame. */
export const Detection = z.strictObject({
  class: z.string(),
  /** 0 to 1. */
  score: z.number().min(0).max(1),
  box: Box,
  /** Number of the track it belongs to, once it has one. */
  track: z.number().int().optional(),
});
export type Detection = z.infer<typeof Detection>;
