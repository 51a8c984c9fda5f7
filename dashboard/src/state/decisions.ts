/** Decisions as somebody looks at them: read when a reader rests on one, once, and the newest few are kept. */

import { useEffect, useState } from "preact/hooks";
import type { Decision } from "../data/model";
import type { Source } from "../data/source";

/** How long one stays on a bar before anything is read for it: longer than a pointer takes to pass. */
const REST_MS = 150;
const KEPT = 60;

export type Looked =
  | { readonly state: "reading" | "failed" | "none" }
  | { readonly state: "known"; readonly decision: Decision };

const READING: Looked = { state: "reading" };

/** The newest decisions that were read. One that is not there yet, or could not be read, is asked for again. */
export class ReadDecisions {
  private readonly kept = new Map<string, Decision>();
  private readonly asked = new Map<string, Promise<Decision | null>>();

  constructor(private readonly source: Pick<Source, "story">) {}

  known(id: string): Decision | undefined {
    return this.kept.get(id);
  }

  read(id: string): Promise<Decision | null> {
    const known = this.kept.get(id);
    if (known !== undefined) return Promise.resolve(known);
    const asked = this.asked.get(id) ?? this.ask(id);
    this.asked.set(id, asked);
    return asked;
  }

  forget(): void {
    this.kept.clear();
  }

  private async ask(id: string): Promise<Decision | null> {
    try {
      const decision = (await this.source.story(id))?.decision ?? null;
      if (decision !== null) this.keep(id, decision);
      return decision;
    } finally {
      this.asked.delete(id);
    }
  }

  private keep(id: string, decision: Decision): void {
    this.kept.set(id, decision);
    const [oldest] = this.kept.keys();
    if (this.kept.size > KEPT && oldest !== undefined) this.kept.delete(oldest);
  }
}

interface Answer {
  readonly id: string;
  readonly looked: Looked;
}

/** The decision under an id: at once where it is known, else once the reader has rested on it. Nothing is read for null. */
export function useDecision(decisions: ReadDecisions, id: string | null): Looked {
  const [answer, setAnswer] = useState<Answer | null>(null);
  useEffect(() => {
    if (id === null) return;
    let wanted = true;
    const tell = (looked: Looked): void => {
      if (wanted) setAnswer({ id, looked });
    };
    const rest = setTimeout(() => {
      decisions.read(id).then(
        (decision) => {
          tell(decision === null ? { state: "none" } : { state: "known", decision });
        },
        () => {
          tell({ state: "failed" });
        },
      );
    }, REST_MS);
    return () => {
      wanted = false;
      clearTimeout(rest);
    };
  }, [decisions, id]);
  const known = id === null ? undefined : decisions.known(id);
  if (known !== undefined) return { state: "known", decision: known };
  return answer?.id === id ? answer.looked : READING;
}
