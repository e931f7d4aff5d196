import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventParser } from './sse.ts';

test('an event has its name, its id and its data', () => {
  const parse = eventParser();
  expect(parse('id: 7\nevent: alert\ndata: {"a":1}\n\n')).toEqual([
    { event: 'alert', id: '7', data: '{"a":1}' },
  ]);
});

test('a heartbeat is no event, and an event without an id keeps the last one', () => {
  const parse = eventParser();
  expect(parse(': heartbeat\n\nid: 3\ndata: x\n\n')).toHaveLength(1);
  expect(parse('data: y\n\n')).toEqual([{ event: 'message', id: '3', data: 'y' }]);
});

test('data over several lines is joined, and any line end will do', () => {
  const parse = eventParser();
  expect(parse('data: a\r\ndata: b\r\n\r\ndata:c\r\rdata: d\n\n').map((event) => event.data)).toEqual([
    'a\nb',
    'c',
    'd',
  ]);
});

test('half an event is not handed on', () => {
  const parse = eventParser();
  expect(parse('event: alert\ndata: {"a"')).toEqual([]);
  expect(parse(':1}\n')).toEqual([]);
  expect(parse('\n')).toEqual([{ event: 'alert', id: '', data: '{"a":1}' }]);
});

test('however the text is cut, the same events come out', () => {
  const line = fc.stringMatching(/^[a-z0-9{}": ]{0,12}$/);
  const event = fc.record({ id: fc.nat(99), data: fc.array(line, { minLength: 1, maxLength: 3 }) });
  fc.assert(
    fc.property(fc.array(event), fc.constantFrom('\n', '\r\n'), fc.array(fc.nat(20)), (events, end, cuts) => {
      const text = events
        .map(({ id, data }) => [`id: ${id}`, ...data.map((part) => `data: ${part}`), '', ''].join(end))
        .join('');
      const parse = eventParser();
      const got = [];
      let at = 0;
      for (const cut of cuts) {
        got.push(...parse(text.slice(at, at + cut)));
        at += cut;
      }
      got.push(...parse(text.slice(at)));
      expect(got).toEqual(
        events.map(({ id, data }) => ({ event: 'message', id: String(id), data: data.join('\n') })),
      );
    }),
  );
});
