import type { Command } from 'commander';
import { nativePayloadJsonSchema } from '../../devices/codecs/native-json/json-schema.ts';

export function registerSchema(program: Command): void {
  const schema = program.command('schema');
  schema
    .command('native-json')
    .description('of what a device publishes to v1/devices/<id>/observations')
    .action(() => {
      process.stdout.write(nativeJsonSchema());
    });
}

/** docs/schemas/native-payload.schema.json is this text; a test holds them together. */
export function nativeJsonSchema(): string {
  return `${JSON.stringify(nativePayloadJsonSchema(), null, 2)}\n`;
}
