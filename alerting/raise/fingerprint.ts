import type { Finding } from '../../contracts/index.ts';

/** What a finding is about. Its id is made of the same things, so that it never changes between two revisions. */
export type About = Pick<Finding, 'kind' | 'reason' | 'matter' | 'device' | 'datastream' | 'zone' | 'track'>;

/**
 * What makes findings one happening, besides their time: kind, reason, matter, device, and the datastream, zone or
 * track. Readable; `-` stands for what there is none of.
 */
export function fingerprintOf(about: About): string {
  const { kind, reason, matter, device, datastream, zone, track } = about;
  return [kind, reason, matter ?? '-', device, datastream ?? '-', zone ?? '-', track ?? '-'].join('|');
}
