import type { BiText, Finding, RegisteredDevice } from '../../contracts/index.ts';
import { localTime, localTimeZh, offsetText } from '../store/local-time.ts';
import { coordinates, KIND_NAMES, quantity, statisticName } from './words.ts';

export interface FactParts {
  /** By start. Never empty. */
  findings: readonly [Finding, ...Finding[]];
  device: RegisteredDevice | undefined;
  location: readonly [number, number];
  /** The jurisdiction that the place lies in; null = none. */
  area: BiText | null;
  occurred: { from: number; to: number };
  /** All findings are closed. */
  over: boolean;
  utcOffsetMinutes: number;
}

/** At most so many findings are told one by one; the others are counted. */
const TOLD = 5;

/**
 * The facts of a draft case: when, where, which device, what was measured or seen. Every number, time and place comes
 * from the findings and the device's record; nothing is concluded here.
 */
export function facts(parts: FactParts): BiText {
  const told = parts.findings.slice(0, TOLD).map(tell);
  const rest = parts.findings.length - told.length;
  const sentences = [where(parts), ...told];
  if (rest > 0) {
    sentences.push({
      zh: `另有${rest}项同类发现，见证据清单。`,
      en: `${rest} more findings of the kind are in the evidence.`,
    });
  }
  return { zh: sentences.map((s) => s.zh).join(''), en: sentences.map((s) => s.en).join(' ') };
}

function where({ device, findings, location, area, occurred, over, utcOffsetMinutes }: FactParts): BiText {
  const [first] = findings;
  const name = device?.name ?? {
    zh: `${first.device}（登记册中无此设备当时的记录）`,
    en: `${first.device} (the registry has no record of it at that time)`,
  };
  const zone = offsetText(utcOffsetMinutes);
  const at = coordinates(location);
  const [fromZh, toZh] = [occurred.from, occurred.to].map((t) => localTimeZh(t, utcOffsetMinutes));
  const [from, to] = [occurred.from, occurred.to].map((t) => localTime(t, utcOffsetMinutes));
  const lasting = over ? { zh: '', en: '' } : { zh: '（仍在持续）', en: ' (still lasting)' };
  const what = KIND_NAMES[first.kind];
  return {
    zh: `${fromZh}至${toZh}（${zone}）${lasting.zh}，位于${area?.zh ?? '未划定辖区处'}（${at.zh}）的${device?.kind === 'camera' ? '摄像机' : '监测设备'}“${name.zh}”（编号${first.device}）记录到${what.zh}。`,
    en: `From ${from} to ${to} (${zone})${lasting.en}, the ${device?.kind === 'camera' ? 'camera' : 'monitoring device'} "${name.en}" (${first.device}) in ${area?.en ?? 'no defined jurisdiction'} (${at.en}) recorded: ${what.en}.`,
  };
}

function tell(finding: Finding): BiText {
  const measured = measure(finding);
  return {
    zh: `${closed(finding.summary.zh, '。')}${measured.zh}`,
    en: `${closed(finding.summary.en, '.')} ${measured.en}`,
  };
}

/** Measured, limit and clause, and how complete the values were. */
function measure({ measure: m, clause, input }: Finding): BiText {
  const name = statisticName(m.statistic);
  const zh = [`${name.zh}为${quantity(m.value, m.unit)}`];
  const en = [`${name.en}: ${quantity(m.value, m.unit)}`];
  if (m.limit !== undefined) {
    zh.push(`对照值${quantity(m.limit, m.unit)}${clause === undefined ? '' : `（${clause}）`}`);
    en.push(`held against ${quantity(m.limit, m.unit)}${clause === undefined ? '' : ` (${clause})`}`);
  }
  if (m.validCount !== undefined && m.expectedCount !== undefined) {
    zh.push(`有效数据${m.validCount}/${m.expectedCount}个`);
    en.push(`${m.validCount} of ${m.expectedCount} values valid`);
  }
  if (input.frames.length > 0) {
    zh.push(`依据图像${input.frames.length}幅`);
    en.push(`resting on ${input.frames.length} pictures`);
  }
  return { zh: `${zh.join('，')}。`, en: `${en.join(', ')}.` };
}

function closed(sentence: string, stop: string): string {
  return /[。.!！？?]$/.test(sentence) ? sentence : `${sentence}${stop}`;
}
