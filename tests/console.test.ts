/**
 * The console in a real browser: built, served by the product's HTTP server (so under its real content security policy), against
 * the fake API of console/dev. Each test is a journey of the officer or a fault that has to be shown well.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { projectRoot } from '../backbone/project-root.ts';
import { tellDust } from '../console/dev/cases.ts';
import { type FakeApi, type FakeApiOptions, startFakeApi } from '../console/dev/fake-api.ts';
import { SCENE } from '../console/dev/scene.ts';
import { QianliyanError } from '../contracts/index.ts';
import { launchChromium } from './support/chromium.ts';

/** A build of its own: other tests read console/dist at the same time. */
let dist: string;
vi.setConfig({ testTimeout: 60_000 });

let browser: Browser;
/** What was opened in a test and is closed behind it. */
const opened: { close(): Promise<void> }[] = [];
/** Console errors, page errors, policy violations and requests to other hosts of the present test. */
let complaints: string[] = [];
/** Complaints that a test causes on purpose: the browser logs each refused request. */
let expected: RegExp | null = null;

beforeAll(async () => {
  dist = await mkdtemp(join(tmpdir(), 'qianliyan-console-'));
  await build({
    root: join(projectRoot, 'console'),
    configFile: join(projectRoot, 'console', 'vite.config.ts'),
    logLevel: 'error',
    build: { outDir: dist },
  });
  browser = await launchChromium();
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await rm(dist, { recursive: true, force: true });
});
afterEach(async () => {
  for (const thing of opened.splice(0).reverse()) await thing.close();
  const unexpected = complaints.filter((text) => expected === null || !expected.test(text));
  complaints = [];
  expected = null;
  expect(unexpected).toEqual([]);
});

interface OpenOptions extends FakeApiOptions {
  path?: string;
  language?: 'zh' | 'en';
  context?: BrowserContextOptions;
}

