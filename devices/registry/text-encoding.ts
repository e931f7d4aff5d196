import { QianliyanError } from '../../contracts/index.ts';

/**
 * Bytes of a list to text. Without a charset: by the byte order mark (UTF-8, UTF-16), else UTF-8 when the bytes are that,
 * else GB 18030, in which Chinese spreadsheets save CSV. A Chinese text of some length is never by chance valid UTF-8.
 */
export function textOf(bytes: Buffer, charset?: string): string {
  const label = charset ?? charsetOf(bytes);
  try {
    return new TextDecoder(label, { fatal: true }).decode(bytes);
  } catch (cause) {
    const problems = [
      { path: 'charset', found: label, allowed: 'utf-8, utf-16le, gb18030 or gbk, and text written in it' },
    ];
    throw new QianliyanError('REQUEST_INVALID', `the list is not text in ${label}`, { cause, problems });
  }
}

function charsetOf(bytes: Buffer): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    return 'utf-8';
  } catch {
    return 'gb18030';
  }
}
