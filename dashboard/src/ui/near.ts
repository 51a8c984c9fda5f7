import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

const NEAR = "600px";

/** Whether a place has come near the window yet: what nobody has scrolled to is neither fetched nor drawn. */
export function useNear(place: RefObject<HTMLElement>): boolean {
  const [isNear, setNear] = useState(false);
  useEffect(() => {
    if (place.current === null) return;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) setNear(true);
      },
      { rootMargin: NEAR },
    );
    observer.observe(place.current);
    return () => {
      observer.disconnect();
    };
  }, [place]);
  return isNear;
}
