/**
 * Image detection: frames in, findings out.
 *
 *   frames ─▶ blobs ─▶ worker threads: JPEG ─decode, resize─▶ tensor ─onnxruntime─▶ decoder ─NMS─▶ detections
 *                                                                                                  │
 *   findings ◀─ rules, zone by zone ◀─ tracker ◀─ one camera after the other, in stream order ◀────┘
 *
 * 1. runtime.ts        consumes `frames` (group `image-detectors`), checkpoints, appends to `findings`
 * 2. workers/          a pool of threads; one that dies is replaced and its frames are taken up again
 * 3. models/           model folders as data: manifest, checks at load, catalogue
 * 4. picture/          decode, fit, and the way back; overlap of boxes
 * 5. decoders/         output formats, one file each
 * 6. tracking/         things from frame to frame; zones
 * 7. rules/            what is forbidden in a zone, one file each
 * 8. camera-watch.ts   4 to 7 for one camera, as a pure step
 * 9. draw.ts, inspect.ts  drawn copies, and the command that looks at any picture
 */

export { DwellRule, ImageDetectorsConfig } from './config.ts';
export { drawDetections } from './draw.ts';
export { type Inspected, type InspectOptions, inspectImages } from './inspect.ts';
export { addModel, checkModel, type ListedModel, listModels, resolveModel } from './models/catalogue.ts';
export { Manifest } from './models/manifest.ts';
export { loadModel, type Model, readModel, type Seen } from './models/model.ts';
export { type PictureFault, UnreadablePicture } from './picture/pixels.ts';
export {
  GROUP,
  type ImageCounts,
  type ImageDetectors,
  type ImageDetectorsDeps,
  startImageDetectors,
} from './runtime.ts';
export { type ClassScore, scoreFrames } from './score.ts';
