/** Zone rules by their `type`. So far one; each has the shape of rule.ts. */

import type { ZoneRuleConfig } from '../config.ts';
import { dwell } from './dwell.ts';
import type { ZoneRule } from './rule.ts';

export type { Sight, ZoneRule, ZoneSaid } from './rule.ts';

export function ruleOf(type: ZoneRuleConfig['type']): ZoneRule<ZoneRuleConfig, unknown> {
  switch (type) {
    case 'dwell':
      // A rule only ever gets back the state that it gave away itself (checked by version in camera-watch.ts).
      return dwell as unknown as ZoneRule<ZoneRuleConfig, unknown>;
  }
}

/** Does a local time of day lie in one of the spans? Minutes since midnight; a span may pass midnight. */
export function inHours(minuteOfDay: number, hours: readonly (readonly [string, string])[]): boolean {
  const minute = (text: string) => Number(text.slice(0, 2)) * 60 + Number(text.slice(3));
  return hours.some(([from, to]) => {
    const [a, b] = [minute(from), minute(to)];
    return a <= b ? minuteOfDay >= a && minuteOfDay < b : minuteOfDay >= a || minuteOfDay < b;
  });
}
