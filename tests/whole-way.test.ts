import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../backbone/project-root.ts';
import { type Demo, startDemo } from '../cli/demo/run.ts';
import type { Alert, DraftCase } from '../contracts/index.ts';
import { launchChromium } from './support/chromium.ts';

// The real product, the real simulator, a real browser. The pictures in the README are the ones taken here:
// SCREENSHOTS=1 npx vitest run tests/whole-way.test.ts
const IMAGES = join(projectRoot, 'docs', 'images');

let demo: Demo;
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  demo = await startDemo({
    dataFolder: null,
    httpPort: 0,
    mqttPort: 0,
    seed: 1,
    log: pino({ level: 'silent' }),
    now: Date.now,
    onAlert: () => undefined,
  });
  browser = await launchChromium();
  page = await browser.newPage({ viewport: { width: 1366, height: 768 }, colorScheme: 'dark' });
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
});

afterAll(async () => {
  await browser?.close();
  await demo?.stop();
});

const draftOf = (kind: string): DraftCase | undefined =>
  demo.observer.drafts().find((draft) => draft.findings.some((finding) => finding.kind === kind));

const until = <T>(what: string, look: () => T | undefined, seconds: number): Promise<T> =>
  expect
    .poll(look, { message: what, timeout: seconds * 1000, interval: 200 })
    .toBeTruthy()
    .then(() => look() as T);

async function screenshot(name: string): Promise<void> {
  if (process.env.SCREENSHOTS === undefined) return;
  await mkdir(IMAGES, { recursive: true });
  await page.screenshot({ path: join(IMAGES, `${name}.png`) });
}

describe('from the street to the desk', () => {
  it('an alert comes up in the console by itself', { timeout: 60_000 }, async () => {
    await page.goto(demo.url);
    const draft = await until('a dust draft', () => draftOf('limit-exceeded'), 40);
    expect(draft.route).toMatchObject({ unit: 'u-linhe', reason: 'empowerment' });
    await page.getByText('TSP').first().waitFor();
  });

  it('a person opens it, sees the chart and why, and the lead arrives at the case system', {
    timeout: 60_000,
  }, async () => {
    await page.locator('[data-alert]').first().click();
    await page.locator('canvas').first().waitFor();
    const delivered = async () => (await demo.observer.counts()).leads.delivered;
    await expect.poll(delivered, { timeout: 30_000, interval: 500 }).toBeGreaterThan(0);
    await screenshot('console');
  });

  it('a truck in the fire lane is seen by the model, and its picture is shown with what was found', {
    timeout: 60_000,
  }, async () => {
    const draft = await until('an image draft', () => draftOf('image'), 40);
    expect(draft.route.unit).toMatch(/^u-(fire|qingshi)$/);
    const alerts = (await (await fetch(`${demo.url}/api/alerts?kind=image`)).json()) as { items: Alert[] };
    await page.goto(`${demo.url}/#/alerts/${alerts.items[0]?.id}`);
    await page.locator('svg rect').first().waitFor();
    await screenshot('console-picture');
  });

  it('each draft rests on evidence whose bytes match their hash', async () => {
    const draft = draftOf('image');
    const list = await fetch(`${demo.url}/api/draft-cases/${draft?.id}/evidence`);
    const { items } = (await list.json()) as { items: { name: string; sha256: string; url: string }[] };
    expect(items.map((item) => item.name).join(' ')).toMatch(/frames\/.*findings\/|findings\/.*frames\//);
    for (const item of items) {
      const bytes = await (await fetch(new URL(item.url, demo.url))).arrayBuffer();
      const hash = Buffer.from(await crypto.subtle.digest('SHA-256', bytes)).toString('hex');
      expect(hash, item.name).toBe(item.sha256);
    }
  });

  it('the browser had nothing to complain about', () => {
    expect(complaints).toEqual([]);
  });
});
