/**
 * What the tests of sensor detection share. No test double of anything that is under test: the core and the detectors
 * are the real ones, only what lies around them is small and in memory.
 *
 *   story.ts ─records─▶ core.ts ─▶ findings            story.ts ─records─▶ memory-stream.ts ─▶ runtime ─▶ findings
 *                          ▲ registry.ts (devices), district.ts (law) ▲
 */
export * from './core.ts';
export * from './district.ts';
export * from './memory-stream.ts';
export * from './registry.ts';
export * from './story.ts';
