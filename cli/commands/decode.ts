import { once } from 'node:events';
import { createReadStream, type ReadStream } from 'node:fs';
import { type Command, Option } from 'commander';
import { QianliyanError } from '../../contracts/index.ts';
import { type CrcVariant, type DecodedFrame, Hj212Decoder } from '../../devices/hj212/index.ts';

interface DecodeOptions {
  crc: 'standard' | 'modbus' | 'both';
  maxSegment: string;
  key?: string;
}

const ACCEPTED: Record<DecodeOptions['crc'], CrcVariant[]> = {
  standard: ['standard'],
  modbus: ['modbus'],
  both: ['standard', 'modbus'],
};

export function registerDecode(program: Command): void {
  const decode = program.command('decode');
  decode
    .command('hj212')
    .description(
      'raw HJ 212 frames in, one a line or back to back; one JSON line a frame out, or its error code with the position',
    )
    .argument('[file]', 'file with the frames; - or nothing: standard input', '-')
    .addOption(
      new Option(
        '--crc <variant>',
        'checksum that is accepted: the standard’s, CRC16/MODBUS (some makers), or both',
      )
        .choices(['standard', 'modbus', 'both'])
        .default('standard'),
    )
    .option('--max-segment <bytes>', 'longest data segment that is accepted', '1024')
    .option('--key <hex>', 'SM4 key of encrypted segments (2025), 32 hex digits')
    .addHelpText(
      'after',
      '\nA broken frame is a line with "ok": false; the exit code is 0 all the same, since the work was done.',
    )
    .action(async (file: string, options: DecodeOptions, command: Command) => {
      const maxSegment = Number(options.maxSegment);
      if (!Number.isInteger(maxSegment) || maxSegment < 1 || maxSegment > 9999) {
        command.error(
          `error: --max-segment is '${options.maxSegment}'; allowed: a whole number from 1 to 9999`,
        );
      }
      const { key } = options;
      if (key !== undefined && !/^[0-9a-f]{32}$/i.test(key))
        command.error('error: --key is not the 32 hex digits of 16 bytes');
      const sm4 = key === undefined ? {} : { key: Buffer.from(key, 'hex'), braces: true };
      const decoder = new Hj212Decoder({ crc: ACCEPTED[options.crc], maxSegment, ...sm4 });
      const input = file === '-' ? process.stdin : await openFile(file);
      for await (const chunk of input) await print(decoder.push(chunk as Buffer));
      await print(decoder.end());
    });
}

async function openFile(file: string): Promise<ReadStream> {
  const input = createReadStream(file);
  try {
    await once(input, 'open');
    return input;
  } catch (cause) {
    const problems = [{ path: 'FILE', found: file, allowed: 'a file that can be read' }];
    throw new QianliyanError('USAGE', `${file} cannot be read`, { cause, problems });
  }
}

/** Waits for a slow reader of our output rather than holding the lines in memory. */
async function print(frames: DecodedFrame[]): Promise<void> {
  const text = frames.map((frame) => `${JSON.stringify(frame)}\n`).join('');
  if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
}
