/**
 * The two checksums that HJ 212 frames carry in the field. Neither says anything about tampering: the standard's own has
 * only 256 possible values (each step keeps just the high byte), so that 1 of 256 random corruptions passes.
 */
export type CrcVariant = 'standard' | 'modbus';

/** HJ 212-2017 Appendix A, the same in 2005 and 2025: the register's high byte is kept, the low one thrown away. */
export function crcStandard(bytes: Uint8Array): number {
  let register = 0xffff;
  for (const byte of bytes) register = SHIFTED[(register >> 8) ^ byte] ?? 0;
  return register;
}

/** CRC16/MODBUS, which some makers use instead. Only for a device whose profile says so. */
export function crcModbus(bytes: Uint8Array): number {
  let register = 0xffff;
  for (const byte of bytes) register = (register >> 8) ^ (SHIFTED[(register ^ byte) & 0xff] ?? 0);
  return register;
}

/** What becomes of each low byte in the eight steps of the algorithm. */
const SHIFTED = Uint16Array.from({ length: 256 }, (_, byte) => shift8(byte));

export const CRC: Record<CrcVariant, (bytes: Uint8Array) => number> = {
  standard: crcStandard,
  modbus: crcModbus,
};

/** Four hex digits, high byte first, leading zeros kept (several public tools drop them). */
export function crcText(value: number): string {
  return value.toString(16).toUpperCase().padStart(4, '0');
}

function shift8(start: number): number {
  let register = start;
  for (let i = 0; i < 8; i += 1) register = register & 1 ? (register >> 1) ^ 0xa001 : register >> 1;
  return register;
}
