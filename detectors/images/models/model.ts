/**
 * A model folder, checked and ready to run.
 *
 *   readModel  manifest against schema, file against its SHA-256                    (no session, for lists and checks)
 *   loadModel  readModel + session + input and output shapes + class count + one run on an empty picture
 *
 * Promises: what does not hold is refused with MODEL_INVALID, which names each thing expected and found, before any
 * picture is looked at. A session is reused for every picture; `detect` may be called while another call runs.
 */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { parse as parseYaml } from 'yaml';
import { describeProblems, problemsOf } from '../../../backbone/validation.ts';
import { type Box, type Detection, type Problem, QianliyanError } from '../../../contracts/index.ts';
import { type BoundDecoder, decoderFor, type OutputTensor } from '../decoders/index.ts';
import { boxOnPicture } from '../picture/letterbox.ts';
import { nms } from '../picture/nms.ts';
import { type PreparedPicture, preparePicture } from '../picture/pixels.ts';
import { Manifest } from './manifest.ts';

export interface ModelFolder {
  folder: string;
  manifest: Manifest;
}

export interface SessionOptions {
  /** Threads within one run. Default 1: several workers use several cores better than one run does. */
  threads?: number;
  /** Names as onnxruntime knows them, tried in order. Default ['cpu']. */
  executionProviders?: readonly string[];
}

export interface Seen {
  /** Pixels of the upright picture. */
  width: number;
  height: number;
  /** Best first. */
  detections: Detection[];
}

export interface Model extends ModelFolder {
  /** @throws UnreadablePicture with a named reason */
  detect(bytes: Uint8Array, minScore?: number): Promise<Seen>;
  /** The run alone, for the bench. */
  run(tensor: Float32Array): Promise<OutputTensor[]>;
  prepare(bytes: Uint8Array): Promise<PreparedPicture>;
  close(): Promise<void>;
}

/** @throws QianliyanError MODEL_INVALID */
export async function readModel(folder: string): Promise<ModelFolder> {
  const text = await readFile(join(folder, 'manifest.yaml'), 'utf8').catch((cause: unknown) =>
    refuse(folder, [{ path: 'manifest.yaml', found: null, allowed: 'a readable file' }], cause),
  );
  const manifest = parseManifest(folder, text);
  const bytes = await readFile(join(folder, manifest.file)).catch((cause: unknown) =>
    refuse(folder, [{ path: 'file', found: manifest.file, allowed: 'a readable file in the folder' }], cause),
  );
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== manifest.sha256)
    refuse(folder, [{ path: 'sha256', found, allowed: `${manifest.sha256} (as the manifest says)` }]);
  return { folder, manifest };
}

function parseManifest(folder: string, text: string): Manifest {
  let value: unknown;
  try {
    value = parseYaml(text);
  } catch (cause) {
    return refuse(folder, [{ path: 'manifest.yaml', found: 'not YAML', allowed: 'YAML' }], cause);
  }
  const result = Manifest.safeParse(value);
  return result.success ? result.data : refuse(folder, problemsOf(result.error, value, Manifest));
}

function refuse(folder: string, problems: Problem[], cause?: unknown): never {
  throw new QianliyanError('MODEL_INVALID', `${basename(folder)}: ${describeProblems(problems)}`, {
    problems,
    ...(cause === undefined ? {} : { cause }),
  });
}

/** @throws QianliyanError MODEL_INVALID */
export async function loadModel(folder: string, options: SessionOptions = {}): Promise<Model> {
  const { manifest } = await readModel(folder);
  const session = await InferenceSession.create(join(folder, manifest.file), {
    intraOpNumThreads: options.threads ?? 1,
    interOpNumThreads: 1,
    executionProviders: [...(options.executionProviders ?? ['cpu'])],
    graphOptimizationLevel: 'all',
  }).catch((cause: unknown) =>
    refuse(
      folder,
      [{ path: 'file', found: String(cause), allowed: 'a model that onnxruntime can load' }],
      cause,
    ),
  );
  try {
    const decoder = decoderFor(manifest.output);
    checkInput(folder, manifest, session);
    const run = (tensor: Float32Array) => runSession(session, manifest, tensor);
    const warm = await run(new Float32Array(3 * manifest.input.width * manifest.input.height)).catch(
      (cause: unknown) =>
        refuse(
          folder,
          [{ path: 'input', found: String(cause), allowed: 'an input that the model can run on' }],
          cause,
        ),
    );
    checkOutputs(folder, manifest, decoder, warm);
    return {
      folder,
      manifest,
      run,
      prepare: (bytes) => preparePicture(bytes, manifest.input),
      detect: (bytes, minScore = manifest.minScore) => detect(manifest, decoder, run, bytes, minScore),
      close: () => session.release(),
    };
  } catch (error) {
    await session.release();
    throw error;
  }
}

