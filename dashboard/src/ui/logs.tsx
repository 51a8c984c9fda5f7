/** The way from the page to the log lines. */

import type { Logs } from "../data/logs";
import { t } from "../i18n";

/** The lines about one decision and its trade. */
export function LogLink({ logs, id }: { readonly logs: Logs; readonly id: string | null }) {
  if (logs.kind !== "cloud" || id === null) return null;
  return (
    <a
      class="text-xs whitespace-nowrap text-accent underline underline-offset-2"
      href={logs.link(id)}
      target="_blank"
      rel="noopener noreferrer"
      aria-label={t("activity.logsof", { id })}
    >
      {t("activity.log")}
    </a>
  );
}

/** Where all lines are: a link, a path, or that there are none. */
export function WhereLogsAre({ logs }: { readonly logs: Logs }) {
  if (logs.kind === "none") return <>{t("activity.nologs")}</>;
  if (logs.kind === "file") return <>{t("activity.logfile", { path: logs.path })}</>;
  return (
    <a
      class="text-accent underline underline-offset-2"
      href={logs.link(null)}
      target="_blank"
      rel="noopener noreferrer"
    >
      {t("activity.logs")}
    </a>
  );
}
