/**
 * What goes wrong when, and what that means.
 *
 *   demo.yaml ─readScenario▶ times of day ─resolveScenario▶ happenings ─┬▶ sources/  (the physics change)
 *                                                                       └▶ truthOf   (what is to be found)
 */
import type { Device } from '../../contracts/index.ts';
import { assetText } from '../assets.ts';
import { readScenario, resolveScenario, type Scenario } from './scenario.ts';

export * from './deeds.ts';
export * from './scenario.ts';
export * from './truth.ts';

/** The demonstration's evening, on every day from `origin` on. */
export function demoScenario(origin: number, devices: readonly Device[]): Scenario {
  return resolveScenario(readScenario(assetText('scenarios/demo.yaml')), { origin, devices });
}
