import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { parse } from 'yaml';
import { projectRoot } from '../backbone/project-root.ts';
import { QuarantineReason, type RegisteredDevice } from '../contracts/index.ts';
import {
  allCodecs,
  type Codec,
  type Decoded,
  type DecodedOne,
  TopicMappings,
} from '../devices/codecs/index.ts';
import { FrameSplitter } from '../devices/hj212/index.ts';
import { loadSpecimens, type Specimen, undress } from './fuzz-cases.ts';
import { mutate, type Random, seeded } from './fuzz-mutate.ts';
import { type BenchReport, type BenchRow, machine } from './report.ts';

/**
 * A million broken frames: every codec gets mutations of its own cases, and of other codecs' where they are spliced, all
 * through one set of codecs, as in the product. What must hold: nothing throws, no result goes beyond its bounds, no call
 * takes longer than BUDGET_MS, and what the codecs remember does not grow. The TCP framing of HJ 212 is fed the same way,
 * in pieces of any size. Seeded: a fault names what is needed to see it again.
 */
export interface FuzzOptions {
  frames: number;
  seed: number;
  progress?: (line: string) => void;
}

export interface FuzzRow extends BenchRow {
  frames: number;
  /** How many frames came out as what: kinds of results, and reasons of refusals. */
  outcomes: Record<string, number>;
  slowestMs: number;
}

export interface FuzzFault {
  codec: string;
  case: string;
  what: string;
  topic: string;
  payloadHex: string;
}

export interface FuzzReport extends BenchReport {
  rows: FuzzRow[];
  /** The first twenty. */
  faults: FuzzFault[];
}

const MAX_INFLATED = 262_144;
const BUDGET_MS = 1_000;
/** Results beyond this did not come from a payload of at most 16 KiB, inflated to at most 256 KiB. */
const MOST_READINGS = 100_000;
const MOST_DETAIL = 4_000;
const FAULTS_NAMED = 20;
/** Caches of codecs fill up to their bounds; more than that is a leak. */
const GROWTH_MB = 96;
const REASONS = new Set<string>(QuarantineReason.options);

export async function benchFuzz(options: FuzzOptions): Promise<FuzzReport> {
  const { frames, seed, progress = () => undefined } = options;
  const { all, devices } = loadSpecimens();
  const find = (name: string) => devices.find((d) => d.id === name || d.addresses.includes(name));
  const codecs = allCodecs({
    maxInflatedBytes: MAX_INFLATED,
    utcOffsetMs: 8 * 3_600_000,
    maxPictureBytes: 100_000,
    topicMappings: exampleMappings(),
    devices: { find },
  });
  const random = seeded(seed);
  const faults: FuzzFault[] = [];
  const note = (fault: FuzzFault) => void (faults.length < FAULTS_NAMED && faults.push(fault));
  const names = [...codecs.map((c) => c.name), STREAM];
  const rows: FuzzRow[] = [];
  const memory: { firstMb: number; lastMb: number }[] = [];
  let found = 0;
  for (const name of names) {
    const wanted = Math.ceil(frames / names.length);
    const own = all.filter((s) => s.codec === (name === STREAM ? 'hj212' : name));
    const run = name === STREAM ? streamRunner(random) : codecRunner(codecs, find);
    const row = await fuzzOne({ name, own, all, wanted, random, run, note, progress });
    rows.push(row.row);
    memory.push(row.memory);
    found += row.faults;
  }
  const growth = Math.max(...memory.map(({ firstMb, lastMb }) => lastMb - firstMb));
  const slowest = Math.max(...rows.map((row) => row.slowestMs));
  const goals = [
    {
      what: 'frames that made a codec throw, or gave what may not be',
      goal: 0,
      got: found,
      holds: found === 0,
    },
    { what: 'slowest frame, ms (at most)', goal: BUDGET_MS, got: slowest, holds: slowest <= BUDGET_MS },
    {
      what: 'memory held more at the end, MB (at most)',
      goal: GROWTH_MB,
      got: Math.round(growth),
      holds: growth <= GROWTH_MB,
    },
  ];
  return { name: 'fuzz', machine: machine(), rows, goals, faults };
}

const STREAM = 'hj212 over TCP';

type Runner = (specimen: Specimen, payload: Buffer) => Promise<{ outcome: string; wrong: string | null }>;

interface OneRun {
  name: string;
  own: readonly Specimen[];
  all: readonly Specimen[];
  wanted: number;
  random: Random;
  run: Runner;
  note(fault: FuzzFault): void;
  progress(line: string): void;
}

