/** The way around: one jump to each part of the page, within reach of a thumb. */

import { useEffect, useState } from "preact/hooks";
import { t, type Key } from "../i18n";

interface Place {
  readonly id: string;
  readonly name: Key;
  readonly icon: string;
}

const PLACES: readonly Place[] = [
  { id: "money", name: "nav.money", icon: "M3 17l6-6 4 4 8-9 M15 6h6v6" },
  {
    id: "heatmap",
    name: "nav.market",
    icon: "M7 4v4 M7 16v4 M4.5 8h5v8h-5z M17 3v5 M17 14v6 M14.5 8h5v6h-5z",
  },
  { id: "decisions", name: "nav.decisions", icon: "M3 5h18l-7 8v6l-4 2v-8z" },
  { id: "activity", name: "nav.activity", icon: "M3 12h4l3-8 4 16 3-8h4" },
  { id: "limits", name: "nav.controls", icon: "M12 3l8 3v6c0 5-3.5 8-8 9-4.5-1-8-4-8-9V6z" },
];

/** The place whose section was passed last on the way down. */
function usePlace(): string {
  const [place, setPlace] = useState("money");
  useEffect(() => {
    const observer = new IntersectionObserver(
      (entries) => {
        const entered = entries.find((entry) => entry.isIntersecting);
        if (entered) setPlace(entered.target.id);
      },
      { rootMargin: "-30% 0px -60% 0px" },
    );
    for (const { id } of PLACES) {
      const section = document.getElementById(id);
      if (section) observer.observe(section);
    }
    return () => {
      observer.disconnect();
    };
  }, []);
  return place;
}

export function Dock() {
  const place = usePlace();
  return (
    <nav
      aria-label={t("nav.label")}
      class="bar fixed inset-x-0 bottom-2 z-20 mx-auto w-[min(26rem,calc(100%-1rem))] rounded-3xl p-1"
    >
      <ul class="grid grid-cols-5">
        {PLACES.map(({ id, name, icon }) => (
          <li key={id} class="min-w-0">
            <a
              href={`#${id}`}
              aria-current={place === id ? "true" : undefined}
              class="flex flex-col items-center gap-0.5 rounded-2xl px-1 py-1.5 text-2xs text-quiet aria-[current]:bg-raised aria-[current]:text-text"
            >
              <svg
                viewBox="0 0 24 24"
                class="size-5"
                aria-hidden="true"
                fill="none"
                stroke="currentColor"
                stroke-width="1.8"
              >
                <path d={icon} stroke-linejoin="round" stroke-linecap="round" />
              </svg>
              <span class="max-w-full truncate">{t(name)}</span>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
