import { useEffect, useState } from "preact/hooks";
import type { Frame } from "../data/model";
import { t } from "../i18n";
import { useTicking } from "../state/clock";
import type { Store } from "../state/store";
import { Activity } from "../panels/Activity";
import { Calibration } from "../panels/Calibration";
import { Candles } from "../panels/Candles";
import { Controls } from "../panels/Controls";
import { Decisions } from "../panels/Decisions";
import { HeatMap } from "../panels/HeatMap";
import { Limits } from "../panels/Limits";
import { Equity, Headline } from "../panels/Money";
import { NakedAlarm, nakedOf, Positions } from "../panels/Positions";
import { StatusBar } from "../panels/StatusBar";
import { modeName } from "../ui/origin";
import { Dock } from "./Dock";
import { Settings } from "./Settings";

function Panels({ store }: { readonly store: Store }) {
  const [frame, setFrame] = useState<Frame>("5m");
  return (
    <main
      id="contents"
      tabIndex={-1}
      class={`grid min-w-0 gap-3 outline-none ${store.isStale.value ? "stale" : ""}`}
    >
      <Headline store={store} />
      <Positions store={store} />
      <div class="grid min-w-0 gap-3 wide:grid-cols-12">
        <Equity store={store} class="wide:col-span-7" />
        <HeatMap
          store={store}
          class="wide:col-span-5"
          onOpen={(symbol, chosen) => {
            store.chosen.value = symbol;
            setFrame(chosen);
            document.getElementById("candles")?.scrollIntoView();
          }}
        />
        <Candles store={store} frame={frame} onFrame={setFrame} class="wide:col-span-12" />
        <Decisions store={store} class="wide:col-span-12" />
        <Calibration store={store} class="wide:col-span-12" />
        <Activity store={store} class="wide:col-span-12" />
        <Limits store={store} class="wide:col-span-7" />
        <Controls store={store} class="wide:col-span-5" />
      </div>
    </main>
  );
}

/** The tab says what kind of money this is, too, and that it is without a stop, first. */
function useTitle(store: Store): void {
  const mode = store.views.overview.value?.mode;
  const alarm = nakedOf(store).length > 0 ? `⚠ ${t("position.naked.title")}` : "";
  const title = [alarm, mode ? modeName(mode) : "", "withEarth"].filter((each) => each !== "").join(" · ");
  useEffect(() => {
    document.title = title;
  }, [title]);
}

interface Props {
  readonly store: Store;
  readonly onSignOut: (() => void) | null;
}

export function App({ store, onSignOut }: Props) {
  useTicking();
  useTitle(store);
  return (
    <div class="mx-auto w-full max-w-[100rem] px-2 pt-2 pb-28 sm:px-4">
      <a href="#contents" class="skip">
        {t("skip")}
      </a>
      <StatusBar store={store} tools={<Settings onSignOut={onSignOut} />} />
      <div class="h-3" />
      {/* Outside of what greys out: an old alarm is an alarm. */}
      <NakedAlarm store={store} />
      <Panels store={store} />
      <footer class="mt-6 flex flex-wrap justify-between gap-x-6 gap-y-1 px-2 text-xs text-quiet">
        <p>{t("app.foot")}</p>
        <a class="underline underline-offset-2" href="https://www.tradingview.com/" rel="noopener noreferrer">
          {t("app.charts")}
        </a>
      </footer>
      <Dock />
    </div>
  );
}
