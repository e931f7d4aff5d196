/**
 * Units of measure as UCUM (The Unified Code for Units of Measure, case sensitive) has them. The grammar of section 2 is
 * read whole: prefixes, exponents, `.` and `/`, parentheses, `{annotations}`, numbers; the atoms are those that monitoring
 * of air, water, noise, weather, traffic and power uses, not all 300 of UCUM: else `MG/L` would be megagauss a litre, and
 * nobody would notice. For what is usually written instead, the right spelling is named. Promises nothing of whether a
 * unit fits a property.
 */

/** Atoms that take a metric prefix. */
const METRIC = [
  ...[
    'm',
    'g',
    's',
    'rad',
    'K',
    'C',
    'cd',
    'mol',
    'sr',
    'Hz',
    'N',
    'Pa',
    'J',
    'W',
    'A',
    'V',
    'F',
    'Ohm',
    'S',
  ],
  ...['Wb', 'Cel', 'T', 'H', 'lm', 'lx', 'Bq', 'Gy', 'Sv', 'l', 'L', 'ar', 't', 'bar', 'eV', 'kat', 'U'],
  ...['cal', 'eq', 'osm', 'B', 'B[SPL]', 'B[V]', 'B[W]', 'Np', 'Ci', 'Gal'],
  ...['m[H2O]', 'm[Hg]', 'mho', 'g%', 'Bd', 'bit', 'By', 'st', 'tex'],
];
/** Atoms that take none. */
const PLAIN = [
  ...[
    '%',
    '[pi]',
    'gon',
    'deg',
    "'",
    "''",
    'min',
    'h',
    'd',
    'wk',
    'mo',
    'a',
    '[ppth]',
    '[ppm]',
    '[ppb]',
    '[pptr]',
  ],
  ...[
    '[pH]',
    '[degF]',
    '[degR]',
    'atm',
    'att',
    '[g]',
    '[c]',
    '[h]',
    '[k]',
    '[e]',
    '[lb_av]',
    '[oz_av]',
    '[in_i]',
  ],
  ...[
    '[ft_i]',
    '[yd_i]',
    '[mi_i]',
    '[nmi_i]',
    '[kn_i]',
    '[gal_us]',
    '[psi]',
    '[HP]',
    '[CFU]',
    '[Btu]',
    '[car_m]',
  ],
  ...["[arb'U]", '[iU]', '[IU]', '[PFU]', '10*', '10^', "[in_i'Hg]", "[in_i'H2O]"],
];
const PREFIXES = ['da', ...'YZEPTGMkhdcmunpfazy', 'Ki', 'Mi', 'Gi', 'Ti'];

const ATOMS = new Set([
  ...PLAIN,
  ...METRIC,
  ...METRIC.flatMap((atom) => PREFIXES.map((prefix) => prefix + atom)),
]);

/** The right spelling, by what people write. Keys are compared without blanks. */
const MEANT: Readonly<Record<string, string>> = {
  '℃': 'Cel',
  '°C': 'Cel',
  ºC: 'Cel',
  degC: 'Cel',
  C: 'Cel',
  摄氏度: 'Cel',
  '℉': '[degF]',
  '°F': '[degF]',
  '°': 'deg',
  度: 'deg',
  '％': '%',
  '%RH': '%',
  'RH%': '%',
  '‰': '[ppth]',
  ppm: '[ppm]',
  ppb: '[ppb]',
  pH: '[pH]',
  PH: '[pH]',
  ph: '[pH]',
  无量纲: '1',
  dBA: 'dB{A}',
  'dB(A)': 'dB{A}',
  'dB[A]': 'dB{A}',
  分贝: 'dB',
  NTU: '{NTU}',
  CFU: '[CFU]',
  FNU: '{FNU}',
  Ω: 'Ohm',
  ohm: 'Ohm',
  'kw.h': 'kW.h',
  kWh: 'kW.h',
  KWh: 'kW.h',
  kwh: 'kW.h',
  hr: 'h',
  sec: 's',
  mmHg: 'mm[Hg]',
  mmH2O: 'mm[H2O]',
  mb: 'mbar',
  kph: 'km/h',
  mph: '[mi_i]/h',
  rpm: '/min',
  'r/min': '/min',
  'L/S': 'L/s',
  'l/S': 'L/s',
  'm/S': 'm/s',
  'm3/S': 'm3/s',
  'm3/H': 'm3/h',
  pcs: '1',
  个: '1',
  级: '1',
};

