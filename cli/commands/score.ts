import { type Command, Option } from 'commander';
import {
  PROFILES,
  type ProfileName,
  type ScoreSeriesOptions,
  scoreCsv,
  scoreSeries,
} from '../../detectors/scoring/index.ts';
import { numberOption } from '../options.ts';

interface SeriesFlags {
  threshold?: number;
  profile?: ProfileName;
  out?: string;
  html?: string;
}

interface CsvFlags {
  threshold?: number;
  label?: string;
}

const threshold = () =>
  new Option(
    '--threshold <score>',
    'frozen threshold, 0 to 1; without it the best for the set is swept',
  ).argParser(numberOption('--threshold', 0, 1));

export function registerScore(program: Command): void {
  const score = program.command('score');
  score
    .command('series')
    .description(
      'anomaly detector over folders with data/*.csv and windows.json, scored by windows (NAB rule)',
    )
    .argument('<dir...>', 'one folder, or several that share one threshold')
    .addOption(threshold())
    .addOption(new Option('--profile <name>', 'profile that the sweep serves').choices(Object.keys(PROFILES)))
    .option('--out <dir>', 'write the score of every row as CSV')
    .option('--html <file>', 'write a report with plots')
    .action(async (dirs: string[], flags: SeriesFlags) => {
      const options: ScoreSeriesOptions = { ...flags };
      print(await scoreSeries(dirs, options));
    });
  score
    .command('csv')
    .description('anomaly detector over labelled CSVs: precision, recall, F1, delay, false alarms a day')
    .argument('<dir>', 'folder with CSVs of columns timestamp, value, label')
    .addOption(threshold())
    .option('--label <column>', 'name of the label column', 'label')
    .action(async (dir: string, flags: CsvFlags) => {
      const { threshold: frozen, label } = flags;
      print(
        await scoreCsv(dir, {
          ...(frozen === undefined ? {} : { threshold: frozen }),
          ...(label === undefined ? {} : { labelColumn: label }),
        }),
      );
    });
}

function print(figures: unknown): void {
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
}
