/** The page's clock: the browser's, or that of a saved demo, in which time goes on from when it was saved. */

import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";

const TICK_MS = 1000;
let offset = 0;

export const now = signal(Date.now());

/** Let it be this instant now. */
export function setNow(ms: number): void {
  offset = ms - Date.now();
  now.value = ms;
}

/** Move on every second while somebody looks. */
export function useTicking(): void {
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) now.value = Date.now() + offset;
    }, TICK_MS);
    return () => {
      clearInterval(timer);
    };
  }, []);
}