/** What is wrong with a unit, as what is allowed; null when it is UCUM. */
export function unitFault(unit: string): string | null {
  if (isUcum(unit) && !Object.hasOwn(MEANT, unit)) return null;
  const meant = meantUnit(unit);
  return meant === null
    ? 'a unit in UCUM, such as mg/m3, ug/m3, Cel, %, dB, m/s, [pH], 1'
    : `in UCUM it is written ${meant}`;
}

/** Section 2.3: terms of components, joined by `.` and `/`. */
export function isUcum(unit: string): boolean {
  if (!/^[!-~]+$/.test(unit)) return false;
  const reader = { text: unit, at: 0 };
  return readTerm(reader, 0) && reader.at === unit.length;
}

interface Reader {
  text: string;
  at: number;
}

function readTerm(reader: Reader, depth: number): boolean {
  if (depth > 10) return false;
  if (reader.text[reader.at] === '/') reader.at += 1;
  for (;;) {
    if (!readComponent(reader, depth)) return false;
    const operator = reader.text[reader.at];
    if (operator !== '.' && operator !== '/') return true;
    reader.at += 1;
  }
}

const ANNOTATION = /\{[^{}]*\}/y;
/** An atom ends where an exponent, an operator, a bracket of another kind or an annotation begins. */
const SYMBOL = /(10\*|10\^|(?:[A-Za-z%']|\[[^[\]]+\])+)([+-]?\d+)?/y;
const NUMBER = /[1-9]\d*/y;

function readComponent(reader: Reader, depth: number): boolean {
  if (reader.text[reader.at] === '(') {
    reader.at += 1;
    if (!readTerm(reader, depth + 1) || reader.text[reader.at] !== ')') return false;
    reader.at += 1;
    return true;
  }
  const symbol = take(reader, SYMBOL);
  if (symbol !== null) {
    if (!ATOMS.has(symbol[1] ?? '')) return false;
    take(reader, ANNOTATION);
    return true;
  }
  const number = take(reader, NUMBER);
  return take(reader, ANNOTATION) !== null || number !== null;
}

function take(reader: Reader, pattern: RegExp): RegExpExecArray | null {
  pattern.lastIndex = reader.at;
  const match = pattern.exec(reader.text);
  if (match !== null) reader.at = pattern.lastIndex;
  return match;
}

const SUPERSCRIPTS: Readonly<Record<string, string>> = { '²': '2', '³': '3', '⁻': '-', '¹': '1' };

/** The UCUM unit that was probably meant; null when nothing comes near. */
function meantUnit(unit: string): string | null {
  // Compatibility forms first: ㎎ → mg, ㎥ → m3, ℃ stays °C.
  const plain = unit
    .normalize('NFKC')
    .replace(/[²³⁻¹]/g, (c) => SUPERSCRIPTS[c] ?? c)
    .replaceAll(/\s+/g, '')
    .replace(/[μµ]/g, 'u')
    .replace(/[·⋅*×]/g, '.')
    .replaceAll('^', '')
    // A normal cubic metre: which conditions values refer to is the limit's to say, not the unit's.
    .replace('Nm3', 'm3');
  const word = MEANT[unit.replaceAll(/\s+/g, '')] ?? MEANT[plain];
  if (word !== undefined) return word;
  for (const guess of [plain, withoutCase(plain), plain.toLowerCase()]) {
    const parts = guess.split('/').map((part) => (isUcum(part) ? part : (MEANT[part] ?? part)));
    if (isUcum(parts.join('/'))) return parts.join('/');
  }
  return null;
}

/** `MG/L`, `Nm3`, `M3/H`, `Kpa`: the spelling of an atom that is the same but for its case. */
function withoutCase(unit: string): string {
  return unit.replace(/[A-Za-z]+/g, (word) => BY_LOWER_CASE.get(word.toLowerCase()) ?? word);
}

/** Of atoms that differ by case only, those that monitoring means are named last and win. */
const COMMON = [
  'g',
  'kg',
  'mg',
  'ug',
  'ng',
  't',
  'm',
  'cm',
  'mm',
  'km',
  's',
  'ms',
  'min',
  'h',
  'd',
  'L',
  'mL',
  'Pa',
  'kPa',
  'hPa',
  'MPa',
];
const MORE_COMMON = [
  'A',
  'mA',
  'V',
  'mV',
  'kV',
  'W',
  'kW',
  'Hz',
  'kHz',
  'lx',
  'dB',
  'mol',
  'mmol',
  'S',
  'mS',
  'K',
];
const BY_LOWER_CASE = new Map(
  [...ATOMS, ...MORE_COMMON, ...COMMON].map((atom) => [atom.toLowerCase(), atom]),
);
