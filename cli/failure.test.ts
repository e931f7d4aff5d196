import { describe, expect, it } from 'vitest';
import { parse } from '../backbone/validation.ts';
import { QianliyanError } from '../contracts/index.ts';
import { Config } from './config.ts';
import { describeFailure } from './failure.ts';

describe('a failure is told to people', () => {
  it('with every problem once: path, value, what is allowed', () => {
    let caught: unknown;
    try {
      parse(Config, { http: { port: 99_999 }, foo: 1 }, { code: 'CONFIG_INVALID' });
    } catch (error) {
      caught = error;
    }
    const { text, exitCode } = describeFailure(caught);
    expect(exitCode).toBe(2);
    expect(text.match(/http\.port/g)).toHaveLength(1);
    expect(text.match(/foo/g)).toHaveLength(1);
    expect(text.split('\n')).toHaveLength(3);
  });

  it('with the exit code of its kind, and the stack only when nobody expected it', () => {
    const problems = [{ path: 'mqtt.port', found: 1883, allowed: 'a free port' }];
    const known = describeFailure(new QianliyanError('PORT_IN_USE', '127.0.0.1:1883', { problems }));
    expect(known).toEqual({
      exitCode: 2,
      text: 'PORT_IN_USE: a port is in use: 127.0.0.1:1883\n  mqtt.port: found 1883; a free port',
    });
    expect(describeFailure(new TypeError('x')).text).toContain('failure.test.ts');
  });

  it('a disk without room is one of those we expect', () => {
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
    const { text, exitCode } = describeFailure(full);
    expect([text.split(':')[0], text.split('\n').length, exitCode]).toEqual(['STORE_FULL', 1, 1]);
  });
});