async function open(options: OpenOptions = {}): Promise<{ page: Page; fake: FakeApi }> {
  const fake = await startFakeApi({ assets: dist, ...options });
  opened.push(fake);
  const context = await browser.newContext({
    viewport: { width: 1366, height: 768 },
    colorScheme: 'dark',
    // Drawn by the processor here: what moves for ever would slow down all else.
    reducedMotion: 'reduce',
    ...options.context,
  });
  opened.push(context);
  const page = await context.newPage();
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(fake.url) && !request.url().startsWith('blob:'))
      complaints.push(`other host: ${request.url()}`);
  });
  await page.addInitScript((language) => {
    if (localStorage.getItem('ql.language') === null) localStorage.setItem('ql.language', language);
    document.addEventListener('securitypolicyviolation', (event) =>
      console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`),
    );
  }, options.language ?? 'zh');
  await page.goto(fake.url + (options.path ?? '/'));
  return { page, fake };
}

const row = (page: Page, id: string) => page.locator(`[data-alert="${id}"]`);
const byTest = (page: Page, id: string) => page.getByTestId(id);
// biome-ignore lint/performance/useDomNodeTextContent: the text as it is seen, hidden parts left out
const textOf = (locator: Locator) => locator.innerText();
/** What will be so; CI machines may be busy. */
const soon = <T>(read: () => T) => expect.poll(read, { timeout: 20_000 });
const sentTo = (fake: FakeApi, method: string, path: string) =>
  fake.sent.filter((call) => call.method === method && call.path.startsWith(path));

describe('the live desk', () => {
  test('shows what is there: alerts, counts of the way, the district, and what waits for review', async () => {
    const { page } = await open();
    await row(page, 'al-7').waitFor();
    expect(await page.locator('[role=option]').count()).toBe(7);
    expect(await textOf(byTest(page, 'count-received'))).toContain('128,404');
    expect(await textOf(byTest(page, 'count-quarantined'))).toContain('12');
    await byTest(page, 'map').locator('.mark').first().waitFor();
    expect(await byTest(page, 'map').locator('.mark').count()).toBe(7);
    expect(await page.locator('.waiting li').count()).toBe(6);
    expect(await textOf(byTest(page, 'line'))).toBe('实时');
    expect(await page.title()).toContain('千里眼');
  });

  test('an alert that is raised slides in at the top by itself, with its unit, and the counts follow', async () => {
    const { page, fake } = await open();
    await row(page, 'al-7').waitFor();
    fake.raise(tellDust(42, fake.now()));
    await row(page, 'al-42').waitFor();
    const first = page.locator('[role=option][aria-posinset="1"]');
    expect(await first.getAttribute('data-alert')).toBe('al-42');
    expect(await textOf(first)).toContain('临河街道综合行政执法队');
    expect(await first.getAttribute('class')).toContain('is-fresh');
    await soon(() => textOf(byTest(page, 'count-alerts'))).toContain('8');
  });

  test('a cut line is told, resumed after the last event, and nothing is missed', async () => {
    expected = /503|ERR_|Failed to load/;
    const { page, fake } = await open();
    await row(page, 'al-7').waitFor();
    fake.raise(tellDust(42, fake.now()));
    await row(page, 'al-42').waitFor();
    const lastId = 3; // alert, draft case and counts of that story
    fake.refuseLines = true;
    fake.cutLines();
    await soon(() => textOf(byTest(page, 'line'))).toBe('重新连接中');
    fake.raise(tellDust(43, fake.now()));
    fake.refuseLines = false;
    await row(page, 'al-43').waitFor();
    await soon(() => textOf(byTest(page, 'line'))).toBe('实时');
    const resumed = sentTo(fake, 'GET', '/api/events').at(-1);
    expect(resumed?.lastEventId).toBe(String(lastId));
    expect(await page.locator('[role=option]').count()).toBe(9);
  });

  test('a line that stays down is told over the whole page, with the time since when', async () => {
    expected = /503|ERR_|Failed to load/;
    const { page, fake } = await open();
    await row(page, 'al-7').waitFor();
    fake.refuseLines = true;
    fake.cutLines();
    await soon(() => textOf(byTest(page, 'line'))).toBe('连接中断');
    await page.getByText(/22:3\d:\d\d 起失去连接/).waitFor();
    fake.refuseLines = false;
    await soon(() => textOf(byTest(page, 'line'))).toBe('实时');
    await soon(() => page.getByText('起失去连接').count()).toBe(0);
  });

  test('filters by state, kind and words', async () => {
    const { page } = await open();
    await row(page, 'al-7').waitFor();
    await page.getByRole('button', { name: /^图像识别/ }).click();
    await soon(() => page.locator('[role=option]').count()).toBe(1);
    await page.getByRole('button', { name: /^图像识别/ }).click();
    await page.keyboard.press('/');
    await page.keyboard.type('噪声 临河');
    await soon(() => textOf(byTest(page, 'shown'))).toBe('1 条');
    await page.keyboard.press('Escape');
    await page.getByRole('radio', { name: '已解除' }).click();
    await page.getByText('没有符合条件的报警').waitFor();
    await page.getByRole('button', { name: '清除筛选' }).click();
    await soon(() => page.locator('[role=option]').count()).toBe(7);
  });

  test('ten thousand alerts: few rows exist, any of them can be scrolled to, and what is read stays in place', async () => {
    const { page, fake } = await open({ empty: true });
    await page.getByText('暂无报警').waitFor();
    for (let n = 100; n < 10_100; n += 1) fake.emit('alert', { ...tellDust(n, fake.now() - n * 1000).alert });
    await soon(() => textOf(byTest(page, 'shown'))).toBe('10,000 条');
    expect(await page.locator('[role=option]').count()).toBeLessThan(40);
    const list = page.getByRole('listbox');
    await list.evaluate((element) => {
      element.scrollTop = 5000 * 72;
    });
    await page.locator('[role=option][aria-posinset="5001"]').waitFor();
    const reading = await page.locator('[role=option][aria-posinset="5001"]').getAttribute('data-alert');
    fake.raise(tellDust(42, fake.now()));
    await page.getByText('1 条新报警').waitFor();
    const boxes = await Promise.all([row(page, reading ?? '').boundingBox(), list.boundingBox()]);
    expect(Math.abs((boxes[0]?.y ?? 0) - (boxes[1]?.y ?? 0))).toBeLessThan(72);
  });
});

describe('an open alert', () => {
  test('a limit: the chart is drawn, read by keys, and says why it fired and why this desk', async () => {
    const { page } = await open();
    await row(page, 'al-7').click();
    const chart = byTest(page, 'chart');
    await chart.locator('canvas').waitFor();
    const colours = await chart.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {
        data: [],
      };
      const seen = new Set<string>();
      for (let i = 0; i < data.length; i += 4)
        if ((data[i + 3] ?? 0) > 200) seen.add(`${data[i]},${data[i + 1]},${data[i + 2]}`);
      return [...seen];
    });
    expect(colours).toContain('255,107,99'); // the limit line
    expect(colours).toContain('231,237,244'); // the mean
    expect(colours).toContain('181,139,255'); // values that do not count
    expect(await chart.getAttribute('aria-label')).toMatch(/限值 0\.8 mg\/m³/);
    await chart.focus();
    await page.keyboard.press('ArrowRight');
    await soon(() => textOf(byTest(page, 'reading'))).toMatch(/^11-22 21:5\d:\d\d[\s\S]*mg\/m³/);
    const detail = byTest(page, 'detail');
    await soon(() => textOf(detail)).toContain('DB21/2642-2016 4.1');
    expect(await textOf(detail)).toContain('9 / 10');
    expect(await textOf(byTest(page, 'route-text'))).toContain('赋权清单');
    expect(await byTest(page, 'evidence').locator('li').count()).toBe(3);
    expect(new URL(page.url()).hash).toBe('#/alerts/al-7');
  });

  test('a picture: the box lies on the van to the pixel, and goes away with the overlay', async () => {
    const { page } = await open({ path: '/#/alerts/al-6' });
    const picture = byTest(page, 'picture');
    const box = picture.locator('rect.box');
    await box.waitFor();
    const image = await picture.locator('img').boundingBox();
    const drawn = await box.evaluate((rect: SVGRectElement) => {
      const { x, y, width, height } = rect.getBoundingClientRect();
      return { x, y, width, height };
    });
    const scale = (image?.width ?? 0) / SCENE.width;
    const [x, y, width, height] = SCENE.van;
    // The proof is the second frame, where the van stands one pixel further right.
    expect(drawn.x - (image?.x ?? 0)).toBeCloseTo((x + 1) * scale, 0);
    expect(drawn.y - (image?.y ?? 0)).toBeCloseTo(y * scale, 0);
    expect(Math.abs(drawn.width - width * scale)).toBeLessThan(3);
    expect(Math.abs(drawn.height - height * scale)).toBeLessThan(3);
    expect(await textOf(picture)).toContain('面包车 91%');
    expect(await page.locator('.strip button').allInnerTexts()).toHaveLength(3);
    await page.getByLabel('标注').uncheck();
    await soon(() => box.count()).toBe(0);
  });

  test('j and k move, Enter opens, a acknowledges, Escape goes back', async () => {
    const { page, fake } = await open();
    await row(page, 'al-7').waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    expect(await row(page, 'al-6').getAttribute('class')).toContain('is-cursor');
    await page.keyboard.press('Enter');
    await byTest(page, 'picture').waitFor();
    await page.keyboard.press('a');
    await soon(() => textOf(byTest(page, 'alert-state'))).toContain('已签收');
    expect(sentTo(fake, 'POST', '/api/alerts/al-6/acknowledge')).toHaveLength(1);
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await byTest(page, 'overview').waitFor();
  });

  test('an alert that is gone says so', async () => {
    expected = /404/;
    const { page } = await open({ path: '/#/alerts/al-999' });
    await page.getByText('找不到这条报警').waitFor();
  });
});

describe('the review', () => {
  test('confirm sends version and reason; the lead is shown pending, then delivered with its receipt', async () => {
    const { page, fake } = await open({ path: '/#/alerts/al-7' });
    await byTest(page, 'draft').waitFor();
    await page.keyboard.press('c');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox').fill('数据完整，同意移送');
    await dialog.getByRole('button', { name: '确认线索' }).click();
    await soon(() => textOf(byTest(page, 'draft-state'))).toBe('已确认');
    expect(sentTo(fake, 'POST', '/api/draft-cases/d-7/confirm').map((call) => call.body)).toEqual([
      { version: 1, reason: '数据完整，同意移送' },
    ]);
    await soon(() => textOf(byTest(page, 'lead'))).toContain('待送达');
    const lead = [...fake.leads.values()][0]!;
    fake.emit('lead', {
      ...lead,
      state: 'delivered',
      attempts: 1,
      nextTryAt: null,
      deliveredAt: fake.now(),
      receipt: { number: 'CASE-0815' },
    });
    await soon(() => textOf(byTest(page, 'lead'))).toContain('CASE-0815');
    expect(await textOf(byTest(page, 'lead'))).toContain('已送达');
    expect(await byTest(page, 'confirm').count()).toBe(0);
  });

  test('dismiss without a reason is refused before anything is sent; with one it goes', async () => {
    const { page, fake } = await open({ path: '/#/alerts/al-5' });
    await byTest(page, 'dismiss').click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: '排除', exact: true }).click();
    await dialog.getByText('请填写排除理由').waitFor();
    expect(sentTo(fake, 'POST', '/api/draft-cases')).toEqual([]);
    await dialog.getByRole('button', { name: '设备检修或校准期间的数据' }).click();
    await dialog.getByRole('button', { name: '排除', exact: true }).click();
    await soon(() => textOf(byTest(page, 'draft-state'))).toBe('已排除');
    expect(sentTo(fake, 'POST', '/api/draft-cases/d-5/dismiss').map((call) => call.body)).toEqual([
      { version: 1, reason: '设备检修或校准期间的数据' },
    ]);
    expect(await textOf(byTest(page, 'outcome'))).toContain('设备检修或校准期间的数据');
  });

  test('a draft that changed meanwhile is shown anew and not decided', async () => {
    expected = /409/;
    const { page, fake } = await open({ path: '/#/alerts/al-7' });
    await byTest(page, 'draft').waitFor();
    const story = fake.stories.get('al-7')!;
    story.draftCase = {
      ...story.draftCase!,
      version: 5,
      cause: { zh: '涉嫌新的案由', en: 'Suspected: a new cause' },
    };
    await page.keyboard.press('c');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: '确认线索' }).click();
    await dialog.getByText('草案已被更新为第 5 版').waitFor();
    await soon(() => textOf(byTest(page, 'draft'))).toContain('涉嫌新的案由');
    expect(fake.leads.size).toBe(0);
    await dialog.getByRole('button', { name: '确认线索' }).click();
    await soon(() => textOf(byTest(page, 'draft-state'))).toBe('已确认');
  });

  test('a draft that a colleague has decided says by whom', async () => {
    expected = /409/;
    const { page, fake } = await open({ path: '/#/alerts/al-7' });
    await byTest(page, 'draft').waitFor();
    const story = fake.stories.get('al-7')!;
    story.draftCase = {
      ...story.draftCase!,
      version: 2,
      state: 'dismissed',
      review: { by: '李强', at: fake.now(), decision: 'dismissed', reason: '重复' },
    };
    await page.keyboard.press('c');
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: '确认线索' }).click();
    await dialog.getByText('草案已由 李强 排除').waitFor();
    expect(await dialog.getByRole('button', { name: '确认线索' }).isDisabled()).toBe(true);
  });
});

describe('the door and the faults', () => {
  test('without a session the sign-in is shown; a wrong try is told; a right one leads to the desk', async () => {
    expected = /401/;
    const { page } = await open({ signedIn: false });
    await page.getByLabel('用户名').fill('zhang');
    await page.getByLabel('密码').fill('wrong');
    await page.getByRole('button', { name: '登录' }).click();
    await page.getByText('用户名或密码不正确').waitFor();
    await page.getByLabel('密码').fill('right-password');
    await page.getByRole('button', { name: '登录' }).click();
    await row(page, 'al-7').waitFor();
  });

  test('a session that ends leads back to the sign-in', async () => {
    expected = /401/;
    const { page, fake } = await open();
    await row(page, 'al-7').waitFor();
    fake.signedIn = false;
    await row(page, 'al-7').click();
    await page.getByText('登录已失效').waitFor();
  });

  test('a part that fails says so in its own place and can be tried again; the rest works on', async () => {
    expected = /503/;
    const { page, fake } = await open();
    await row(page, 'al-7').waitFor();
    fake.failNext('GET /api/series', new QianliyanError('STORE_UNAVAILABLE', 'series'));
    await row(page, 'al-7').click();
    await page.getByText('存储暂不可用').waitFor();
    expect(await byTest(page, 'draft').isVisible()).toBe(true);
    await page.getByRole('button', { name: '重试' }).click();
    await byTest(page, 'chart').locator('canvas').waitFor();
  });

  test('a new installation shows empty states, not blanks', async () => {
    const { page } = await open({ empty: true });
    await page.getByText('系统正在监视').waitFor();
    await page.getByText('没有待审线索').waitFor();
  });
});

describe('for every eye', () => {
  test('one switch changes the language of everything, and is remembered', async () => {
    const { page } = await open({ path: '/#/alerts/al-7' });
    await byTest(page, 'chart').waitFor();
    await byTest(page, 'language').click();
    await page.getByText('Why did this fire').waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    // What no script needs is not on the screen.
    const left = await page.evaluate(() => {
      document.querySelector('noscript')?.remove();
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      const found: string[] = [];
      while (walker.nextNode())
        if (/\p{Script=Han}/u.test(walker.currentNode.textContent ?? ''))
          found.push(walker.currentNode.textContent ?? '');
      return found;
    });
    // Names of people, parties and articles are data in the language that they have.
    expect(left.filter((text) => !/中文|张敏|示范建工|第六十九条|条次待核/.test(text))).toEqual([]);
    await page.reload();
    await page.getByText('Why did this fire').waitFor();
  });

  test.each(['dark', 'light'] as const)(
    'in %s every text keeps a contrast of 4.5 : 1',
    async (colorScheme) => {
      const { page } = await open({ path: '/#/alerts/al-6', context: { colorScheme } });
      await byTest(page, 'picture').locator('rect.box').waitFor();
      expect(await page.evaluate(lowContrast)).toEqual([]);
    },
  );

  test('the theme follows the system until somebody chooses, and the choice is remembered', async () => {
    const { page } = await open({ context: { colorScheme: 'light' } });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await row(page, 'al-7').waitFor();
    const light = await ground();
    await byTest(page, 'theme').click();
    await soon(ground).not.toBe(light);
    const dark = await ground();
    await page.reload();
    await row(page, 'al-7').waitFor();
    expect(await ground()).toBe(dark);
  });

  test('on a phone: the list, then the alert alone, the decision under the thumb, nothing wider than the screen', async () => {
    const { page } = await open({
      context: { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    });
    await row(page, 'al-6').tap();
    await byTest(page, 'picture').locator('rect.box').waitFor();
    expect(await page.getByRole('listbox').isVisible()).toBe(false);
    const confirm = await byTest(page, 'confirm').boundingBox();
    expect((confirm?.y ?? 0) + (confirm?.height ?? 0)).toBeLessThanOrEqual(844);
    expect(confirm?.height ?? 0).toBeGreaterThanOrEqual(44);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await page.getByRole('button', { name: '返回总览' }).tap();
    await page.getByRole('listbox').waitFor();
  });
});

test('the first load is small: under 100 KB gzipped', () => {
  const files = readdirSync(dist, { recursive: true, encoding: 'utf8' }).map((name) => join(dist, name));
  const gzipped = files
    .filter((file) => statSync(file).isFile())
    .reduce((sum, file) => sum + gzipSync(readFileSync(file)).length, 0);
  expect(gzipped).toBeLessThan(100_000);
});

/** Runs in the page: texts whose colour has less contrast to the ground behind them than 4.5 : 1 (WCAG 2.2). */
function lowContrast(): string[] {
  const rgba = (colour: string): number[] => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = ([r = 0, g = 0, b = 0]: number[]): number => {
    const [x = 0, y = 0, z = 0] = [r, g, b].map((value) => {
      const share = value / 255;
      return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const groundOf = (element: Element | null): number[] => {
    for (let at = element; at !== null; at = at.parentElement) {
      const colour = rgba(getComputedStyle(at).backgroundColor);
      if (colour.length === 3 || (colour[3] ?? 0) > 0.99) return colour;
    }
    return [255, 255, 255];
  };
  const low: string[] = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent?.trim() ?? '';
    if (
      element === null ||
      text === '' ||
      element.closest('svg, noscript, kbd, .kbd, dialog:not([open])') !== null
    )
      continue;
    if (element.getClientRects().length === 0) continue;
    const [a, b] = [luminance(rgba(getComputedStyle(element).color)), luminance(groundOf(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push(`${text.slice(0, 30)}: ${ratio.toFixed(2)}`);
  }
  return low;
}
