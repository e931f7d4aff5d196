import { createCipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { encodeSegment } from './encode.ts';
import { decryptSegment, encryptSegment, looksEncrypted, looksPlain } from './sm4.ts';

describe('SM4', () => {
  it('is that of GB/T 32907, its standard vector', () => {
    const block = Buffer.from('0123456789abcdeffedcba9876543210', 'hex');
    const cipher = createCipheriv('sm4-ecb', block, null).setAutoPadding(false);
    expect(cipher.update(block).toString('hex')).toBe('681edf34d206965e86b3e94f536e4246');
  });

  it('gives what HJ 212-2025 Appendix H prints for its key and text', () => {
    const cipher = createCipheriv('sm4-ecb', Buffer.from('msbE74gsiSHSEh5e'), null);
    const text = Buffer.concat([cipher.update('testuser:AezF0nZRs4kypuGO'), cipher.final()]);
    expect(text.toString('base64')).toBe('LG/m7lsFU/taig+vbQsDJXy4NGAaE2j2lplPwhZM7iM=');
  });

  it('covers whole groups of 16 bytes between CP=&& and the last &&; head, rest and length stay', () => {
    const key = Buffer.alloc(16, 0x30);
    for (const length of [0, 15, 16, 17, 47, 48]) {
      const cp = 'DataTime=20260101000000;a21026-Rtd=1.234567890123456'.slice(0, length);
      const plain = encodeSegment({ mn: 'A1', cn: '2011', flag: 9, cp });
      const wire = encryptSegment(plain, key);
      const from = plain.indexOf('CP=&&') + 5;
      const covered = length - (length % 16);
      expect(wire).toHaveLength(plain.length);
      expect(wire.subarray(0, from)).toEqual(plain.subarray(0, from));
      expect(wire.subarray(from + covered)).toEqual(plain.subarray(from + covered));
      expect(wire.equals(plain)).toBe(covered === 0);
      expect(decryptSegment(wire, key)).toEqual(plain);
      expect(looksPlain(plain)).toBe(true);
      expect(looksEncrypted(wire)).toBe(covered > 0);
    }
  });
});
