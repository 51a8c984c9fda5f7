/** How the page looks and speaks. */

import { useRef } from "preact/hooks";
import { locale, t, type Locale } from "../i18n";
import { chooseLocale, palette, theme, zone } from "../state/preferences";
import { Segmented } from "../ui/Segmented";

function Choices() {
  return (
    <dl class="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-3 text-sm">
      <dt>{t("settings.theme")}</dt>
      <dd>
        <Segmented
          label={t("settings.theme")}
          value={theme.value}
          options={[
            ["dark", t("settings.theme.dark")],
            ["light", t("settings.theme.light")],
          ]}
          onChange={(wanted) => {
            theme.value = wanted;
          }}
        />
      </dd>
      <dt>{t("settings.palette")}</dt>
      <dd>
        <Segmented
          label={t("settings.palette")}
          value={palette.value}
          options={[
            ["red-green", t("settings.palette.redgreen")],
            ["blue-orange", t("settings.palette.blueorange")],
          ]}
          onChange={(wanted) => {
            palette.value = wanted;
          }}
        />
      </dd>
      <dt>{t("settings.language")}</dt>
      <dd>
        <Segmented<Locale>
          label={t("settings.language")}
          value={locale.value}
          options={[
            ["en", "English"],
            ["ko", "한국어"],
          ]}
          onChange={(wanted) => {
            void chooseLocale(wanted);
          }}
        />
      </dd>
      <dt>{t("settings.zone")}</dt>
      <dd>
        <Segmented
          label={t("settings.zone")}
          value={zone.value}
          options={[
            ["local", t("settings.zone.local")],
            ["utc", "UTC"],
          ]}
          onChange={(wanted) => {
            zone.value = wanted;
          }}
        />
      </dd>
    </dl>
  );
}

export function Settings({ onSignOut }: { readonly onSignOut: (() => void) | null }) {
  const dialog = useRef<HTMLDialogElement>(null);
  return (
    <>
      <button
        type="button"
        class="button min-h-8 px-2.5"
        aria-haspopup="dialog"
        aria-label={t("settings.open")}
        title={t("settings.open")}
        onClick={() => {
          dialog.current?.showModal();
        }}
      >
        <svg
          viewBox="0 0 24 24"
          class="size-4.5"
          aria-hidden="true"
          fill="none"
          stroke="currentColor"
          stroke-width="2"
        >
          <path d="M4 7h9 M19 7h1 M4 17h1 M11 17h9" stroke-linecap="round" />
          <circle cx="16" cy="7" r="2.6" />
          <circle cx="8" cy="17" r="2.6" />
        </svg>
      </button>
      <dialog
        ref={dialog}
        class="sheet bar m-auto rounded-3xl p-5 text-text"
        aria-labelledby="settings-title"
        onClick={(event) => {
          if (event.target === event.currentTarget) event.currentTarget.close();
        }}
      >
        <h2 id="settings-title" class="mb-4 text-lg font-semibold">
          {t("settings.title")}
        </h2>
        <Choices />
        <div class="mt-5 flex justify-end gap-2">
          {onSignOut && (
            <button type="button" class="button" onClick={onSignOut}>
              {t("settings.signout")}
            </button>
          )}
          <button type="button" class="button" onClick={() => dialog.current?.close()}>
            {t("settings.close")}
          </button>
        </div>
      </dialog>
    </>
  );
}
