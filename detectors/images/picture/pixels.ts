/**
 * From the bytes of a picture to the tensor of a model: decoded and resized once, upright, in sRGB, 8 bits a channel.
 *
 * Promises: whatever the bytes are, either a tensor or a named reason; never more than `MAX_PIXELS` are decoded; the
 * first frame of an animation is taken. Does not keep anything between calls.
 */

import sharp from 'sharp';
import type { ModelInput } from '../models/manifest.ts';
import { type Placement, placementOf } from './letterbox.ts';

/** Why a picture could not be looked at. Log, metric and API show this same word. */
export type PictureFault = 'not-a-picture' | 'picture-truncated' | 'picture-too-large' | 'picture-unreadable';

export class UnreadablePicture extends Error {
  readonly reason: PictureFault;

  constructor(reason: PictureFault, cause?: unknown) {
    super(`${reason}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.name = 'UnreadablePicture';
    this.reason = reason;
  }
}

/** 100 megapixels: more than any street camera has, and less than a decompression bomb. */
export const MAX_PIXELS = 100_000_000;

export interface PreparedPicture {
  /** Pixels of the upright picture. */
  width: number;
  height: number;
  placement: Placement;
  tensor: Float32Array;
}

export async function preparePicture(bytes: Uint8Array, input: ModelInput): Promise<PreparedPicture> {
  const { width, height } = await uprightSize(bytes);
  const placement = placementOf(input, width, height);
  const pixels = await open(bytes)
    .autoOrient()
    .flatten({ background: '#808080' })
    .resize(placement.width, placement.height, { fit: 'fill', kernel: 'linear' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch(refuse);
  return { width, height, placement, tensor: toTensor(pixels.data, pixels.info.channels, placement, input) };
}

/** Size after the EXIF orientation is applied; reads the head of the file only. */
export async function uprightSize(bytes: Uint8Array): Promise<{ width: number; height: number }> {
  // An async function, because sharp throws at once for an empty buffer.
  const { autoOrient } = await (async () => open(bytes).metadata())().catch(refuse);
  if (!(autoOrient.width > 0 && autoOrient.height > 0))
    throw new UnreadablePicture('picture-unreadable', 'it has no size');
  if (autoOrient.width * autoOrient.height > MAX_PIXELS)
    throw new UnreadablePicture('picture-too-large', `${autoOrient.width} × ${autoOrient.height}`);
  return autoOrient;
}

function open(bytes: Uint8Array) {
  // 'truncated': a picture that ends early is refused, one with an odd colour profile is not.
  return sharp(bytes, { failOn: 'truncated', limitInputPixels: MAX_PIXELS, pages: 1 });
}

function refuse(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error);
  if (/unsupported image format|buffer is empty/i.test(message))
    throw new UnreadablePicture('not-a-picture', error);
  if (
    /premature end|truncated|end of (file|stream|image)|not enough data|libspng read error|too few/i.test(
      message,
    )
  )
    throw new UnreadablePicture('picture-truncated', error);
  if (/pixel limit|too large|exceeds/i.test(message)) throw new UnreadablePicture('picture-too-large', error);
  throw new UnreadablePicture('picture-unreadable', error);
}

/** Channel order, padding, scale, mean and deviation as the manifest says. Exported for its test. */
export function toTensor(
  pixels: Uint8Array,
  channels: number,
  at: Placement,
  input: ModelInput,
): Float32Array {
  const plane = input.width * input.height;
  const [base, step] = input.layout === 'nchw' ? [plane, 1] : [1, 3];
  const tensor = new Float32Array(plane * 3);
  const [first, second, third] = [0, 1, 2].map((c) => levelsOf(input, c)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  if (at.width * at.height < plane) pad(tensor, input, base, step, [first, second, third]);
  // A picture in grey has one channel, which serves for all three.
  const [r, g, b] = channels < 3 ? [0, 0, 0] : input.colours === 'rgb' ? [0, 1, 2] : [2, 1, 0];
  for (let y = 0; y < at.height; y++) {
    let to = ((at.top + y) * input.width + at.left) * step;
    let from = y * at.width * channels;
    for (let x = 0; x < at.width; x++, to += step, from += channels) {
      tensor[to] = first[pixels[from + r] as number] as number;
      tensor[to + base] = second[pixels[from + g] as number] as number;
      tensor[to + 2 * base] = third[pixels[from + b] as number] as number;
    }
  }
  return tensor;
}

/** What each of the 256 grey levels becomes in a channel. */
function levelsOf(input: ModelInput, channel: number): Float32Array {
  const [mean, std] = [input.mean[channel] ?? 0, input.std[channel] ?? 1];
  return Float32Array.from({ length: 256 }, (_, level) => (level * input.scale - mean) / std);
}

function pad(
  tensor: Float32Array,
  input: ModelInput,
  base: number,
  step: number,
  levels: readonly Float32Array[],
): void {
  const plane = input.width * input.height;
  levels.forEach((values, channel) => {
    const value = values[Math.round(input.pad)] ?? 0;
    if (step === 1) tensor.fill(value, channel * base, channel * base + plane);
    else for (let i = channel * base; i < tensor.length; i += step) tensor[i] = value;
  });
}
