import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Point, polygonFault } from './polygon.ts';

describe('a camera zone', () => {
  it.each<[string, Point[]]>([
    [
      'a triangle',
      [
        [0, 0],
        [1, 0],
        [0, 1],
      ],
    ],
    [
      'a square, either way round',
      [
        [0, 0],
        [0, 1],
        [1, 1],
        [1, 0],
      ],
    ],
    [
      'a notch',
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0.5, 0.5],
        [0, 1],
      ],
    ],
    [
      'a point on a straight edge',
      [
        [0, 0],
        [0.5, 0],
        [1, 0],
        [1, 1],
      ],
    ],
  ])('may be %s', (_what, points) => {
    expect(polygonFault(points)).toBeNull();
  });

  it.each<[string, Point[], string]>([
    [
      'a bow tie',
      [
        [0, 0],
        [1, 1],
        [1, 0],
        [0, 1],
      ],
      'do not cross',
    ],
    [
      'two points, one twice',
      [
        [0, 0],
        [1, 1],
        [0, 0],
      ],
      '3 different',
    ],
    [
      'a line',
      [
        [0, 0],
        [0.5, 0.5],
        [1, 1],
      ],
      'one line',
    ],
    [
      'closed by hand',
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 0],
      ],
      'joined with the first by itself',
    ],
    [
      'a point twice',
      [
        [0, 0],
        [1, 0],
        [0.5, 0.5],
        [1, 1],
        [0.5, 0.5],
        [0, 1],
      ],
      'each point once',
    ],
    [
      'a spike that goes back on itself',
      [
        [0, 0],
        [1, 0],
        [0.5, 0],
        [0.5, 1],
      ],
      'do not cross',
    ],
    [
      'touching its own edge',
      [
        [0, 0],
        [1, 0],
        [1, 1],
        [0.5, 0],
        [0, 1],
      ],
      'do not cross',
    ],
  ])('is not %s', (_what, points, allowed) => {
    expect(polygonFault(points)).toContain(allowed);
  });

  it('may be any star seen from its middle, and never one with two points changed over', () => {
    const radii = fc.array(fc.double({ min: 0.1, max: 0.5, noNaN: true }), { minLength: 5, maxLength: 30 });
    fc.assert(
      fc.property(radii, (all) => {
        const star = all.map((r, i): Point => {
          const angle = (2 * Math.PI * i) / all.length;
          return [0.5 + r * Math.cos(angle), 0.5 + r * Math.sin(angle)];
        });
        return polygonFault(star) === null;
      }),
      { seed: 3 },
    );
    const circle = Array.from(
      { length: 8 },
      (_, i): Point => [Math.cos((i * Math.PI) / 4), Math.sin((i * Math.PI) / 4)],
    );
    [circle[2], circle[5]] = [circle[5]!, circle[2]!];
    expect(polygonFault(circle)).toContain('do not cross');
  });
});
