/**
 * The product's time. The browser's clock goes on between two words of the product; deadlines and "ago" are reckoned
 * against this, so that an officer's wrong laptop clock, or the demo's fast one, shows no nonsense.
 */
import { useEffect, useState } from 'preact/hooks';

let anchor = { product: 0, wall: 0, speed: 1, known: false };

/** The product said what time it is, and how fast its clock runs. */
export function setProductClock(clock: { now: number; speed: number } | undefined): void {
  if (clock !== undefined)
    anchor = { product: clock.now, wall: performance.now(), speed: clock.speed, known: true };
}

export function productNow(): number {
  return anchor.known ? anchor.product + (performance.now() - anchor.wall) * anchor.speed : Date.now();
}

/**
 * The product's time at a moment of the wall clock, which is what deliveries are stamped with. Differs from it only in the
 * demo, where the browser runs on the product's own machine.
 */
export function productTimeAt(wall: number): number {
  return anchor.speed === 1 ? wall : productNow() - (Date.now() - wall) * anchor.speed;
}

export const clockSpeed = (): number => anchor.speed;

/** The product's time, drawn again every `everyMs` of real time. */
export function useNow(everyMs: number): number {
  const [, redraw] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => redraw((n) => n + 1), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return productNow();
}