async function fuzzOne({ name, own, all, wanted, random, run, note, progress }: OneRun) {
  const outcomes: Record<string, number> = {};
  const held: number[] = [];
  let slowestMs = 0;
  let faults = 0;
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  const count = own.length === 0 ? 0 : wanted;
  for (let n = 0; n < count; n++) {
    const specimen = own[Math.floor(random() * own.length)] as Specimen;
    const other = (random() < 0.8 ? own : all)[Math.floor(random() * own.length)] ?? specimen;
    const payload = broken(specimen, other, random);
    const before = performance.now();
    const { outcome, wrong } = await run(specimen, payload);
    const ms = performance.now() - before;
    slowestMs = Math.max(slowestMs, ms);
    outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
    if (wrong !== null) {
      faults += 1;
      const { name: file, topic } = specimen;
      note({
        codec: name,
        case: file,
        what: wrong,
        topic,
        payloadHex: payload.toString('hex').slice(0, 4_000),
      });
    }
    if (n % 2_000 === 0) {
      held.push(heldMb());
      // Timers, of codecs or of ours, get their turn.
      await turn();
    }
    if (n > 0 && n % 50_000 === 0) progress(`${name}: ${n} of ${count} frames, ${faults} faults`);
  }
  const seconds = (performance.now() - begun) / 1_000;
  const cpu = process.cpuUsage(cpuBefore);
  progress(`${name}: ${count} frames, ${faults} faults, slowest ${slowestMs.toFixed(1)} ms`);
  const row: FuzzRow = {
    case: name,
    frames: count,
    ratePerS: Math.round(count / seconds),
    cpuSPer100k: count === 0 ? 0 : Number((((cpu.user + cpu.system) / 1e6 / count) * 1e5).toFixed(3)),
    rssMb: Math.round(process.memoryUsage.rss() / 1e6),
    outcomes,
    slowestMs: Number(slowestMs.toFixed(1)),
  };
  const fifth = Math.max(1, Math.floor(held.length / 5));
  const memory = { firstMb: Math.min(...held.slice(0, fifth)), lastMb: Math.min(...held.slice(-fifth)) };
  return { row, faults, memory: held.length === 0 ? { firstMb: 0, lastMb: 0 } : memory };
}

/** Half of what is in an envelope is mutated within it. */
function broken({ payload }: Specimen, other: Specimen, random: Random): Buffer {
  const dressed = random() < 0.5 ? undress(payload) : null;
  if (dressed === null) return mutate(payload, other.payload, random);
  return dressed.dress(mutate(dressed.inside, undress(other.payload)?.inside ?? other.payload, random));
}

function codecRunner(codecs: readonly Codec[], find: (name: string) => RegisteredDevice | undefined): Runner {
  return async ({ topic, receivedAt, userProperties }, payload) => {
    try {
      const codec = codecs.find((c) => c.match(topic) !== null);
      const address = codec?.match(topic);
      if (codec === undefined || address == null) return { outcome: 'no codec', wrong: null };
      const device = address.device === null ? undefined : find(address.device);
      const decoded = await codec.decode({ address, payload, receivedAt, device, userProperties });
      return { outcome: outcomeOf(decoded), wrong: wrongIn(decoded) };
    } catch (error) {
      return {
        outcome: 'threw',
        wrong: `threw ${error instanceof Error ? error.stack?.slice(0, 600) : String(error)}`,
      };
    }
  };
}

/** One connection of a monitor that never ends, so that the framing must find its way back after each fault. */
function streamRunner(random: Random): Runner {
  const splitter = new FrameSplitter();
  return async (_specimen, payload) => {
    try {
      let frames = 0;
      for (let from = 0; from < payload.length; ) {
        const to = from + 1 + Math.floor(random() * 64);
        frames += [...splitter.push(payload.subarray(from, to))].length;
        from = to;
      }
      const wrong = frames > payload.length ? `${frames} frames from ${payload.length} bytes` : null;
      return { outcome: frames === 0 ? 'waits' : 'frames or errors', wrong };
    } catch (error) {
      return {
        outcome: 'threw',
        wrong: `threw ${error instanceof Error ? error.stack?.slice(0, 600) : String(error)}`,
      };
    }
  };
}

function outcomeOf(decoded: Decoded): string {
  if (decoded.kind === 'rejected') return decoded.reason;
  if (decoded.kind !== 'several') return decoded.kind;
  const { decoded: first } = decoded.parts[0] ?? {};
  if (first === undefined) return 'several: none';
  return `several: ${first.kind === 'rejected' ? first.reason : first.kind}`;
}

/** What no codec may say, whatever it was given. */
function wrongIn(decoded: Decoded): string | null {
  if (decoded.kind !== 'several') return wrongInOne(decoded);
  if (decoded.parts.length > MOST_READINGS) return `${decoded.parts.length} parts`;
  for (const { decoded: one } of decoded.parts) {
    const wrong = wrongInOne(one);
    if (wrong !== null) return wrong;
  }
  return null;
}

function wrongInOne(one: DecodedOne): string | null {
  if (one.kind === 'rejected') return wrongReason(one);
  if (one.kind !== 'readings') return null;
  if (one.readings.length > MOST_READINGS) return `${one.readings.length} readings`;
  for (const { time, value, property } of one.readings) {
    if (typeof time !== 'number' || Number.isNaN(time)) return `time ${time}`;
    if (typeof value !== 'number' || Number.isNaN(value)) return `value ${value}`;
    if (property.length > MOST_DETAIL) return `a property of ${property.length} characters`;
  }
  return (one.rejected ?? []).map(wrongReason).find((wrong) => wrong !== null) ?? null;
}

function wrongReason({ reason, detail }: { reason: string; detail: string }): string | null {
  if (!REASONS.has(reason)) return `reason ${reason}`;
  if (detail.length > MOST_DETAIL) return `a detail of ${detail.length} characters for ${reason}`;
  return detail === '' ? `no detail for ${reason}` : null;
}

function heldMb(): number {
  const { heapUsed, external } = process.memoryUsage();
  return (heapUsed + external) / 1e6;
}

/** The mappings that ship as examples: without any, the codec of mapped topics has no topic. */
function exampleMappings(): TopicMappings {
  const folder = join(projectRoot, 'examples', 'mappings');
  const files = readdirSync(folder).sort();
  return TopicMappings.parse(
    files.flatMap((f) => parse(readFileSync(join(folder, f), 'utf8')).ingest.topicMappings),
  );
}
