import { describe, expect, it } from 'vitest';
import { fireLaneZone, viewOf } from '../scenes/index.ts';
import { districtDevices, responsibleUnit, streetOf } from './index.ts';

const devices = districtDevices();

describe('the demonstration district', () => {
  it('has the devices that everyone counts on', () => {
    const ids = (prefix: string, n: number) => Array.from({ length: n }, (_, i) => `${prefix}-0${i + 1}`);
    expect(devices.map((d) => d.id)).toEqual([
      ...ids('dust', 8),
      ...ids('noise', 6),
      ...ids('water', 4),
      ...ids('river', 2),
      ...ids('cam', 3),
    ]);
  });

  it('stands in its two streets, devices of one site side by side and in the same street', () => {
    for (const [site, own] of bySite()) {
      expect(new Set(own.map((d) => streetOf(d.location))).size, site).toBe(1);
      for (const {
        location: [lon, lat],
      } of own) {
        expect(lon > 123.4 && lon < 123.46 && lat > 41.78 && lat < 41.82, site).toBe(true);
        expect(Math.hypot(lon - own[0]!.location[0], lat - own[0]!.location[1])).toBeLessThan(0.003);
      }
      if (own.some((d) => d.attributes.siteType === 'construction')) {
        expect(new Set(own.map((d) => d.id.split('-')[0]))).toEqual(new Set(['dust', 'noise']));
      }
    }
  });

  it('gives every party a credit code whose check character is right (GB 32100-2015)', () => {
    // An arithmetic of this test's own: the weighted sum over all 18 places is a multiple of 31.
    const alphabet = '0123456789ABCDEFGHJKLMNPQRTUWXY';
    const remainder = (code: string) =>
      [...code].reduce((sum, c, i) => sum + alphabet.indexOf(c) * (i === 17 ? 1 : 3 ** i % 31), 0) % 31;
    expect(remainder('91350100M000100Y43')).toBe(0);
    const codes = devices.flatMap((d) => d.regulatedParty?.uscc ?? []);
    expect(codes.length).toBe(18);
    expect(codes.filter((code) => remainder(code) !== 0)).toEqual([]);
  });

  it('draws the zones of its cameras where the fire lanes of the pictures are', () => {
    for (const camera of devices.filter((d) => d.kind === 'camera')) {
      expect(camera.zones.map((z) => z.matter)).toEqual(['m-fire-lane']);
      const lane = fireLaneZone(viewOf(camera.id));
      camera.zones[0]!.polygon.forEach(([x, y], i) => {
        expect(Math.hypot(x - lane[i]![0], y - lane[i]![1]), camera.id).toBeLessThan(0.01);
      });
    }
  });

  it('has equipment that meets article 41, and three devices that do not', () => {
    const on = '2026-11-22';
    const lacking = devices.filter(({ article41: a }) => {
      const verified = a.verification && a.verification.from <= on && on < a.verification.to;
      return !(a.legalReview && a.technicalReview && a.signsSetUp && a.locationPublished && verified);
    });
    expect(lacking.map((d) => d.id)).toEqual(['noise-02', 'water-02', 'river-02']);
  });

  it('knows who answers, and refuses to guess', () => {
    expect(responsibleUnit('m-dust-site', [123.41, 41.8])).toBe('u-urban');
    expect(responsibleUnit('m-dust-site', [123.44, 41.8])).toBe('u-linhe');
    expect(() => responsibleUnit('m-unheard-of', [123.41, 41.8])).toThrow('m-unheard-of');
  });
});

function bySite(): Map<string, typeof devices> {
  const groups = new Map<string, typeof devices>();
  for (const device of devices) groups.set(device.site, [...(groups.get(device.site) ?? []), device]);
  return groups;
}
