import type { ComponentChildren } from "preact";

interface Props {
  readonly id: string;
  readonly title: string;
  readonly children: ComponentChildren;
  /** What stands at the right of the title: a summary, filters, a switch. */
  readonly aside?: ComponentChildren;
  readonly class?: string;
}

/** One pane of glass with a heading, which the navigation and assistive technology find by its id. */
export function Panel({ id, title, children, aside, class: extra = "" }: Props) {
  return (
    <section id={id} aria-labelledby={`${id}-title`} class={`glass min-w-0 p-4 sm:p-5 ${extra}`}>
      <header class="mb-3 flex flex-wrap items-center justify-between gap-x-4 gap-y-2">
        <h2 id={`${id}-title`} class="text-base font-semibold tracking-tight">
          {title}
        </h2>
        {aside}
      </header>
      {children}
    </section>
  );
}

/** What a panel says where it has nothing to show: why, and what will change that. */
export function Empty({ children }: { readonly children: ComponentChildren }) {
  return <p class="inset px-4 py-6 text-center text-quiet text-balance">{children}</p>;
}
