/** Routes of every stage are stated in one way, so that one document can describe them all. */
export { type Asked, addRoute, type RouteSpec } from '../../backbone/route.ts';
