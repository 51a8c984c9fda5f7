/** Where the log lines of the functions are. */

export type Logs =
  | { readonly kind: "none" }
  | { readonly kind: "file"; readonly path: string }
  /** The link to the lines about a decision or a trade, and to all lines for null. */
  | { readonly kind: "cloud"; readonly link: (id: string | null) => string };

export const FUNCTIONS = ["api", "dispatcher", "executor", "reconciler", "sentiment", "worker"] as const;

const ID = /[\p{L}\p{N}_]+-\d{8}T\d{4}Z/u;
const TICK = /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)Z$/;

/** The id of a decision that a text names, which its intent and its trade have, too. */
export function idIn(text: string): string | null {
  return ID.exec(text)?.[0] ?? null;
}

/** What finds the lines in Cloud Logging: those about an id by the fields that name it, from the close of its bar on. */
export function cloudQuery(id: string | null): string {
  const services = FUNCTIONS.map((each) => JSON.stringify(each)).join(" OR ");
  const all = ['resource.type="cloud_run_revision"', `resource.labels.service_name=(${services})`];
  return [...all, ...(id === null ? [] : about(id))].join("\n");
}

function about(id: string): string[] {
  const quoted = JSON.stringify(id);
  const named = `(jsonPayload.decision_id=${quoted} OR jsonPayload.intent_id=${quoted} OR jsonPayload.message:${quoted})`;
  const [, year, month, day, hour, minute] = TICK.exec(id) ?? [];
  return year === undefined ? [named] : [named, `timestamp>="${year}-${month}-${day}T${hour}:${minute}:00Z"`];
}

/** The logs of a Google Cloud project. */
export function cloudLogs(project: string): Logs {
  return {
    kind: "cloud",
    link: (id) =>
      `https://console.cloud.google.com/logs/query;query=${encoded(cloudQuery(id))}?project=${encoded(project)}`,
  };
}

/** As part of an address, brackets too, at which what makes links of texts may end one. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll("(", "%28").replaceAll(")", "%29");
}
