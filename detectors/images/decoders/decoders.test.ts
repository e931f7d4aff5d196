import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { boxOnPicture, placementOf } from '../picture/letterbox.ts';
import { decoderFor, OutputFormat, type OutputTensor } from './index.ts';

// Each golden tensor is written by hand from the format's own description: one thing in it, at a place worked out on paper.
const context = { width: 64, height: 32, classCount: 2, minScore: 0.3 };

function tensor(dims: number[], values: Record<number, number>): OutputTensor {
  const data = new Float32Array(dims.reduce((n, d) => n * d, 1));
  for (const [at, value] of Object.entries(values)) data[Number(at)] = value;
  return { dims, data };
}

function decode(format: unknown, output: OutputTensor) {
  const decoder = decoderFor(OutputFormat.parse(format));
  expect(decoder.shapes(context)).toEqual([output.dims]);
  return decoder.decode([output], context);
}

describe('an output format is read as its authors wrote it', () => {
  it('yolox: cell (2, 1) of stride 8, half a cell right and down, 16 × 8 pixels', () => {
    // 8 × 4 cells of stride 8, then 4 × 2 of stride 16; 7 values a cell. Cell (2, 1) is number 1 · 8 + 2 = 10.
    const at = 10 * 7;
    const output = tensor([1, 40, 7], {
      [at]: 0.5,
      [at + 1]: 0.5,
      [at + 2]: Math.log(2),
      [at + 3]: 0,
      [at + 4]: 0.9,
      [at + 5]: 0.1,
      [at + 6]: 0.8,
    });
    const [found, ...rest] = decode({ format: 'yolox', strides: [8, 16] }, output);
    expect(rest).toEqual([]);
    expect(found).toMatchObject({ classIndex: 1, cx: 20, cy: 12 });
    expect(found?.score).toBeCloseTo(0.72, 5);
    expect([found?.width, found?.height].map((n) => Math.round((n ?? 0) * 1e3) / 1e3)).toEqual([16, 8]);
  });

  it('yolox: the coarse grid follows the fine one', () => {
    // Cell (3, 1) of stride 16 is number 32 + 1 · 4 + 3 = 39.
    const at = 39 * 7;
    const output = tensor([1, 40, 7], { [at + 4]: 1, [at + 5]: 1 });
    expect(decode({ format: 'yolox', strides: [8, 16] }, output)).toMatchObject([
      { classIndex: 0, cx: 48, cy: 16, width: 16, height: 16 },
    ]);
  });

  it('yolov5: centre and size in pixels, score is objectness times class', () => {
    const output = tensor([1, 3, 7], { 7: 30, 8: 10, 9: 20, 10: 6, 11: 0.8, 12: 0.5, 13: 0.1 });
    const [found, ...rest] = decode({ format: 'yolov5', rows: 3 }, output);
    expect(rest).toEqual([]);
    expect(found).toMatchObject({ classIndex: 0, cx: 30, cy: 10, width: 20, height: 6 });
    expect(found?.score).toBeCloseTo(0.4, 5);
  });

  it('yolov8: the same, axis by axis and without objectness', () => {
    // 4 candidates; the third: values 2, 6, 10, 14 are its box, 18 and 22 its classes.
    const output = tensor([1, 6, 4], { 2: 30, 6: 10, 10: 20, 14: 6, 18: 0.2, 22: 0.7 });
    const [found, ...rest] = decode({ format: 'yolov8', columns: 4 }, output);
    expect(rest).toEqual([]);
    expect(found).toMatchObject({ classIndex: 1, cx: 30, cy: 10, width: 20, height: 6 });
  });

  it('fastestdet: tanh moves the centre, sigmoid is a share of the input, the score is weighted', () => {
    // 4 × 2 cells of 16 pixels, 8 values a plane. Cell (1, 1) is number 5.
    const output = tensor([1, 7, 2, 4], {
      5: 0.81,
      13: 0,
      21: Math.atanh(0.5),
      29: 0,
      37: 0,
      45: 0.64,
      53: 0.1,
    });
    const [found, ...rest] = decode({ format: 'fastestdet', stride: 16 }, output);
    expect(rest).toEqual([]);
    expect(found).toMatchObject({ classIndex: 0, cx: 16, width: 32, height: 16 });
    expect(found?.cy).toBeCloseTo(24, 4);
    expect(found?.score).toBeCloseTo(0.81 ** 0.6 * 0.64 ** 0.4, 5);
  });

  it.each([
    [{ format: 'yolox', strides: [8, 16] }, [1, 40, 7]],
    [{ format: 'yolov5', rows: 5 }, [1, 5, 7]],
    [{ format: 'yolov8', columns: 5 }, [1, 6, 5]],
    [{ format: 'fastestdet', stride: 16 }, [1, 7, 2, 4]],
  ])('%o: an empty or broken output holds nothing', (format, dims) => {
    expect(decode(format, tensor(dims, {}))).toEqual([]);
    const broken = tensor(dims, {});
    broken.data.fill(Number.NaN);
    expect(decode(format, broken)).toEqual([]);
  });
});

const size = fc.integer({ min: 1, max: 8000 });
const fit = fc.constantFrom('letterbox-top-left', 'letterbox-centre', 'stretch' as const);
const side = fc.integer({ min: 16, max: 1280 });

describe('boxes find their way back to the picture', () => {
  it('whatever a model says, a box lies inside the picture or is dropped', () => {
    const number = fc.double({ noNaN: false, min: -1e5, max: 1e5 });
    fc.assert(
      fc.property(
        size,
        size,
        fit,
        side,
        side,
        number,
        number,
        number,
        number,
        (width, height, f, w, h, cx, cy, bw, bh) => {
          const at = placementOf({ fit: f as 'stretch', width: w, height: h }, width, height);
          const box = boxOnPicture(
            { classIndex: 0, score: 1, cx, cy, width: bw, height: bh },
            at,
            width,
            height,
          );
          if (!box) return;
          const [x, y, boxWidth, boxHeight] = box;
          expect(Math.min(x, y)).toBeGreaterThanOrEqual(0);
          expect(Math.min(boxWidth, boxHeight)).toBeGreaterThan(0);
          expect(x + boxWidth).toBeLessThanOrEqual(width + 0.011);
          expect(y + boxHeight).toBeLessThanOrEqual(height + 0.011);
        },
      ),
      { seed: 1 },
    );
  });

  it('a box that is carried into the input and back is the same to a hundredth of a pixel', () => {
    const share = fc.double({ min: 0.05, max: 0.45, noNaN: true });
    fc.assert(
      fc.property(size, size, fit, side, side, share, share, (width, height, f, w, h, sx, sy) => {
        fc.pre(width > 4 && height > 4);
        const at = placementOf({ fit: f as 'stretch', width: w, height: h }, width, height);
        const raw = {
          classIndex: 0,
          score: 1,
          cx: 0.5 * width * at.scaleX + at.left,
          cy: 0.5 * height * at.scaleY + at.top,
          width: sx * width * at.scaleX,
          height: sy * height * at.scaleY,
        };
        const [x, y, bw, bh] = boxOnPicture(raw, at, width, height) ?? [0, 0, 0, 0];
        expect(Math.abs(x - (0.5 - sx / 2) * width)).toBeLessThan(0.011);
        expect(Math.abs(y - (0.5 - sy / 2) * height)).toBeLessThan(0.011);
        expect(Math.abs(bw - sx * width)).toBeLessThan(0.021);
        expect(Math.abs(bh - sy * height)).toBeLessThan(0.021);
      }),
      { seed: 2 },
    );
  });
});
