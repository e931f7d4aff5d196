import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

/**
 * `npm run build` writes console/dist, which the product serves under its content security policy: no inline script or
 * style, no data: URL, no other host. `npx vite console` is the developer's server; it hands /api on to a running product
 * (or to `npx tsx console/dev/serve.ts`), by default on port 8080.
 */
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // A data: URL would need a hole in the policy, and the polyfill is for browsers that we don't serve.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': process.env.QIANLIYAN_URL ?? 'http://localhost:8080' } },
});
