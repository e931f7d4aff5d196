/** How a picture is fitted into the model's input, and the way back for boxes. Pure geometry. */

import type { Box } from '../../../contracts/index.ts';
import type { RawDetection } from '../decoders/index.ts';
import type { ModelInput } from '../models/manifest.ts';

/** Where the resized picture lies in the input, in whole pixels, and the exact scale of each axis. */
export interface Placement {
  left: number;
  top: number;
  width: number;
  height: number;
  scaleX: number;
  scaleY: number;
}

/** `width` × `height`: pixels of the upright picture. */
export function placementOf(
  input: Pick<ModelInput, 'width' | 'height' | 'fit'>,
  width: number,
  height: number,
): Placement {
  if (input.fit === 'stretch') {
    return {
      left: 0,
      top: 0,
      width: input.width,
      height: input.height,
      scaleX: input.width / width,
      scaleY: input.height / height,
    };
  }
  const scale = Math.min(input.width / width, input.height / height);
  // An extremely long picture must still have one row.
  const w = Math.min(input.width, Math.max(1, Math.round(width * scale)));
  const h = Math.min(input.height, Math.max(1, Math.round(height * scale)));
  const centre = input.fit === 'letterbox-centre';
  return {
    left: centre ? Math.floor((input.width - w) / 2) : 0,
    top: centre ? Math.floor((input.height - h) / 2) : 0,
    width: w,
    height: h,
    scaleX: w / width,
    scaleY: h / height,
  };
}

/** From the model's input back to the picture, cut off at its edges; null when nothing is left of it. */
export function boxOnPicture(raw: RawDetection, at: Placement, width: number, height: number): Box | null {
  const left = clamp((raw.cx - raw.width / 2 - at.left) / at.scaleX, width);
  const right = clamp((raw.cx + raw.width / 2 - at.left) / at.scaleX, width);
  const top = clamp((raw.cy - raw.height / 2 - at.top) / at.scaleY, height);
  const bottom = clamp((raw.cy + raw.height / 2 - at.top) / at.scaleY, height);
  // Written so that NaN from a broken model fails it too.
  if (!(right - left > 0 && bottom - top > 0)) return null;
  const [x, y] = [hundredth(left), hundredth(top)];
  const box: Box = [x, y, hundredth(right - x), hundredth(bottom - y)];
  return box[2] > 0 && box[3] > 0 ? box : null;
}

const clamp = (value: number, max: number) => Math.min(max, Math.max(0, value));
/** Finer than any model sees; keeps records short and the same on every machine. */
const hundredth = (value: number) => Math.round(value * 100) / 100;
