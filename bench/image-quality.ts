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
const classes = await scoreFrames(folder, {
  model,
  ...(minScore === undefined ? {} : { minScore: Number(minScore) }),
});
console.log(JSON.stringify({ model, iou: 0.5, classes }, null, 2));
