/**
 * Units of SenML → UCUM, as data: the primary units of RFC 8428 (section 12.1) and RFC 8798 (section 2), and the
 * secondary units of RFC 8798 (section 3), as in the IANA registry "SenML Units". Nothing is converted: a name is put
 * in place of a name. What stands here on the right is what a device's `unit` in the registry says.
 *
 * `dBm` has no name of its own in UCUM and stays as it is; so does every unit that is not in the table.
 */
const SAME_IN_UCUM = [
  ...[
    'm',
    'kg',
    'g',
    's',
    'A',
    'K',
    'cd',
    'mol',
    'Hz',
    'rad',
    'sr',
    'N',
    'Pa',
    'J',
    'W',
    'C',
    'V',
    'F',
    'Ohm',
  ],
  ...[
    'S',
    'Wb',
    'T',
    'H',
    'Cel',
    'lm',
    'lx',
    'Bq',
    'Gy',
    'Sv',
    'kat',
    'm2',
    'm3',
    'm/s',
    'm/s2',
    'm3/s',
    'W/m2',
  ],
  ...['cd/m2', 'bit', 'bit/s', 'dB', '%', 'S/m', 'J/m', 'kg/m3', 'deg'],
  ...[
    'ms',
    'min',
    'h',
    'MHz',
    'kW',
    'Mbit/s',
    'mV',
    'mA',
    'ug/m3',
    'mm/h',
    'm/h',
    'hPa',
    'mm',
    'cm',
    'km',
    'km/h',
  ],
];

/** SenML name → UCUM name. */
const UCUM: ReadonlyMap<string, string> = new Map([
  ...SAME_IN_UCUM.map((unit) => [unit, unit] as const),
  ['l', 'L'],
  ['l/s', 'L/s'],
  ['lat', 'deg'],
  ['lon', 'deg'],
  ['pH', '[pH]'],
  ['dBW', 'dB[W]'],
  ['Bspl', 'B[SPL]'],
  ['count', '{count}'],
  ['/', '1'],
  ['%RH', '%'],
  ['%EL', '%'],
  ['EL', 's'],
  ['1/s', '/s'],
  ['1/min', '/min'],
  ['beat/min', '{beat}/min'],
  ['beats', '{beat}'],
  ['B', 'By'],
  ['VA', 'V.A'],
  ['VAs', 'V.A.s'],
  ['var', 'V.A'],
  ['vars', 'V.A.s'],
  ['kVA', 'kV.A'],
  ['kvar', 'kV.A'],
  ['Ah', 'A.h'],
  ['Wh', 'W.h'],
  ['kWh', 'kW.h'],
  ['varh', 'V.A.h'],
  ['kvarh', 'kV.A.h'],
  ['kVAh', 'kV.A.h'],
  ['Wh/km', 'W.h/km'],
  ['KiB', 'KiBy'],
  ['GB', 'GBy'],
  ['B/s', 'By/s'],
  ['MB/s', 'MBy/s'],
  ['ppm', '[ppm]'],
  ['/100', '%'],
  ['/1000', '[ppth]'],
]);

/** The UCUM name; what is not registered stays as it was sent, and so does what the registry calls by that very name. */
export function ucumOf(unit: string | null, declared: string | null | undefined): string | null {
  if (unit === null || unit === declared) return unit;
  const ucum = UCUM.get(unit) ?? unit;
  const same = typeof declared === 'string' && bare(declared) === bare(ucum);
  return same ? declared : ucum;
}

/** Annotations in braces carry no meaning (UCUM, section 12): {count} is 1. */
function bare(ucum: string): string {
  return ucum.replaceAll(/\{[^}]*\}/g, '') || '1';
}
