/**
 * The detector on the development sets, which are no part of the project (their licences and sizes keep them out): they
 * are looked for in `../shared/anomaly` beside it. Where they are absent these tests say so and are skipped; nothing of
 * what they check is needed to use the product.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../backbone/project-root.ts';
import { FROZEN_THRESHOLD } from '../sensors/anomaly/index.ts';
import { type SeriesFigures, scoreSeries } from './index.ts';

const sets = join(projectRoot, '..', 'shared', 'anomaly');
const absent = ['nab', 'lro'].some((set) => !existsSync(join(sets, set, 'windows.json')));
const reference = join(sets, 'nabscore.mjs');

describe.skipIf(absent)(
  absent
    ? 'the development sets are not in ../shared/anomaly: skipped'
    : 'on the development sets, threshold frozen',
  () => {
    let out: string;
    let figures: SeriesFigures;

    beforeAll(async () => {
      out = await mkdtemp(join(tmpdir(), 'qianliyan-development-'));
      const folders = [join(sets, 'nab'), join(sets, 'lro')];
      figures = await scoreSeries(folders, { out, threshold: FROZEN_THRESHOLD.score });
    }, 120_000);
    afterAll(() => rm(out, { recursive: true, force: true }));

    it('NAB stays above 74 and LRO above 63, a little below what was reached', () => {
      expect(figures.sets[0]?.profiles.standard).toBeGreaterThan(74);
      expect(figures.sets[1]?.profiles.standard).toBeGreaterThan(63);
    });

    it('raises less than one alarm in four series days', () => {
      expect(figures.alarmsPerDay).toBeLessThan(0.25);
    });

    it.skipIf(!existsSync(reference))('scores as the reference implementation does, to 1e-9', async () => {
      const judge = await import(pathToFileURL(reference).href);
      for (const [i, set] of ['nab', 'lro'].entries()) {
        const corpus = judge.loadCorpus(join(sets, set, 'data'), join(sets, set, 'windows.json'));
        for (const series of corpus) {
          const column = judge.readColumn(join(out, set, series.key), 'anomaly_score');
          series.score = Float64Array.from(column, Number);
        }
        const names = {
          standard: 'standard',
          lowFp: 'reward_low_FP_rate',
          lowFn: 'reward_low_FN_rate',
        } as const;
        for (const [ours, theirs] of Object.entries(names)) {
          const { best, at } = judge.sweep(corpus, judge.PROFILES[theirs], FROZEN_THRESHOLD.score);
          const mine = figures.sets[i];
          expect(mine?.profiles[ours as 'standard']).toBeCloseTo(at.score, 9);
          expect(mine?.best[ours as 'standard']).toBeCloseTo(best.score, 9);
        }
      }
    });
  },
);
