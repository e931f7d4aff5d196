/**
 * A copy of a picture with boxes and zone drawn on it, as JPEG. The original bytes are not touched. Labels use no fonts:
 * a fresh machine has none, and letters would be missing without a word.
 */

import sharp from 'sharp';
import type { Detection } from '../../contracts/index.ts';
import { letters, letterWidth } from './picture/letters.ts';
import { MAX_PIXELS, uprightSize } from './picture/pixels.ts';

/** Colours that differ for the colour-blind too (Okabe and Ito), by class; others take one by their name. */
const COLOURS: Record<string, string> = {
  person: '#56B4E9',
  car: '#E69F00',
  truck: '#F0E442',
  bus: '#CC79A7',
  bicycle: '#009E73',
};
const OTHERS = ['#56B4E9', '#E69F00', '#009E73', '#F0E442', '#CC79A7'];
const ZONE = '#FF3B30';

/**
 * @param bytes the original
 * @param detections boxes in pixels of the upright picture
 * @param zone polygon in the same pixels
 * @throws UnreadablePicture
 */
export async function drawDetections(
  bytes: Uint8Array,
  detections: readonly Detection[],
  zone?: readonly (readonly [number, number])[],
): Promise<Buffer> {
  const { width, height } = await uprightSize(bytes);
  const unit = Math.max(1, Math.min(width, height) / 360);
  const shapes = [zone ? drawZone(zone, unit) : '', ...detections.map((d) => drawBox(d, unit, width))].join(
    '',
  );
  const overlay = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${shapes}</svg>`;
  return sharp(bytes, { limitInputPixels: MAX_PIXELS, pages: 1 })
    .autoOrient()
    .flatten({ background: '#808080' })
    .toColourspace('srgb')
    .composite([{ input: Buffer.from(overlay), top: 0, left: 0 }])
    .jpeg({ quality: 90 })
    .toBuffer();
}

function drawZone(polygon: readonly (readonly [number, number])[], unit: number): string {
  const points = polygon.map(([x, y]) => `${x},${y}`).join(' ');
  return `<polygon points="${points}" fill="${ZONE}" fill-opacity="0.16" stroke="#000" stroke-opacity="0.5" stroke-width="${3 * unit}"/><polygon points="${points}" fill="none" stroke="${ZONE}" stroke-width="${1.6 * unit}" stroke-dasharray="${7 * unit} ${4 * unit}"/>`;
}

function drawBox(
  { class: name, score, box: [x, y, w, h], track }: Detection,
  unit: number,
  width: number,
): string {
  const colour = colourOf(name);
  const rect = (stroke: string, thick: number) =>
    `<rect x="${x}" y="${y}" width="${w}" height="${h}" rx="${1.5 * unit}" fill="none" stroke="${stroke}" stroke-width="${thick * unit}"/>`;
  const text = `${name.toUpperCase()} ${Math.round(score * 100)}%${track === undefined ? '' : ` #${track}`}`;
  const dot = unit * 1.1;
  const [labelWidth, labelHeight] = [letterWidth(text) * dot + 4 * dot, 11 * dot];
  const left = Math.max(0, Math.min(x - 0.9 * unit, width - labelWidth));
  const top = y - labelHeight >= 0 ? y - labelHeight : y;
  const label = `<rect x="${left}" y="${top}" width="${labelWidth}" height="${labelHeight}" fill="${colour}"/>`;
  return (
    rect('#000', 3.2) + rect(colour, 1.8) + label + letters(text, left + 2 * dot, top + 2 * dot, dot, '#000')
  );
}

function colourOf(name: string): string {
  const sum = [...name].reduce((n, c) => n + c.charCodeAt(0), 0);
  return COLOURS[name] ?? OTHERS[sum % OTHERS.length] ?? '#E69F00';
}
