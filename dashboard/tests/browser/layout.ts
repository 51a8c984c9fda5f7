/** Measures a page for what nobody wants to see: things that stick out, and words that lie on words. */

import type { Page } from "playwright-core";

/** Words that overlap others of the same panel, or leave their panel, or make the page scroll sideways. */
export function misplaced(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const SLACK = 1.5;
    const found: string[] = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth)
      found.push(`page is ${root.scrollWidth} wide in ${root.clientWidth}`);

    interface Word {
      readonly text: string;
      readonly node: Node;
      readonly box: DOMRect;
    }
    const isSeen = (node: Element): boolean =>
      node.checkVisibility({ visibilityProperty: true, opacityProperty: true }) &&
      !node.closest(".sr-only, svg, [aria-hidden]");
    const clipOf = (node: Element, panel: Element): DOMRect => {
      let box = panel.getBoundingClientRect();
      for (let each: Element | null = node; each && each !== panel; each = each.parentElement) {
        if (getComputedStyle(each).overflow === "visible") continue;
        const own = each.getBoundingClientRect();
        const [left, top] = [Math.max(box.left, own.left), Math.max(box.top, own.top)];
        const [right, bottom] = [Math.min(box.right, own.right), Math.min(box.bottom, own.bottom)];
        box = new DOMRect(left, top, Math.max(0, right - left), Math.max(0, bottom - top));
      }
      return box;
    };
    const clipped = (box: DOMRect, clip: DOMRect): DOMRect => {
      const [left, top] = [Math.max(box.left, clip.left), Math.max(box.top, clip.top)];
      const [right, bottom] = [Math.min(box.right, clip.right), Math.min(box.bottom, clip.bottom)];
      return new DOMRect(left, top, Math.max(0, right - left), Math.max(0, bottom - top));
    };
    const scrolls = (node: Element, panel: Element): boolean => {
      for (let each: Element | null = node; each && each !== panel; each = each.parentElement) {
        if (getComputedStyle(each).overflowX !== "visible") return true;
      }
      return false;
    };
    const wordsOf = (panel: Element): Word[] => {
      const words: Word[] = [];
      const walker = document.createTreeWalker(panel, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const text = walker.currentNode.textContent?.trim() ?? "";
        const parent = walker.currentNode.parentElement;
        if (text === "" || !parent || !isSeen(parent)) continue;
        const range = document.createRange();
        range.selectNodeContents(walker.currentNode);
        for (const box of range.getClientRects()) {
          const outside = box.right > panel.getBoundingClientRect().right + SLACK;
          if (outside && !scrolls(parent, panel)) found.push(`"${text}" leaves ${panel.id}`);
          words.push({ text, node: walker.currentNode, box: clipped(box, clipOf(parent, panel)) });
        }
      }
      return words.filter(({ box }) => box.width > 1 && box.height > 1);
    };
    const overlap = (a: DOMRect, b: DOMRect): boolean =>
      Math.min(a.right, b.right) - Math.max(a.left, b.left) > SLACK &&
      Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > a.height / 3;
    for (const panel of document.querySelectorAll("header.bar, main section, main [role=alert], nav")) {
      const words = wordsOf(panel);
      for (const [index, word] of words.entries()) {
        for (const other of words.slice(index + 1)) {
          // Words that were cut short have a second box of their own under the first.
          if (word.node !== other.node && overlap(word.box, other.box))
            found.push(`"${word.text}" lies on "${other.text}" in ${panel.id}`);
        }
      }
    }
    return found;
  });
}
