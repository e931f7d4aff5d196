import type { BiText } from '../../contracts/index.ts';

/** What a device's codes mean, HJ 212-2017 tables 6 and 7. A code that is not there is shown as its number. */
export interface ResultCode extends BiText {
  code: number;
}

/** `QnRtn` of a 9011: whether the device takes the request (table 7). */
const QN_RTN: Readonly<Record<number, BiText>> = {
  1: { zh: '准备执行请求', en: 'ready to execute the request' },
  2: { zh: '请求被拒绝', en: 'the request is refused' },
  3: { zh: 'PW 错误', en: 'wrong password (PW)' },
  4: { zh: 'MN 错误', en: 'wrong device number (MN)' },
  5: { zh: 'ST 错误', en: 'wrong system code (ST)' },
  6: { zh: 'Flag 错误', en: 'wrong Flag' },
  7: { zh: 'QN 错误', en: 'wrong request number (QN)' },
  8: { zh: 'CN 错误', en: 'wrong command (CN)' },
  9: { zh: 'CRC 校验错误', en: 'wrong checksum' },
  100: { zh: '未知错误', en: 'unknown fault' },
};

/** `ExeRtn` of a 9012: what became of the request (table 6). */
const EXE_RTN: Readonly<Record<number, BiText>> = {
  1: { zh: '执行成功', en: 'done' },
  2: { zh: '执行失败，但不知道原因', en: 'failed, reason unknown' },
  3: { zh: '命令请求条件错误', en: 'the conditions of the request are wrong' },
  4: { zh: '通讯超时', en: 'communication timed out' },
  5: { zh: '系统繁忙不能执行', en: 'busy' },
  6: { zh: '系统故障', en: 'system fault' },
  100: { zh: '没有数据', en: 'no data' },
};

export const qnRtn = (code: number): ResultCode => inWords(QN_RTN, code);
export const exeRtn = (code: number): ResultCode => inWords(EXE_RTN, code);

function inWords(table: Readonly<Record<number, BiText>>, code: number): ResultCode {
  return { code, ...(table[code] ?? { zh: `代码 ${code}`, en: `code ${code}` }) };
}
