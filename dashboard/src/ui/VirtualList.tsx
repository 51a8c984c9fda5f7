/**
 * A list of any length: only the rows in sight exist. Rows may differ in height and change it when they open. Each is a
 * layer of its own, so that scrolling moves pictures of rows and paints only those that come into sight.
 */

import {
  elementScroll,
  observeElementOffset,
  observeElementRect,
  Virtualizer,
  type VirtualizerOptions,
} from "@tanstack/virtual-core";
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useMemo, useReducer, useRef } from "preact/hooks";

interface Props<T> {
  readonly items: readonly T[];
  readonly keyOf: (item: T) => string;
  readonly rowHeight: number;
  readonly label: string;
  /** A row's contents, asked for anew when the item or this function is another: it reads nothing else itself. */
  readonly render: (item: T) => ComponentChildren;
  readonly onEnd?: (() => void) | undefined;
}

const OVERSCAN = 4;

function useVirtualizer<T>({ items, keyOf, rowHeight }: Props<T>) {
  const box = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  const options: VirtualizerOptions<HTMLDivElement, HTMLLIElement> = {
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => {
      const item = items[index];
      return item === undefined ? index : keyOf(item);
    },
    overscan: OVERSCAN,
    observeElementRect,
    observeElementOffset,
    scrollToFn: elementScroll,
    onChange: () => {
      redraw(undefined);
    },
  };
  // eslint-disable-next-line react-hooks/exhaustive-deps -- made once; every later set of options is given to it below
  const virtualizer = useMemo(() => new Virtualizer(options), []);
  virtualizer.setOptions(options);
  useLayoutEffect(() => virtualizer._didMount(), [virtualizer]);
  useLayoutEffect(() => {
    virtualizer._willUpdate();
  });
  return { box, virtualizer };
}

/** Rows that arrive above keep what is being read where it is. */
function useSteadyReading<T>(props: Props<T>, virtualizer: Virtualizer<HTMLDivElement, HTMLLIElement>): void {
  const { items, keyOf, rowHeight } = props;
  const first = useRef<string | null>(null);
  useLayoutEffect(() => {
    const before = first.current;
    first.current = items[0] === undefined ? null : keyOf(items[0]);
    const box = virtualizer.scrollElement;
    if (before === null || before === first.current || !box || box.scrollTop === 0) return;
    const arrived = items.findIndex((item) => keyOf(item) === before);
    if (arrived > 0) box.scrollTop += arrived * rowHeight;
  }, [items, keyOf, rowHeight, virtualizer]);
}

/** A row's contents: drawn anew for another item, and never because the list was scrolled. */
function Content<T>({ item, render }: Pick<Props<T>, "render"> & { readonly item: T }) {
  return useMemo(() => <>{render(item)}</>, [item, render]);
}

export function VirtualList<T>(props: Props<T>) {
  const { items, label, render, onEnd } = props;
  const { box, virtualizer } = useVirtualizer(props);
  useSteadyReading(props, virtualizer);
  const rows = virtualizer.getVirtualItems();
  const last = rows.at(-1)?.index ?? -1;
  useEffect(() => {
    if (last >= items.length - 1) onEnd?.();
  }, [last, items.length, onEnd]);
  return (
    <div
      ref={box}
      class="scroll-thin max-h-[34rem] overflow-y-auto overscroll-contain rounded-xl"
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <ul class="relative" style={{ height: `${virtualizer.getTotalSize()}px` }}>
        {rows.map((row) => {
          const item = items[row.index];
          return item === undefined ? null : (
            <li
              key={row.key}
              ref={virtualizer.measureElement}
              data-index={row.index}
              aria-setsize={items.length}
              aria-posinset={row.index + 1}
              class="absolute inset-x-0 top-0 will-change-transform"
              style={{ transform: `translateY(${row.start}px)` }}
            >
              <Content item={item} render={render} />
            </li>
          );
        })}
      </ul>
    </div>
  );
}
