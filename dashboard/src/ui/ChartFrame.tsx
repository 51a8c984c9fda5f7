/** A drawn chart with its words: the drawing is an image with a summary, and a table says the same. */

import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { locale, t } from "../i18n";
import { palette, theme, zone } from "../state/preferences";
import { useNear } from "./near";

/** A chart in its box. `update` is called with every new state of the data, `remove` at the end. */
export interface Drawing<Data> {
  update(data: Data): void;
  remove(): void;
}
export type Draw<Data> = (box: HTMLElement, data: Data) => Drawing<Data>;

interface Props<Data> {
  readonly summary: string;
  readonly height: string;
  readonly data: Data;
  readonly load: () => Promise<Draw<Data>>;
  readonly table: ComponentChildren;
}

export function ChartFrame<Data>({ summary, height, data, load, table }: Props<Data>) {
  const frame = useRef<HTMLElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const drawing = useRef<Drawing<Data> | null>(null);
  const newest = useRef(data);
  const [showsTable, setShowsTable] = useState(false);
  const [isLost, setIsLost] = useState(false);
  newest.current = data;
  // Colours and times are fixed when a chart is made, so another look makes another chart.
  const look = [theme.value, palette.value, locale.value, zone.value, showsTable].join();
  const isNear = useNear(frame);
  useEffect(() => {
    let wanted = true;
    const place = box.current;
    if (place === null || !isNear) return;
    // What draws is fetched when it is needed, and a newer version of the page may have replaced it meanwhile.
    const lost = (): void => {
      if (!wanted) return;
      setIsLost(true);
      setShowsTable(true);
    };
    load().then((draw) => {
      if (wanted) drawing.current = draw(place, newest.current);
    }, lost);
    return () => {
      wanted = false;
      drawing.current?.remove();
      drawing.current = null;
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `load` is the same import under a new name each time
  }, [look, isNear]);
  useEffect(() => {
    drawing.current?.update(data);
  }, [data]);
  return (
    <figure ref={frame} class="min-w-0">
      {showsTable ? (
        <div class={`scroll-thin overflow-auto ${height}`} tabIndex={0} role="region" aria-label={summary}>
          {table}
        </div>
      ) : (
        <div role="img" aria-label={summary} class={height}>
          <div ref={box} class="h-full" aria-hidden="true" />
        </div>
      )}
      <figcaption class="mt-2 flex items-start justify-between gap-3 text-xs text-quiet">
        <span>
          {summary}
          {isLost && (
            <strong role="status" class="block">
              {t("chart.lost")}
            </strong>
          )}
        </span>
        <button
          type="button"
          class="shrink-0 text-accent underline underline-offset-2"
          aria-pressed={showsTable}
          onClick={() => {
            setShowsTable(!showsTable);
          }}
        >
          {showsTable ? t("chart.asdrawing") : t("chart.astable")}
        </button>
      </figcaption>
    </figure>
  );
}