const inputShape = ({ input }: Manifest) =>
  input.layout === 'nchw' ? [1, 3, input.height, input.width] : [1, input.height, input.width, 3];

function checkInput(folder: string, manifest: Manifest, session: InferenceSession): void {
  const { name } = manifest.input;
  if (session.inputNames.length !== 1 || session.inputNames[0] !== name) {
    refuse(folder, [
      { path: 'input.name', found: name, allowed: `the model's own input: ${session.inputNames.join(', ')}` },
    ]);
  }
  const [meta] = session.inputMetadata;
  if (!meta?.isTensor) return;
  const wanted = inputShape(manifest);
  // An axis with a name instead of a number takes any size.
  const fits =
    meta.shape.length === 4 && meta.shape.every((n, i) => typeof n === 'string' || n <= 0 || n === wanted[i]);
  if (!fits || meta.type !== 'float32') {
    refuse(folder, [
      {
        path: 'input',
        found: `float32 [${wanted}]`,
        allowed: `what the model takes: ${meta.type} [${meta.shape}]`,
      },
    ]);
  }
}

function checkOutputs(
  folder: string,
  manifest: Manifest,
  decoder: BoundDecoder,
  outputs: readonly OutputTensor[],
): void {
  const { width, height } = manifest.input;
  const wanted = decoder.shapes({ width, height, classCount: manifest.classes.length });
  const same =
    wanted.length === outputs.length &&
    wanted.every((shape, i) => String(shape) === String(outputs[i]?.dims));
  if (same) return;
  const show = (shapes: readonly (readonly number[])[]) => shapes.map((s) => `[${s}]`).join(' ');
  refuse(folder, [
    {
      path: 'output',
      found: show(outputs.map((o) => o.dims)),
      allowed: `${show(wanted)}: format ${manifest.output.format}, input ${width} × ${height}, ${manifest.classes.length} classes`,
    },
  ]);
}

async function runSession(
  session: InferenceSession,
  manifest: Manifest,
  tensor: Float32Array,
): Promise<OutputTensor[]> {
  const input = new Tensor('float32', tensor, inputShape(manifest));
  const results = await session.run({ [manifest.input.name]: input });
  return session.outputNames.map((name) => {
    const output = results[name];
    if (!output || !(output.data instanceof Float32Array))
      throw new TypeError(`output ${name} holds no float32`);
    return { dims: output.dims, data: output.data };
  });
}

async function detect(
  manifest: Manifest,
  decoder: BoundDecoder,
  run: Model['run'],
  bytes: Uint8Array,
  minScore: number,
): Promise<Seen> {
  const { width, height, placement, tensor } = await preparePicture(bytes, manifest.input);
  const outputs = await run(tensor);
  const context = {
    width: manifest.input.width,
    height: manifest.input.height,
    classCount: manifest.classes.length,
    minScore,
  };
  const boxes = decoder
    .decode(outputs, context)
    .flatMap((raw): { class: string; score: number; box: Box }[] => {
      const box = boxOnPicture(raw, placement, width, height);
      const name = manifest.classes[raw.classIndex];
      return box && name ? [{ class: name, score: Math.min(1, Math.round(raw.score * 1e4) / 1e4), box }] : [];
    });
  const kept = decoder.needsNms
    ? nms(boxes, manifest.nmsIou, (b) => groupOf(manifest, b.class))
    : boxes.toSorted((a, b) => b.score - a.score);
  return { width, height, detections: kept };
}

/** Boxes of one group are held against each other. */
function groupOf({ eitherOr }: Manifest, name: string): number | string {
  const group = eitherOr.findIndex((names) => names.includes(name));
  return group >= 0 ? group : name;
}
