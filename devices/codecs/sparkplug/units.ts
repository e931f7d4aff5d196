/** Units as makers write them, by UCUM. Not mg/Nm3: a standard volume is not a volume. */
const SPELLINGS: Readonly<Record<string, readonly string[]>> = {
  'g/m3': ['g/m³', 'g/m^3'],
  'mg/m3': ['mg/m³', 'mg/m^3'],
  'ug/m3': ['µg/m³', 'μg/m³', 'µg/m3', 'μg/m3', 'ug/m³', 'ug/m^3'],
  'g/L': ['g/l'],
  'mg/L': ['mg/l'],
  'ug/L': ['µg/L', 'μg/L', 'ug/l'],
  '[ppm]': ['ppm'],
  '[ppb]': ['ppb'],
  '%': ['percent', '%RH', '% RH', 'RH%'],
  Cel: ['°C', '℃', 'degC', 'Celsius'],
  K: [],
  dB: ['dB(A)', 'dBA', 'dB[A]'],
  '[pH]': ['pH'],
  'L/s': ['l/s'],
  'm3/h': ['m³/h', 'm^3/h'],
  'm3/s': ['m³/s', 'm^3/s'],
  'm/s': [],
  m: [],
  mm: [],
  kPa: [],
  Pa: [],
  hPa: [],
  kW: [],
  'kW.h': ['kWh'],
  V: [],
  A: [],
  Hz: [],
  'uS/cm': ['µS/cm', 'μS/cm'],
  '{NTU}': ['NTU'],
  deg: ['°'],
};

/** UCUM, by spelling. */
const UCUM = new Map(
  Object.entries(SPELLINGS).flatMap(([ucum, others]) => [ucum, ...others].map((one) => [one, ucum] as const)),
);

/**
 * What a maker's text says of the unit, as UCUM: the declared unit when it is another spelling of that, another unit when
 * it is one (ingest refuses it: unit-mismatch), null when the text is not known: it states nothing, and the registry's holds.
 */
export function statedAs(text: string | null, declared: string | null): string | null {
  if (text === null) return null;
  const said = text.trim();
  if (said === declared) return declared;
  const unit = UCUM.get(said) ?? null;
  return declared !== null && unit !== null && UCUM.get(declared) === unit ? declared : unit;
}
