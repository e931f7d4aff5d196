/**
 * Bodies of vehicles as profiles: the outline seen from the left side, [along, up] in metres, from the rear bottom over
 * the roof to the front bottom; `along` 0 is the middle. Measures are those of common cars and light and heavy trucks.
 */

import type { Chance } from './random.ts';
import type { ActorClass, Rgb } from './types.ts';

type Outline = readonly (readonly [along: number, up: number])[];

/** A profile drawn out to a width: half at the belt, narrower at the roof. */
export interface Piece {
  outline: Outline;
  /** Indexes of the edges (from point i to i + 1) that are glass. */
  glass: readonly number[];
  colour: Rgb;
  halfWidth: number;
  /** Half of the width at the top, and the height at which it begins to narrow. */
  roofHalf: number;
  belt: number;
  /** Windows on the sides. */
  windows: readonly Outline[];
  /** Lines of doors, ribs of a container: drawn dark on the sides. */
  seams: readonly Outline[];
  /** Painted on the side: company stripe. */
  stripe?: { outline: Outline; colour: Rgb };
}

export interface Shape {
  pieces: Piece[];
  wheels: readonly { along: number; radius: number }[];
  /** Half of the track width, for the wheels. */
  halfWidth: number;
  length: number;
  height: number;
  /** Height of lamps and plate above the ground. */
  lampUp: number;
}

const CAR_COLOURS: readonly Rgb[] = [
  [228, 230, 232],
  [202, 205, 208],
  [150, 155, 160],
  [62, 66, 72],
  [34, 36, 40],
  [150, 34, 36],
  [38, 66, 122],
  [92, 118, 140],
  [186, 172, 142],
  [70, 48, 40],
  [36, 84, 66],
  [214, 122, 32],
  [222, 196, 52],
  [108, 158, 196],
];
const CARGO_COLOURS: readonly Rgb[] = [
  [214, 216, 218],
  [236, 236, 232],
  [52, 88, 148],
  [158, 54, 44],
  [66, 118, 82],
  [176, 148, 84],
  [112, 120, 128],
];
const DUMP_COLOURS: readonly Rgb[] = [
  [52, 120, 74],
  [206, 112, 36],
  [178, 52, 40],
  [196, 168, 60],
];
const CAB_COLOURS: readonly Rgb[] = [
  [220, 222, 224],
  [44, 84, 158],
  [176, 44, 40],
  [222, 148, 40],
  [62, 122, 92],
];

/** The body that a seed stands for. */
export function shapeOf(kind: ActorClass, c: Chance): Shape {
  if (kind === 'truck') return c.pick([boxTruck, boxTruck, dumpTruck, flatbed])(c);
  return c.pick([sedan, sedan, suv, suv, hatchback, van])(c);
}

/** Same outline, other size: no two cars of a street are alike. */
function scaled(outline: Outline, l: number, h: number): Outline {
  return outline.map(([along, up]) => [along * l, up * h] as const);
}

interface Template {
  outline: Outline;
  glass: readonly number[];
  windows: readonly Outline[];
  seams: readonly Outline[];
  half: number;
  roof: number;
  belt: number;
  wheels: readonly [rear: number, front: number];
  radius: number;
}

function car(t: Template, c: Chance): Shape {
  const [l, h] = [c.between(0.93, 1.06), c.between(0.95, 1.06)];
  const outline = scaled(t.outline, l, h);
  const windows = t.windows.map((w) => scaled(w, l, h));
  const body: Piece = {
    outline,
    glass: t.glass,
    colour: c.pick(CAR_COLOURS),
    halfWidth: t.half,
    roofHalf: t.roof,
    belt: t.belt * h,
    windows,
    seams: t.seams.map((s) => scaled(s, l, h)),
  };
  const alongs = outline.map((p) => p[0]);
  return {
    pieces: [body],
    wheels: t.wheels.map((along) => ({ along: along * l, radius: t.radius })),
    halfWidth: t.half,
    length: Math.max(...alongs) - Math.min(...alongs),
    height: Math.max(...outline.map((p) => p[1])),
    lampUp: 0.72 * h,
  };
}

const sedan = (c: Chance) =>
  car(
    {
      outline: [
        [-2.3, 0.3],
        [-2.36, 0.6],
        [-2.3, 0.95],
        [-2.1, 1.02],
        [-1.62, 1.05],
        [-0.92, 1.42],
        [-0.3, 1.47],
        [0.35, 1.42],
        [1.08, 1.0],
        [1.95, 0.88],
        [2.24, 0.74],
        [2.34, 0.5],
        [2.3, 0.3],
      ],
      glass: [4, 7],
      windows: [
        [
          [-1.35, 1.06],
          [-0.86, 1.36],
          [-0.28, 1.4],
          [-0.28, 1.02],
        ],
        [
          [-0.2, 1.02],
          [-0.2, 1.4],
          [0.33, 1.35],
          [0.88, 1.0],
        ],
      ],
      seams: [
        [
          [-0.24, 0.38],
          [-0.24, 1.0],
        ],
        [
          [-1.2, 0.5],
          [-1.28, 1.0],
        ],
        [
          [0.85, 0.4],
          [0.92, 0.98],
        ],
        [
          [-2.1, 0.8],
          [2.1, 0.74],
        ],
      ],
      half: 0.9,
      roof: 0.64,
      belt: 0.98,
      wheels: [-1.38, 1.42],
      radius: 0.33,
    },
    c,
  );

