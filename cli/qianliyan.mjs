#!/usr/bin/env node
// The entry of the `qianliyan` command: plain JavaScript, so that it can say what is wrong before anything is built.
import { existsSync } from 'node:fs';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`qianliyan needs Node.js 20.19 or newer; this is ${process.version}.`);
  process.exit(2);
}
const built = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(built)) {
  console.error('qianliyan is not built yet. Run: npm run build');
  process.exit(2);
}
const { main } = await import(built.href);
await main(process.argv.slice(2));
