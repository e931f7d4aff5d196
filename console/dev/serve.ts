/** `npx tsx console/dev/serve.ts [port]`: the built console with the fake API, and a new alert every few seconds. */
import { tellDust } from './cases.ts';
import { startFakeApi } from './fake-api.ts';

const fake = await startFakeApi({ port: Number(process.argv[2] ?? 8080) });
console.log(`fake API and console: ${fake.url}`);
let n = 100;
setInterval(() => fake.raise(tellDust(n++, fake.now())), 8000);
setInterval(() => {
  const { acknowledged } = fake.counts.observations;
  fake.counts = {
    ...fake.counts,
    observations: { acknowledged: acknowledged + 47, stored: acknowledged + 47 },
  };
  fake.emit('counts', fake.counts);
}, 1000);