const suv = (c: Chance) =>
  car(
    {
      outline: [
        [-2.2, 0.36],
        [-2.28, 0.8],
        [-2.22, 1.1],
        [-1.98, 1.62],
        [-1.7, 1.72],
        [-0.4, 1.75],
        [0.4, 1.68],
        [1.08, 1.14],
        [1.95, 1.04],
        [2.22, 0.88],
        [2.3, 0.56],
        [2.26, 0.36],
      ],
      glass: [2, 6],
      windows: [
        [
          [-1.95, 1.14],
          [-1.72, 1.56],
          [-1.25, 1.6],
          [-1.25, 1.12],
        ],
        [
          [-1.15, 1.12],
          [-1.15, 1.61],
          [-0.28, 1.63],
          [-0.28, 1.12],
        ],
        [
          [-0.2, 1.12],
          [-0.2, 1.63],
          [0.36, 1.58],
          [0.88, 1.12],
        ],
      ],
      seams: [
        [
          [-0.24, 0.45],
          [-0.24, 1.1],
        ],
        [
          [-1.2, 0.6],
          [-1.2, 1.1],
        ],
        [
          [0.88, 0.45],
          [0.92, 1.1],
        ],
        [
          [-2.15, 0.6],
          [2.15, 0.6],
        ],
      ],
      half: 0.94,
      roof: 0.74,
      belt: 1.1,
      wheels: [-1.36, 1.38],
      radius: 0.38,
    },
    c,
  );

const hatchback = (c: Chance) =>
  car(
    {
      outline: [
        [-1.9, 0.32],
        [-1.98, 0.7],
        [-1.92, 1.0],
        [-1.55, 1.46],
        [-0.7, 1.54],
        [0.3, 1.48],
        [1.05, 1.02],
        [1.68, 0.9],
        [1.94, 0.72],
        [1.98, 0.5],
        [1.94, 0.32],
      ],
      glass: [2, 5],
      windows: [
        [
          [-1.6, 1.06],
          [-1.36, 1.38],
          [-0.5, 1.44],
          [-0.5, 1.02],
        ],
        [
          [-0.42, 1.02],
          [-0.42, 1.44],
          [0.28, 1.4],
          [0.84, 1.02],
        ],
      ],
      seams: [
        [
          [-0.46, 0.4],
          [-0.46, 1.0],
        ],
        [
          [0.8, 0.4],
          [0.88, 1.0],
        ],
      ],
      half: 0.86,
      roof: 0.66,
      belt: 1.0,
      wheels: [-1.18, 1.22],
      radius: 0.32,
    },
    c,
  );

const van = (c: Chance) =>
  car(
    {
      outline: [
        [-2.3, 0.34],
        [-2.36, 0.9],
        [-2.3, 1.16],
        [-2.18, 1.8],
        [-1.95, 1.9],
        [0.7, 1.88],
        [1.0, 1.8],
        [1.72, 1.16],
        [2.22, 0.98],
        [2.36, 0.7],
        [2.34, 0.34],
      ],
      glass: [2, 6],
      windows: [
        [
          [-2.05, 1.2],
          [-1.98, 1.7],
          [-1.0, 1.72],
          [-1.0, 1.2],
        ],
        [
          [-0.92, 1.2],
          [-0.92, 1.72],
          [0.2, 1.72],
          [0.2, 1.2],
        ],
        [
          [0.28, 1.2],
          [0.28, 1.72],
          [0.9, 1.7],
          [1.5, 1.18],
        ],
      ],
      seams: [
        [
          [0.24, 0.45],
          [0.24, 1.2],
        ],
        [
          [-0.96, 0.45],
          [-0.96, 1.2],
        ],
        [
          [1.42, 0.5],
          [1.46, 1.15],
        ],
      ],
      half: 0.93,
      roof: 0.8,
      belt: 1.18,
      wheels: [-1.5, 1.55],
      radius: 0.34,
    },
    c,
  );

/** Driver's cab with its back at `rear`. */
function cab(rear: number, height: number, half: number, colour: Rgb): Piece {
  const f = rear + 1.85;
  return {
    outline: [
      [rear, 0.55],
      [rear, height - 0.08],
      [rear + 0.2, height],
      [rear + 1.25, height - 0.05],
      [f - 0.12, 1.5],
      [f, 1.3],
      [f + 0.03, 0.5],
      [f, 0.42],
    ],
    glass: [3],
    colour,
    halfWidth: half,
    roofHalf: half * 0.9,
    belt: 1.45,
    windows: [
      [
        [rear + 0.55, 1.45],
        [rear + 0.55, height - 0.28],
        [rear + 1.22, height - 0.3],
        [f - 0.24, 1.45],
      ],
    ],
    seams: [
      [
        [rear + 0.45, 0.6],
        [rear + 0.45, height - 0.2],
      ],
      [
        [f - 0.18, 0.7],
        [f - 0.18, 1.42],
      ],
    ],
  };
}

