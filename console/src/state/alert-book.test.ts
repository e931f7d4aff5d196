import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Alert } from '../../../contracts/index.ts';
import { AlertBook } from './alert-book.ts';
import { filterAlerts, NO_FILTER } from './filter.ts';

const alert = (id: string, raisedAt: number, more: Partial<Alert> = {}): Alert => ({
  id,
  fingerprint: id,
  kind: 'limit-exceeded',
  reason: 'mean-5min',
  severity: 'violation',
  matter: 'm-dust-site',
  device: 'dust-01',
  datastream: 'dust-01/TSP',
  zone: null,
  site: 'site-1',
  location: [123.41, 41.79],
  state: 'open',
  summary: { zh: '扬尘超标', en: 'dust over the limit' },
  measure: { statistic: 'mean-5min', value: 1, unit: 'mg/m3' },
  startedAt: raisedAt,
  lastSeenAt: raisedAt,
  raisedAt,
  acknowledgedAt: null,
  acknowledgedBy: null,
  resolvedAt: null,
  findings: [],
  draftCase: null,
  trigger: { device: 'dust-01', time: raisedAt, receivedAt: raisedAt },
  ...more,
});
const ids = (book: AlertBook): string[] => book.all().map(({ id }) => id);

describe('the alert book', () => {
  test('is newest first, and holds each alert once', () => {
    const book = new AlertBook();
    book.putList([alert('a', 1), alert('c', 3), alert('b', 2)], book.mark());
    expect(book.putLive(alert('b', 2, { state: 'resolved' }))).toBe(false);
    expect(book.putLive(alert('d', 4))).toBe(true);
    expect(ids(book)).toEqual(['d', 'c', 'b', 'a']);
    expect(book.get('b')?.state).toBe('resolved');
  });

  test('a list that was asked for before a live change does not undo it', () => {
    const book = new AlertBook();
    const mark = book.mark();
    book.putLive(alert('a', 1, { state: 'acknowledged' }));
    book.putList([alert('a', 1), alert('b', 2)], mark);
    expect(book.get('a')?.state).toBe('acknowledged');
    expect(book.size).toBe(2);
  });

  test('stays in order whatever comes, also when an alert is raised anew at another time', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(9), fc.nat(20))), (puts) => {
        const book = new AlertBook();
        const last = new Map<string, number>();
        for (const [n, at] of puts) {
          book.putLive(alert(`a${n}`, at));
          last.set(`a${n}`, at);
        }
        const want = [...last].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? 1 : -1)).map(([id]) => id);
        expect(ids(book)).toEqual(want);
      }),
    );
  });
});

describe('the filter', () => {
  const list = [
    alert('a', 3),
    alert('b', 2, {
      state: 'resolved',
      kind: 'image',
      summary: { zh: '占用消防通道', en: 'van in the fire lane' },
    }),
    alert('c', 1, { state: 'acknowledged' }),
  ];
  const found = (filter: Partial<typeof NO_FILTER>, names = () => ''): string[] =>
    filterAlerts(list, { ...NO_FILTER, ...filter }, names).map(({ id }) => id);

  test('shows by default what still asks for somebody', () => {
    expect(found({})).toEqual(['a', 'c']);
  });
  test('takes state, kind and words together; words in either language and in any order', () => {
    expect(found({ state: 'all', kinds: ['image'] })).toEqual(['b']);
    expect(found({ state: 'all', text: '消防' })).toEqual(['b']);
    expect(found({ state: 'all', text: 'LANE van' })).toEqual(['b']);
    expect(found({ state: 'resolved', text: '扬尘' })).toEqual([]);
  });
  test('finds by the names of device, area and unit', () => {
    expect(found({ text: '临河' }, () => '临河街道')).toEqual(['a', 'c']);
  });
});
