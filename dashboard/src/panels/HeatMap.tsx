/** Symbol × timeframe: direction in colour and shape, strength in intensity, the value in figures. */

import type { Cell, Frame, HeatRow } from "../data/model";
import { plain } from "../format/numbers";
import { locale, t } from "../i18n";
import type { Store } from "../state/store";
import { Empty, Panel } from "../ui/Panel";
import { Moment } from "../ui/values";

export const FRAMES: readonly Frame[] = ["5m", "1h", "4h", "1d"];
const LOOKS = {
  up: { shape: "▲", tint: "var(--up)" },
  down: { shape: "▼", tint: "var(--down)" },
  flat: { shape: "■", tint: "var(--quiet)" },
} as const;
const TINT_MIN = 6;
const TINT_SPAN = 30;

function cellWords(symbol: string, frame: Frame, cell: Cell): string {
  return t("heatmap.cell", {
    symbol,
    frame,
    direction: t(
      cell.direction === "flat" ? "heatmap.flat" : cell.direction === "up" ? "heatmap.up" : "heatmap.down",
    ),
    value: plain(cell.value, locale.value, 1),
    rsi: plain(cell.rsi, locale.value, 0),
  });
}

function CellButton({ row, frame, onOpen }: { row: HeatRow; frame: Frame; onOpen: () => void }) {
  const cell = row.cells[frame];
  if (cell === undefined) {
    return (
      <span class="hatched block rounded-lg px-2 py-2 text-center text-quiet">{t("heatmap.nodata")}</span>
    );
  }
  const { shape, tint } = LOOKS[cell.direction];
  const strength = TINT_MIN + TINT_SPAN * Math.min(1, Math.max(0, cell.strength));
  return (
    <button
      type="button"
      class="w-full rounded-lg px-1.5 py-2 text-center text-sm whitespace-nowrap transition-transform hover:scale-[1.03]"
      style={{ background: `color-mix(in srgb, ${tint} ${strength.toFixed(0)}%, transparent)` }}
      aria-label={cellWords(row.symbol, frame, cell)}
      title={cellWords(row.symbol, frame, cell)}
      onClick={onOpen}
    >
      <span aria-hidden="true" style={{ color: tint }}>
        {shape}
      </span>{" "}
      {plain(cell.value, locale.value, 1)}
    </button>
  );
}

interface Props {
  readonly store: Store;
  readonly class: string;
  readonly onOpen: (symbol: string, frame: Frame) => void;
}

export function HeatMap({ store, class: extra, onOpen }: Props) {
  const view = store.views.heatmap.value;
  return (
    <Panel
      id="heatmap"
      title={t("heatmap.title")}
      class={extra}
      aside={view && <p class="text-xs text-quiet">{<Moment at={view.at} />}</p>}
    >
      {view && view.rows.length > 0 ? (
        <div
          class="scroll-thin max-h-96 overflow-auto"
          tabIndex={0}
          role="region"
          aria-label={t("heatmap.title")}
        >
          <table class="w-full table-fixed border-separate border-spacing-1">
            <caption class="sr-only">{t("heatmap.caption")}</caption>
            <thead>
              <tr class="text-xs text-quiet">
                <th scope="col" class="w-[28%] text-left font-normal">
                  {t("column.symbol")}
                </th>
                {FRAMES.map((frame) => (
                  <th key={frame} scope="col" class="font-normal">
                    {frame}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {view.rows.map((row) => (
                <tr key={row.symbol}>
                  <th scope="row" class="truncate text-left text-sm font-medium" title={row.symbol}>
                    {row.symbol}
                  </th>
                  {FRAMES.map((frame) => (
                    <td key={frame} class="p-0">
                      <CellButton
                        row={row}
                        frame={frame}
                        onOpen={() => {
                          onOpen(row.symbol, frame);
                        }}
                      />
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Empty>{t("heatmap.none")}</Empty>
      )}
      <p class="mt-2 text-xs text-quiet">{t("heatmap.legend")}</p>
    </Panel>
  );
}