function block(from: number, to: number, low: number, high: number, half: number, colour: Rgb): Piece {
  return {
    outline: [
      [from, low],
      [from, high],
      [to, high],
      [to, low],
    ],
    glass: [],
    colour,
    halfWidth: half,
    roofHalf: half,
    belt: high,
    windows: [],
    seams: [],
  };
}

function ribs(from: number, to: number, low: number, high: number, count: number): Outline[] {
  return Array.from({ length: count }, (_, i) => {
    const along = from + ((i + 1) * (to - from)) / (count + 1);
    return [
      [along, low + 0.06],
      [along, high - 0.06],
    ] as const;
  });
}

function truck(
  pieces: Piece[],
  length: number,
  height: number,
  half: number,
  axles: readonly number[],
): Shape {
  const chassis = block(-length / 2 + 0.2, length / 2 - 0.5, 0.55, 0.85, half * 0.72, [38, 38, 40]);
  return {
    pieces: [chassis, ...pieces],
    length,
    height,
    halfWidth: half,
    lampUp: 0.75,
    wheels: axles.map((along) => ({ along, radius: length > 6 ? 0.5 : 0.42 })),
  };
}

function boxTruck(c: Chance): Shape {
  const length = c.between(5.4, 7.6);
  const half = c.between(0.98, 1.16);
  const high = c.between(2.6, 3.2);
  const [rear, front] = [-length / 2, length / 2 - 1.98];
  const colour = c.pick(CARGO_COLOURS);
  const cargo: Piece = {
    ...block(rear, front, 0.85, high, half, colour),
    seams: ribs(rear, front, 0.85, high, c.int(3, 8)),
  };
  if (c.is(0.6)) {
    const [low, top] = [0.85 + (high - 0.85) * 0.3, 0.85 + (high - 0.85) * 0.55];
    cargo.stripe = {
      outline: [
        [rear + 0.2, low],
        [rear + 0.2, top],
        [front - 0.2, top],
        [front - 0.2, low],
      ],
      colour: c.pick(DUMP_COLOURS),
    };
  }
  const axles = [rear + 1.2, length / 2 - 0.85];
  return truck(
    [cargo, cab(front + 0.12, c.between(2.1, 2.4), half * 0.95, c.pick(CAB_COLOURS))],
    length,
    high,
    half,
    axles,
  );
}

function dumpTruck(c: Chance): Shape {
  const length = c.between(6.6, 8.2);
  const half = 1.2;
  const high = c.between(2.3, 2.7);
  const [rear, front] = [-length / 2, length / 2 - 2.1];
  const colour = c.pick(DUMP_COLOURS);
  const load: Piece = {
    ...block(
      rear + 0.1,
      front - 0.1,
      high,
      high + 0.25,
      half * 0.9,
      c.pick<Rgb>([
        [104, 84, 60],
        [60, 64, 62],
        [44, 92, 62],
      ]),
    ),
    outline: [
      [rear + 0.1, high],
      [rear + 0.8, high + 0.3],
      [front - 0.7, high + 0.34],
      [front - 0.1, high],
    ],
  };
  const tub: Piece = {
    ...block(rear, front, 0.95, high, half, colour),
    outline: [
      [rear + 0.25, 0.95],
      [rear, high],
      [front, high],
      [front, 0.95],
    ],
    seams: ribs(rear + 0.2, front, 0.95, high, c.int(5, 8)),
  };
  const axles = [rear + 1.0, rear + 2.15, length / 2 - 0.9];
  return truck([tub, load, cab(front + 0.2, 2.65, half * 0.97, colour)], length, high + 0.3, half, axles);
}

function flatbed(c: Chance): Shape {
  const length = c.between(5, 6.4);
  const half = 0.98;
  const [rear, front] = [-length / 2, length / 2 - 1.98];
  const colour = c.pick(CAB_COLOURS);
  const bed: Piece = {
    ...block(rear, front, 0.85, 1.3, half, colour),
    seams: ribs(rear, front, 0.85, 1.3, 3),
  };
  const goods = c.is(0.75)
    ? [
        block(
          rear + 0.3,
          rear + c.between(1.6, 2.6),
          1.3,
          c.between(1.7, 2.3),
          half * 0.85,
          c.pick(CARGO_COLOURS),
        ),
      ]
    : [];
  const height = Math.max(2.05, ...goods.flatMap((g) => g.outline.map((p) => p[1])));
  return truck([bed, ...goods, cab(front + 0.12, 2.05, half * 0.96, colour)], length, height, half, [
    rear + 1.1,
    length / 2 - 0.85,
  ]);
}
