/** The page's clock: the browser's, that of a run, or the one instant of a saved demo, in which nothing grows old. */

import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

const TICK_MS = 1000;
const QUARTER_MS = 900_000;
let offset = 0;
let isStill = false;

export const now = signal(Date.now());

/** Since when it has been this quarter of an hour, which is on today's day in any time zone. */
export const quarter = computed(() => now.value - (now.value % QUARTER_MS));

/** Let it be this instant now; with `still`, for good. */
export function setNow(ms: number, still = false): void {
  offset = ms - Date.now();
  isStill = still;
  now.value = ms;
}

/** What time it is at this very moment, also while nobody looks. */
export function instant(): number {
  return isStill ? now.peek() : Date.now() + offset;
}

/** Move on every second while somebody looks, and at once when somebody looks again. */
export function useTicking(): void {
  useEffect(() => {
    const tick = (): void => {
      if (!document.hidden) now.value = instant();
    };
    const timer = setInterval(tick, TICK_MS);
    document.addEventListener("visibilitychange", tick);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", tick);
    };
  }, []);
}
