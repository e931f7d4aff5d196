/**
 * The demonstration district: 23 devices at made-up places of a made-up district, in the registry's list format.
 * `devices.yaml` is both what the product is given to import and what the simulator plays.
 */
import { parse } from 'yaml';
import { z } from 'zod';
import { Device } from '../../contracts/index.ts';
import { assetText } from '../assets.ts';

export { responsibleUnit, streetOf } from './responsible.ts';

/** The list as text, for the product's import. */
export const districtList = (): string => assetText('district/devices.yaml');

export function districtDevices(): Device[] {
  return readDevices(districtList());
}

/** Reads a device list: an object with `devices`, or the bare array. Throws a ZodError that names what is wrong. */
export function readDevices(text: string): Device[] {
  const read: unknown = parse(text);
  const List = z.array(Device);
  return Array.isArray(read) ? List.parse(read) : z.strictObject({ devices: List }).parse(read).devices;
}
