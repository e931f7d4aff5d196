// Add lock entries for platform packages which the registry proxy does not describe to this machine.
import { readFileSync, writeFileSync } from 'node:fs';

const f = 'package-lock.json';
const L = JSON.parse(readFileSync(f));
let n = 0;
const osRe =
    /(linux|darwin|win32|android|freebsd|openbsd|netbsd|sunos|aix|openharmony|wasi|wasm32|emscripten)/,
  cpuRe = /(arm64|x64|arm|ia32|s390x|ppc64le|ppc64|ppc|riscv64|loong64|mips64el|mips|wasm32)/;
for (const [p, e] of Object.entries(L.packages))
  for (const [name, ver] of Object.entries(e.optionalDependencies ?? {})) {
    const has = L.packages[`node_modules/${name}`] || L.packages[`${p}/node_modules/${name}`];
    if (has) continue;
    const base = name.split('/').pop();
    const os = base.match(osRe)?.[1],
      cpu = base.replace(os ?? '', '').match(cpuRe)?.[1];
    const version = ver.replace(/^[\^~]/, '');
    const entry = {
      version,
      ...(cpu ? { cpu: [cpu] } : {}),
      ...(e.dev ? { dev: true } : {}),
      ...(base.includes('musl') ? { libc: ['musl'] } : {}),
      optional: true,
      ...(os ? { os: [os] } : {}),
    };
    L.packages[`node_modules/${name}`] = entry;
    n++;
    console.log(p, name, JSON.stringify(entry));
  }
const root = L.packages[''];
delete L.packages[''];
L.packages = Object.fromEntries([
  ['', root],
  ...Object.entries(L.packages).sort(([a], [b]) => (a < b ? -1 : 1)),
]);
writeFileSync(f, `${JSON.stringify(L, null, 2)}\n`);
console.log(n);
