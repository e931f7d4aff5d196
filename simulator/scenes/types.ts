/** The words of the rendered street: who stands where, under which light, seen by which camera. No behaviour here. */

export type ActorClass = 'car' | 'truck' | 'person';

/** A point on the ground in metres: x to the right across the street, y along the street away from the camera. */
export type Ground = readonly [x: number, y: number];
/** A point in the world in metres; z is up. */
export type Vec3 = readonly [x: number, y: number, z: number];
/** A point on the picture in pixels. */
export type Pixel = readonly [x: number, y: number];
/** Left, top, right, bottom in pixels. */
export type Extent = readonly [left: number, top: number, right: number, bottom: number];
export type Rgb = readonly [r: number, g: number, b: number];

/** Something that moves or may move; all else is part of the view. */
export interface Actor {
  /** Unique within the scene; truth names it. */
  id: string;
  class: ActorClass;
  at: Ground;
  /** Radians; 0 = away from the camera along the street, growing to the right. */
  heading: number;
  /** Seed of its looks: type of body, colours, size, clothes. The same number always looks the same. */
  look: number;
  /** 0 for something that stands; of people it swings arms and legs, of vehicles it lights the tail lamps. */
  speedMps: number;
  /** Metres gone so far: where in the stride a walker is. */
  gone?: number;
}

export type Weather = 'clear' | 'overcast' | 'rain' | 'haze';

/** What the camera does to the light: the same scene looks different to a good and to a bad camera. */
export interface Imaging {
  /** Standard deviation of the sensor's noise, in grey levels. Night adds to it by itself. */
  noise: number;
  /** Sigma of the blur in pixels; below 0.3 none. */
  blur: number;
  /** JPEG quality, 1 to 100. */
  quality: number;
  /** How far a gust moves the mast, in pixels. */
  jitter: number;
}

/** All that a picture depends on, besides the seed of its noise. */
export interface SceneState {
  view: View;
  /** Local time of day in hours, 0 to 24: 21.5 is half past nine in the evening. */
  hour: number;
  weather: Weather;
  actors: readonly Actor[];
  imaging: Imaging;
  /** Burnt into the picture's corner as street cameras do; '' for none. Digits, capitals, and - : . / only. */
  caption: string;
}

/** What is truly on the picture. Only things of which enough can be seen for a person to name them are listed. */
export interface Truth {
  class: ActorClass;
  /** Left, top, width, height in pixels: the whole outline, cut off at the picture's edge. */
  box: [number, number, number, number];
  actor: string;
  /** Share of the outline that nothing nearer hides and that lies within the picture, 0 to 1. */
  visible: number;
}

export interface RenderedScene {
  jpeg: Buffer;
  truth: Truth[];
}

/** A fixed camera and the street before it. Made by `viewOf`; treat as opaque. */
export interface View {
  name: string;
  seed: number;
  width: number;
  height: number;
  camera: {
    at: Vec3;
    /** Radians to the right. */
    yaw: number;
    /** Radians downwards. */
    pitch: number;
    /** Pixels. */
    focal: number;
  };
  street: Street;
}

/** Cross-section of the street in metres, from left to right. */
export interface Street {
  /** x of the house fronts on the left. */
  leftFront: number;
  /** x of the kerbs of the carriageway. */
  leftKerb: number;
  rightKerb: number;
  /** The fire lane lies between the right kerb and this x … */
  laneEdge: number;
  /** x of the house fronts on the right. */
  rightFront: number;
  /** … from the first to the second y; the marking fills it. */
  lane: readonly [from: number, to: number];
  marking: 'hatched' | 'box' | 'none';
}
