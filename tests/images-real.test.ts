import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../backbone/project-root.ts';
import { addModel, type Inspected, inspectImages, listModels } from '../detectors/images/index.ts';

// The same code on photographs, with a public model from the catalogue. The pictures may not be copied into the project:
// they lie beside it, and where they are missing this must be said, not skipped.
const shared = resolve(process.env.QIANLIYAN_SHARED ?? join(projectRoot, '..', 'shared'), 'vision');

function need(path: string): string {
  const file = join(shared, path);
  if (!existsSync(file)) {
    throw new Error(
      `${file} is missing: this test needs the folder "shared" with vision/ beside the project, or its place in QIANLIYAN_SHARED`,
    );
  }
  return file;
}

let dataFolder: string;
beforeAll(async () => {
  dataFolder = await mkdtemp(join(tmpdir(), 'qianliyan-models-'));
  await addModel('yolox-nano', { dataFolder, from: need('models/yolox_nano.onnx') });
  await addModel('fastestdet', { dataFolder, from: need('models/FastestDet.onnx') });
}, 60_000);
afterAll(() => rm(dataFolder, { recursive: true, force: true }));

async function inspect(names: string[], model = 'yolox-nano'): Promise<Inspected[]> {
  const found: Inspected[] = [];
  for await (const line of inspectImages(
    names.map((n) => need(`images/${n}`)),
    { model, dataFolder },
  ))
    found.push(line);
  return found;
}

const classes = (line: Inspected | undefined, minScore = 0.3) =>
  line?.detections.filter((d) => d.score >= minScore).map((d) => d.class) ?? [];

describe('YOLOX-nano on photographs', () => {
  it('sees the dog, the bicycle and the vehicle of the famous picture, where they are', async () => {
    const [line] = await inspect(['dog.jpg']);
    expect(line).toMatchObject({ width: 768, height: 576, model: 'yolox-nano', plates: [] });
    expect(classes(line)).toEqual(expect.arrayContaining(['dog', 'bicycle']));
    const vehicle = line?.detections.find((d) => ['car', 'truck'].includes(d.class));
    // By eye: the pick-up stands in the upper right, about 465 to 690 across and 75 to 170 down.
    const [x = 0, y = 0, w = 0, h = 0] = vehicle?.box ?? [];
    for (const [got, want] of [
      [x, 465],
      [y, 75],
      [x + w, 692],
      [y + h, 172],
    ] as const)
      expect(Math.abs(got - want)).toBeLessThan(15);
  });

  it('sees the snow plough and the parked car behind it', async () => {
    const [line] = await inspect(['coco_9769.jpg']);
    expect(classes(line, 0.5).sort()).toEqual(['car', 'truck']);
  });

  it('sees people where people are and none where there are none', async () => {
    const [hall, talk, sign, night] = await inspect([
      'coco_5001.jpg',
      'coco_4134.jpg',
      'coco_724.jpg',
      'coco_8762.jpg',
    ]);
    expect(classes(hall, 0.5).filter((c) => c === 'person').length).toBeGreaterThanOrEqual(6);
    expect(classes(talk, 0.8)).toEqual(['person', 'person']);
    expect(classes(sign)).toEqual(['stop sign']);
    expect(classes(night)).not.toContain('person');
  });

  it('sees the car whose plate the camera was made for', async () => {
    for (const line of await inspect(['ccpd_0.jpg', 'ccpd_1.jpg']))
      expect(classes(line, 0.5)).toContain('car');
  });
});

describe('another format through the same code', () => {
  it('FastestDet sees the same dog, bicycle and car', async () => {
    const [line] = await inspect(['dog.jpg'], 'fastestdet');
    expect(classes(line).sort()).toEqual(['bicycle', 'car', 'dog']);
  });
});

describe('the catalogue', () => {
  it('lists what was added with its licence', async () => {
    expect(await listModels(dataFolder)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'yolox-nano', where: 'added', licence: 'Apache-2.0' }),
      ]),
    );
  });

  it('refuses another file under the name', async () => {
    const other = join(dataFolder, 'other.onnx');
    await writeFile(other, await readFile(need('models/FastestDet.onnx')));
    await expect(addModel('yolox-nano', { dataFolder, from: other })).rejects.toMatchObject({
      code: 'MODEL_INVALID',
      problems: [{ path: 'sha256' }],
    });
  });

  it('does not know what it does not list', async () => {
    await expect(addModel('yolov8n', { dataFolder })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('inspect', () => {
  it('goes on after a file that is no picture, and draws copies', async () => {
    const [text, dot] = [join(dataFolder, 'text.jpg'), join(dataFolder, 'dot.png')];
    await writeFile(text, 'no picture');
    await writeFile(
      dot,
      await sharp({ create: { width: 1, height: 1, channels: 3, background: '#fff' } })
        .png()
        .toBuffer(),
    );
    const lines: Inspected[] = [];
    for await (const line of inspectImages([text, dot, need('images/dog.jpg')], {
      model: 'yolox-nano',
      dataFolder,
      draw: join(dataFolder, 'drawn'),
    }))
      lines.push(line);
    expect(lines.map((l) => l.error?.reason ?? l.detections.length > 0)).toEqual([
      'not-a-picture',
      false,
      true,
    ]);
    expect(await sharp(join(dataFolder, 'drawn', 'dog.jpg')).metadata()).toMatchObject({
      width: 768,
      height: 576,
    });
  });
});
