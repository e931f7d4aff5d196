/**
 * A damped trend (Holt with damping) with prediction errors of its own: the simplest forecast that follows a ramp and does
 * not run away. One step is one bucket. State is plain numbers; forecasts are O(1) a step from shared tables.
 *
 *   forecast(h) = level + (φ + … + φ^h) · trend        variance(h) = σ² · (1 + Σ c_j²),  c_j = α + αβ(φ + … + φ^j)
 *
 * Source of the variance: Hyndman, Koehler, Ord, Snyder: Forecasting with Exponential Smoothing, table 6.1, class 1.
 */
export interface TrendState {
  level: number;
  trend: number;
  /** Mean squared one-step error, exponentially weighted. */
  variance: number;
  /** Buckets learnt from. */
  count: number;
}

const ALPHA = 0.3;
const BETA = 0.2;
const PHI = 0.96;
/** Weight of a new squared error, once there are enough. */
const MEMORY = 0.03;
/** An error of more than so many sigmas moves the model only as much as this one would. */
const CLIP = 4;

export const newTrend = (): TrendState => ({ level: 0, trend: 0, variance: 0, count: 0 });

export function learn(state: TrendState, value: number): void {
  if (state.count === 0) {
    state.level = value;
    state.count = 1;
    return;
  }
  const predicted = state.level + PHI * state.trend;
  const error = value - predicted;
  const sigma = Math.sqrt(state.variance);
  const moving = state.count > 10 && sigma > 0 ? clamp(error, CLIP * sigma) : error;
  state.level = predicted + ALPHA * moving;
  state.trend = PHI * state.trend + ALPHA * BETA * moving;
  state.variance += (error * error - state.variance) * Math.max(MEMORY, 1 / state.count);
  state.count += 1;
}

/** Steps without a value: the model goes on as it would. */
export function pass(state: TrendState, steps: number): void {
  for (let i = 0; i < steps; i += 1) {
    state.level += PHI * state.trend;
    state.trend *= PHI;
  }
}

/** After a gap too long to bridge: a new start that remembers how noisy it is. */
export function restart(state: TrendState, value: number): void {
  state.level = value;
  state.trend = 0;
}

const clamp = (x: number, most: number): number => Math.max(-most, Math.min(most, x));

/** By h − 1: sum of damped trend weights; sum of squared error weights up to, not including, step h. */
const reach: number[] = [];
const spread: number[] = [];

function extendTo(steps: number): void {
  for (let h = reach.length + 1; h <= steps; h += 1) {
    const before = reach[h - 2] ?? 0;
    reach.push(before + PHI ** h);
    const c = h === 1 ? 0 : ALPHA + ALPHA * BETA * before;
    spread.push((spread[h - 2] ?? 0) + c * c);
  }
}

export function forecast(state: TrendState, h: number): number {
  if (h > reach.length) extendTo(h);
  return state.level + (reach[h - 1] ?? 0) * state.trend;
}

/** Variance of the mean over steps from..to: its drift, as in the middle, and its own noise, averaged. */
export function varianceOfMean(state: TrendState, from: number, to: number): number {
  if (to > reach.length) extendTo(to);
  const middle = spread[Math.round((from + to) / 2) - 1] ?? 0;
  return state.variance * (middle + 1 / (to - from + 1));
}

/** P(X > x) for a standard normal X; Abramowitz and Stegun 7.1.26, error below 1.5e-7. */
export function upperTail(x: number): number {
  const z = Math.abs(x) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * z);
  const poly =
    ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const tail = 0.5 * poly * Math.exp(-z * z);
  return x >= 0 ? tail : 1 - tail;
}
