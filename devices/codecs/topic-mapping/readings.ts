import { type DecodedOne, type Reading, type Rejected, rejected } from '../codec.ts';
import type { Compiled, CompiledReading } from './compile.ts';
import { toNumber } from './number.ts';
import { inWords, valueAt, valuesAt } from './path.ts';
import { fill, type Gaps } from './template.ts';

/**
 * The values of one payload, as a mapping names them. Each is judged by itself: one that is missing or no number is
 * rejected with its path, the others are taken. A payload without any is rejected, unless the mapping says otherwise: a
 * mapping with a misspelt path must not drop everything in silence.
 */
export function takeReadings(
  mapping: Compiled,
  does: Compiled['does'] & { kind: 'readings' },
  gaps: Gaps,
  time: number,
): DecodedOne {
  const taken: Taken = { readings: [], rejected: [] };
  for (const reading of does.readings) takeReading(reading, gaps, time, taken);
  const { readings, rejected: bad } = taken;
  const { source } = mapping;
  if (readings.length > 0) {
    return bad.length > 0
      ? { kind: 'readings', readings, source, rejected: bad }
      : { kind: 'readings', readings, source };
  }
  const [first] = bad;
  if (first !== undefined) {
    const details = bad.slice(0, 10).map((one) => one.detail);
    return rejected(first.reason, details.join('. '));
  }
  if (does.ignoreEmpty) return { kind: 'nothing' };
  const paths = does.readings.slice(0, 10).map((reading) => reading.path.text);
  return rejected(
    'schema',
    `payload: ${inWords(gaps.payload)} found; a value at one of ${paths.join(', ')} is allowed (mapping ${mapping.name})`,
  );
}

interface Taken {
  readings: Reading[];
  rejected: Rejected[];
}

function takeReading(reading: CompiledReading, gaps: Gaps, time: number, taken: Taken): void {
  const { path, optional } = reading;
  const { names, payload } = gaps;
  if (!path.open) {
    const value = valueAt(path, payload);
    if (value !== undefined) takeValue(reading, path.text, value, gaps, time, taken);
    else if (!optional) taken.rejected.push(missing(path.text, payload));
    return;
  }
  // Of what a star finds, the numbers are meant: names and states beside them are passed over.
  const numbers = valuesAt(path, payload).filter(
    ({ value }) => typeof value === 'number' || isWord(reading, value),
  );
  for (const { key, value } of numbers) {
    const named = new Map(names).set('*', key);
    takeValue(reading, `${path.text} (${key})`, value, { names: named, payload }, time, taken);
  }
  if (numbers.length === 0 && !optional) taken.rejected.push(missing(path.text, payload));
}

function isWord({ number }: CompiledReading, value: unknown): boolean {
  return typeof value !== 'object' && number.words.has(String(value));
}

function missing(path: string, payload: unknown): Rejected {
  return { reason: 'schema', detail: `${path}: nothing found in ${inWords(payload)}; a number is allowed` };
}

function takeValue(
  reading: CompiledReading,
  where: string,
  found: unknown,
  gaps: Gaps,
  time: number,
  taken: Taken,
): void {
  const number = toNumber(found, reading.number);
  if (!('value' in number)) {
    taken.rejected.push({ reason: number.reason, detail: `${where}: ${number.problem}` });
    return;
  }
  const property = fill(reading.property, gaps);
  if ('problem' in property) {
    taken.rejected.push({ reason: 'schema', detail: `property of ${where}: ${property.problem}` });
    return;
  }
  const { unit, statistic } = reading;
  const quality = qualityOf(reading, gaps.payload);
  const name = reading.rename.get(property.text) ?? property.text;
  taken.readings.push({ property: name, statistic, time, value: number.value, unit, quality });
}

function qualityOf({ quality }: CompiledReading, payload: unknown): Reading['quality'] {
  if (quality === null) return 'valid';
  const found = valueAt(quality.path, payload);
  const said =
    typeof found === 'object' || found === undefined ? undefined : quality.values.get(String(found));
  return said ?? quality.otherwise;
}
