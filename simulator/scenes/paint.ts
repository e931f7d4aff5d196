/** Colours and SVG in the few forms that the painters need. Strings only; nothing is rendered here. */

import type { Pixel, Rgb, Vec3 } from './types.ts';

const hex = (n: number) =>
  Math.max(0, Math.min(255, Math.round(n)))
    .toString(16)
    .padStart(2, '0');

export const css = ([r, g, b]: Rgb) => `#${hex(r)}${hex(g)}${hex(b)}`;
/** Lighter (k > 1) or darker. */
export const shade = ([r, g, b]: Rgb, k: number): Rgb => [r * k, g * k, b * k];
export const mix = (a: Rgb, b: Rgb, t: number): Rgb => [
  a[0] + (b[0] - a[0]) * t,
  a[1] + (b[1] - a[1]) * t,
  a[2] + (b[2] - a[2]) * t,
];

const n1 = (n: number) => (Math.round(n * 10) / 10).toString();

/** Points as SVG wants them; one decimal is finer than a pixel's edge shows. */
export const points = (ps: readonly Pixel[]) => ps.map(([x, y]) => `${n1(x)},${n1(y)}`).join(' ');

/** A filled polygon; '' when there is nothing of it before the camera. */
export function fill(ps: readonly Pixel[], colour: Rgb, opacity = 1): string {
  if (ps.length < 3) return '';
  const alpha = opacity < 1 ? ` fill-opacity="${opacity.toFixed(2)}"` : '';
  return `<polygon points="${points(ps)}" fill="${css(colour)}"${alpha}/>`;
}

/** The same with a thin edge of its own colour, so that neighbours leave no seam between them. */
export function solid(ps: readonly Pixel[], colour: Rgb): string {
  if (ps.length < 3) return '';
  const c = css(colour);
  return `<polygon points="${points(ps)}" fill="${c}" stroke="${c}" stroke-width="0.6"/>`;
}

export function line(ps: readonly Pixel[], colour: Rgb, width: number, opacity = 1): string {
  if (ps.length < 2) return '';
  return `<polyline points="${points(ps)}" fill="none" stroke="${css(colour)}" stroke-width="${width.toFixed(2)}" stroke-opacity="${opacity.toFixed(2)}" stroke-linecap="round" stroke-linejoin="round"/>`;
}

export function disc([x, y]: Pixel, rx: number, ry: number, colour: Rgb, opacity = 1): string {
  return `<ellipse cx="${n1(x)}" cy="${n1(y)}" rx="${rx.toFixed(2)}" ry="${ry.toFixed(2)}" fill="${css(colour)}" fill-opacity="${opacity.toFixed(2)}"/>`;
}

export function svg(width: number, height: number, body: string): Buffer {
  return Buffer.from(
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${body}</svg>`,
  );
}

/** How bright a face is under the light: flat shading with some light from everywhere. */
export function lambert(normal: Vec3, light: Sun): number {
  const towards = normal[0] * light.from[0] + normal[1] * light.from[1] + normal[2] * light.from[2];
  return light.ambient * 0.92 + (1.05 - light.ambient) * Math.max(0, towards) + 0.2 * Math.max(0, normal[2]);
}

/** Where the shading comes from: unit vector towards the light, and the share that comes from everywhere. */
export interface Sun {
  from: Vec3;
  ambient: number;
  /** 0: no cast shadow; 1: hard noon. */
  shadow: number;
}
