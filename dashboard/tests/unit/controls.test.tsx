// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { Refused, type Wish } from "../../src/data/source";
import { speak } from "../../src/i18n";
import { Controls } from "../../src/panels/Controls";
import { Store } from "../../src/state/store";
import { aSource } from "../builders/source";
import { aWorld } from "../builders/world";

const { views } = aWorld();

function shown(ask: (wish: Wish) => Promise<void>): HTMLElement {
  const store = new Store(aSource({ ask }));
  store.view("overview", views.overview);
  store.view("control", views.control);
  const box = document.createElement("div");
  document.body.replaceChildren(box); // a form that is in no document sends nothing
  void act(() => {
    render(<Controls store={store} class="" />, box);
  });
  return box;
}

async function press(box: HTMLElement, name: string): Promise<void> {
  const button = [...box.querySelectorAll("button")].find((each) => each.textContent === name);
  await act(async () => {
    button?.click();
    await Promise.resolve();
  });
}

async function halted(ask: (wish: Wish) => Promise<void>): Promise<string> {
  const box = shown(ask);
  await press(box, "Halt");
  await press(box, "Send the request");
  return box.querySelector("[role=status]")?.textContent ?? "";
}

describe("what became of a press", () => {
  beforeEach(() => speak("en"));

  it("is told by the action's own name", async () => {
    const ask = vi.fn(() => Promise.resolve());

    expect(await halted(ask)).toContain("Asked for: Halt.");
    expect(ask).toHaveBeenCalledExactlyOnceWith({ action: "halt", word: null, why: "" });
  });

  it("is a refusal only where somebody refused", async () => {
    expect(await halted(() => Promise.reject(new Refused("You may not.")))).toContain(
      "Refused: You may not.",
    );
    const unsure = await halted(() => Promise.reject(new TypeError("no line")));

    expect(unsure).toContain("No confirmation: no line.");
    expect(unsure).not.toMatch(/not sent:|refused/i);
  });

  it("names actions and states in the reader's language", async () => {
    await speak("ko");
    const answers = shown(() => Promise.resolve()).querySelector("ul")?.textContent ?? "";

    expect(answers).toContain("재개");
    expect(answers).toContain("거래 중");
    expect(answers).not.toMatch(/resume|ACTIVE/);
  });
});
