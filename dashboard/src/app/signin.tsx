/** The door of a hosted dashboard: nothing is read before its owner has signed in. */

import { render } from "preact";
import { useState } from "preact/hooks";
import type { Accounts, SignedIn } from "../data/firebase";
import { t } from "../i18n";
import type { Chosen } from "./choose";
import { Settings } from "./Settings";

const CONFIG = "/__/firebase/init.json";

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

interface DoorProps {
  readonly accounts: Accounts | null;
  readonly trouble: string | null;
  readonly onSignedIn: (who: SignedIn) => void;
}

export function Door({ accounts, trouble, onSignedIn }: DoorProps) {
  const [failure, setFailure] = useState<string | null>(null);
  return (
    <div class="grid min-h-dvh place-items-center p-4">
      <main class="glass grid w-full max-w-md gap-4 p-6 text-center">
        <h1 class="text-2xl font-bold tracking-tight">withEarth</h1>
        <p class="font-medium">{t("signin.title")}</p>
        <p class="text-sm text-pretty text-quiet">{t("signin.text")}</p>
        <button
          type="button"
          class="button"
          disabled={accounts === null}
          onClick={() => {
            accounts?.signIn().then(onSignedIn, (error: unknown) => {
              setFailure(sentence(error));
            });
          }}
        >
          {t("signin.button")}
        </button>
        <p role="status" class="text-sm break-words text-down">
          {trouble !== null && t("signin.misconfigured", { message: trouble })}
          {failure !== null && t("signin.failed", { message: failure })}
        </p>
        <p class="flex items-center justify-center gap-4 text-sm">
          <a class="text-accent underline underline-offset-2" href="?demo">
            {t("signin.demo")}
          </a>
          <Settings onSignOut={null} />
        </p>
      </main>
    </div>
  );
}

async function accountsHere(): Promise<Accounts> {
  const response = await fetch(CONFIG);
  if (!response.ok) throw new Error(`${CONFIG} answered ${response.status}`);
  const options = (await response.json()) as Record<string, string>;
  const { Accounts } = await import("../data/firebase");
  return new Accounts(options);
}

/** Whoever signs in at the door. Never resolves where this page is not set up; the door says why. */
function atTheDoor(root: HTMLElement, accounts: Accounts | null, trouble: string | null): Promise<SignedIn> {
  return new Promise((resolve) => {
    render(<Door accounts={accounts} trouble={trouble} onSignedIn={resolve} />, root);
  });
}

export async function signIn(root: HTMLElement): Promise<Chosen> {
  let accounts: Accounts;
  try {
    accounts = await accountsHere();
  } catch (error) {
    return atTheDoor(root, null, sentence(error)).then(() => Promise.reject(new Error(CONFIG)));
  }
  const who = (await accounts.present()) ?? (await atTheDoor(root, accounts, null));
  const { recordsOf } = await import("../data/firebase-records");
  return {
    source: recordsOf(accounts.app, who.email),
    signOut: () => {
      void accounts.signOut().then(() => {
        location.reload();
      });
    },
  };
}
