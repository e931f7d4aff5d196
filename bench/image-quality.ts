/**
 * Precision and recall of a model on a folder of pictures with truth, through the product's own code:
 * `npx tsx bench/image-quality.ts DIR [MODEL] [MIN_SCORE]`. The figures of models/street-scenes come from here.
 */

import { scoreFrames } from '../detectors/images/index.ts';

const [folder, model = 'street-scenes', minScore] = process.argv.slice(2);
if (!folder) {
  console.error('use: tsx bench/image-quality.ts DIR [MODEL] [MIN_SCORE]');
  process.exit(2);
}
const options = { model, ...(minScore === undefined ? {} : { minScore: Number(minScore) }) };
// As pedestrian benchmarks do: all, and those that are large and free enough to be asked for.
const plain = { minVisible: 0.65, minHeight: 32 };
const all = await scoreFrames(folder, options);
const clear = await scoreFrames(folder, { ...options, ...plain });
console.log(JSON.stringify({ model, iou: 0.5, classes: all, clear: { ...plain, classes: clear } }, null, 2));
