import { describe, expect, it } from 'vitest';
import { EdgeNodes, follow, LIMITS } from './nodes.ts';
import type { Metric } from './payload.ts';

const metrics = (count: number, first = 0): Metric[] =>
  Array.from({ length: count }, (_, i) => ({ name: `m${first + i}`, alias: first + i }) as Metric);

describe('what is remembered of nodes', () => {
  it('is bounded: what was not heard for longest goes', () => {
    const nodes = new EdgeNodes({ ...LIMITS, nodes: 3 });
    for (const key of ['a', 'b', 'c']) nodes.beginSession(nodes.heard(key), 0, 0);
    nodes.heard('a');
    nodes.heard('d');
    expect(['a', 'b', 'c', 'd'].map((key) => nodes.peek(key)?.born)).toEqual([true, undefined, true, false]);
  });

  it('is bounded in metrics, of all and of one', () => {
    const nodes = new EdgeNodes({ ...LIMITS, metrics: 100, metricsOfNode: 60 });
    const first = nodes.heard('a');
    expect(nodes.announce(first, '', metrics(1_000)).metrics.size).toBe(60);
    nodes.announce(first, 'device', metrics(1_000));
    expect(nodes.size).toEqual({ nodes: 1, metrics: 61 });
    nodes.announce(nodes.heard('b'), '', metrics(50));
    expect(nodes.size).toEqual({ nodes: 1, metrics: 51 });
  });

  it('counts right through births, deaths and births again', () => {
    const nodes = new EdgeNodes();
    const node = nodes.heard('a');
    for (let session = 0; session < 20; session++) {
      nodes.beginSession(node, session, 0);
      nodes.announce(node, '', metrics(3));
      for (const device of ['x', 'y', 'x']) nodes.announce(node, device, metrics(2));
      nodes.forgetBirth(node, 'y');
      nodes.forgetBirth(node, 'never heard');
    }
    expect(nodes.size.metrics).toBe(4 + 3);
    nodes.endSession(node);
    expect(nodes.size.metrics).toBe(0);
  });
});

describe('a sequence', () => {
  it.each([
    ['goes on', 5, 5, null],
    ['wraps', 0, 0, null],
    ['comes twice', 5, 4, null],
    ['comes twice over the wrap', 0, 255, null],
    ['misses one', 5, 6, 'gap'],
    ['goes back', 5, 3, 'gap'],
    ['is no number of it', 5, 300, 'gap'],
    ['is not stated', 5, null, null],
    ['follows anything', null, 77, null],
  ] as const)('%s', (_what, nextSeq, seq, gap) => {
    const node = new EdgeNodes().heard('a');
    node.born = true;
    node.nextSeq = nextSeq;
    expect(follow(node, seq)).toBe(gap);
  });
});
