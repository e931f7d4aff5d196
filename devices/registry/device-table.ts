import { Device, type RegisteredDevice } from '../../contracts/index.ts';
import { type CsvFault, type CsvRow, csvLine } from './csv.ts';

/**
 * Devices as rows of a table, both ways; what is written reads back as the same device.
 *
 *   id, template, kind, model, site, lon, lat, name_zh, name_en, password, gateway
 *   party, uscc, party_address, party_contact       the regulated party
 *   addresses                                       parted by ; or blanks, or a JSON array
 *   attr_<name>                                     an attribute
 *   datastreams, zones, hj212, permitLimits, calibrations, maintenance, article41      JSON
 */
const JSON_COLUMNS = [
  'datastreams',
  'zones',
  'hj212',
  'permitLimits',
  'calibrations',
  'maintenance',
  'article41',
] as const;
const TEXT_COLUMNS = ['id', 'template', 'kind', 'model', 'site', 'password', 'gateway'];
const PARTY_COLUMNS = {
  party: 'name',
  uscc: 'uscc',
  party_address: 'address',
  party_contact: 'contact',
} as const;
const COLUMNS: readonly string[] = [
  ...TEXT_COLUMNS,
  ...['lon', 'lat', 'name_zh', 'name_en', 'addresses'],
  ...Object.keys(PARTY_COLUMNS),
  ...JSON_COLUMNS,
];

export function unknownColumns(columns: readonly string[]): CsvFault[] {
  return columns
    .filter((name) => name !== '' && !COLUMNS.includes(name) && !name.startsWith('attr_'))
    .map((name) => ({ column: name, found: name, allowed: `one of ${COLUMNS.join(', ')}, attr_<name>` }));
}

/** A row as the registry takes it, and what of its cells cannot be read. */
export function rowFromTable({ cells, faults }: CsvRow): {
  row: Record<string, unknown>;
  faults: CsvFault[];
} {
  const row: Record<string, unknown> = {};
  const found = [...faults];
  for (const name of TEXT_COLUMNS) if (cells[name] !== undefined) row[name] = cells[name];
  if (cells.lon !== undefined || cells.lat !== undefined) {
    row.location = [degrees('lon', cells.lon, found), degrees('lat', cells.lat, found)];
  }
  const { name_zh = cells.name_en, name_en = cells.name_zh } = cells;
  if (name_zh !== undefined) row.name = { zh: name_zh, en: name_en };
  if (cells.addresses !== undefined) row.addresses = readAddresses(cells.addresses, found);
  const party = Object.entries(PARTY_COLUMNS).flatMap(([column, field]) =>
    cells[column] === undefined ? [] : [[field, cells[column]]],
  );
  if (party.length > 0) row.regulatedParty = Object.fromEntries(party);
  const attributes = Object.entries(cells).filter(([column]) => column.startsWith('attr_'));
  if (attributes.length > 0) {
    row.attributes = Object.fromEntries(
      attributes.map(([column, cell]) => [column.slice('attr_'.length), cell]),
    );
  }
  for (const name of JSON_COLUMNS)
    if (cells[name] !== undefined) row[name] = readJson(name, cells[name], found);
  return { row, faults: found };
}

/** Number('') is 0: a missing coordinate must not become the equator. */
function degrees(column: string, cell: string | undefined, faults: CsvFault[]): number {
  const value = cell === undefined || !/^[+-]?[\d.]+(e[+-]?\d+)?$/i.test(cell) ? Number.NaN : Number(cell);
  if (!Number.isFinite(value))
    faults.push({ column, found: cell ?? '', allowed: 'degrees as a decimal number, e.g. 123.41' });
  return Number.isFinite(value) ? value + 0 : 0;
}

function readAddresses(cell: string, faults: CsvFault[]): unknown {
  return cell.startsWith('[')
    ? readJson('addresses', cell, faults)
    : cell.split(/[;\s]+/).filter((a) => a !== '');
}

function readJson(column: string, cell: string, faults: CsvFault[]): unknown {
  try {
    return JSON.parse(cell);
  } catch (error) {
    faults.push({
      column,
      found: cell.slice(0, 200),
      allowed: `JSON (${error instanceof Error ? error.message : error})`,
    });
    return undefined;
  }
}

/** The column that a field of a device stands in: `location.0` is `lon`. */
export function columnOf(path: string): string {
  const [field = '', inner = ''] = path.split('.');
  if (field === 'location') return inner === '' ? 'lon, lat' : inner === '0' ? 'lon' : 'lat';
  if (field === 'name') return inner === '' ? 'name_zh' : `name_${inner}`;
  if (field === 'attributes') return `attr_${path.slice('attributes.'.length)}`;
  if (field === 'addresses') return field;
  if (field === 'regulatedParty') {
    return Object.entries(PARTY_COLUMNS).find(([, name]) => name === inner)?.[0] ?? 'party';
  }
  return path;
}

/** Lines of a table of these devices, the first with the names of the columns. Each ends with a line break. */
export function* tableOf(devices: readonly RegisteredDevice[]): Generator<string> {
  const attributes = [...new Set(devices.flatMap((d) => Object.keys(d.attributes)))].sort();
  const json = JSON_COLUMNS.filter((name) => devices.some((d) => !isEmpty(d, name)));
  const head = ['id', 'kind', 'name_zh', 'name_en', 'model', 'site', 'lon', 'lat', 'gateway', 'addresses'];
  yield `${csvLine([...head, ...Object.keys(PARTY_COLUMNS), ...attributes.map((a) => `attr_${a}`), ...json])}\r\n`;
  for (const device of devices) {
    const { id, kind, name, model, site, location, gateway, regulatedParty: party } = device;
    const own = [
      id,
      kind,
      name.zh,
      name.en,
      model,
      site,
      ...location,
      gateway,
      addressCell(device.addresses),
    ];
    const parties = Object.values(PARTY_COLUMNS).map((field) => party?.[field] ?? null);
    const marks = attributes.map((a) => device.attributes[a] ?? null);
    const rest = json.map((column) => (isEmpty(device, column) ? null : JSON.stringify(device[column])));
    yield `${csvLine([...own, ...parties, ...marks, ...rest])}\r\n`;
  }
}

function addressCell(addresses: readonly string[]): string | null {
  if (addresses.length === 0) return null;
  const plain = addresses.every((a) => !/[;\s]/.test(a));
  return plain && !addresses[0]?.startsWith('[') ? addresses.join(';') : JSON.stringify(addresses);
}

const NO_RECORD = JSON.stringify(Device.shape.article41.parse(undefined));

function isEmpty(device: RegisteredDevice, column: (typeof JSON_COLUMNS)[number]): boolean {
  const value = device[column];
  if (column === 'article41') return JSON.stringify(value) === NO_RECORD;
  return value === null || (Array.isArray(value) && value.length === 0);
}
