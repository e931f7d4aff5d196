/**
 * Whose matter it is.
 *
 *   matter ─┐
 *   place  ─┼▶ areas that contain it ▶ entries in force on the day ▶ empowerment before default ─▶ one unit: its desk
 *   time   ─┘  (grid, box, polygon)                                                             └▶ none, several: a person
 *
 * The lists are data (`catalog/assignments.yaml`); `qianliyan route test FILE` holds a catalog against a table of cases.
 */

export { type RouteReport, routeTest } from './route-test.ts';
export { type Decision, type Happening, Router } from './router.ts';
