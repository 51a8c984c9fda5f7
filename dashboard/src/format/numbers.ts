/**
 * Numbers as people read them. Money arrives as decimal text and stays text: Intl formats it exactly, digit by digit,
 * without a detour through a float, and nothing here adds a digit that was not there.
 */

export type Decimal = string;
type Exact = Intl.StringNumericLiteral;

const DECIMAL = /^[-+]?\d+(\.\d+)?([eE][-+]?\d+)?$/;
const MINUS = "−";
export const NOTHING = "–";

const formats = new Map<string, Intl.NumberFormat>();

function format(locale: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  const key = `${locale}${JSON.stringify(options)}`;
  const known = formats.get(key) ?? new Intl.NumberFormat(locale, options);
  formats.set(key, known);
  return known;
}

/** Whether the text is a decimal number. Anything else is shown as nothing, never as zero. */
export function isDecimal(text: string | null | undefined): text is Exact {
  return typeof text === "string" && DECIMAL.test(text);
}

/** −1, 0 or 1, read from the text itself, so that the smallest amount still has its sign. */
export function signOf(text: Decimal | null | undefined): -1 | 0 | 1 {
  if (!isDecimal(text) || !/[1-9]/.test(text.split(/[eE]/)[0] ?? "")) return 0;
  return text.startsWith("-") ? -1 : 1;
}

function withMinus(text: string): string {
  return text.replace("-", MINUS);
}

/** As many decimals as the text has: prices and quantities come with the exchange's own precision. */
export function exact(text: Decimal | null | undefined, locale: string): string {
  if (!isDecimal(text)) return NOTHING;
  if (/[eE]/.test(text)) return withMinus(text);
  const decimals = Math.min(text.split(".")[1]?.length ?? 0, 20);
  return withMinus(
    format(locale, { minimumFractionDigits: decimals, maximumFractionDigits: 20 }).format(text),
  );
}

const PADDING = /^([^eE]*\.\d*?)0+$/;

/** The average price of fills. The exchange pads it, so zeros at its end say nothing of its precision. */
export function average(text: Decimal | null | undefined, locale: string): string {
  return exact(text?.replace(PADDING, "$1").replace(/\.$/, ""), locale);
}

const COMPACT_FROM = 1e7;
const SMALL_BELOW = 0.01;

/** Money for a tile: two decimals; the smallest amounts keep two significant digits, the largest are compact. */
export function money(text: Decimal | null | undefined, locale: string, signed = false): string {
  if (!isDecimal(text)) return NOTHING;
  const size = Math.abs(Number(text));
  const sign = signed ? "exceptZero" : "negative";
  if (size >= COMPACT_FROM) {
    const compact = { notation: "compact", maximumSignificantDigits: 5, signDisplay: sign } as const;
    return withMinus(format(locale, compact).format(text));
  }
  const precision =
    size > 0 && size < SMALL_BELOW
      ? { maximumSignificantDigits: 2 }
      : { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return withMinus(format(locale, { ...precision, signDisplay: sign }).format(text));
}

/** A share between 0 and 1 as percent. */
export function percent(share: number | null | undefined, locale: string, digits = 1): string {
  if (share === null || share === undefined || !Number.isFinite(share)) return NOTHING;
  const options = {
    style: "percent",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay: "negative",
  } as const;
  return withMinus(format(locale, options).format(share));
}

/** A plain measurement, such as an indicator's value. */
export function plain(value: number | null | undefined, locale: string, digits = 2): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  return withMinus(format(locale, { maximumFractionDigits: digits, signDisplay: "negative" }).format(value));
}

/** How many times its risk something won or lost: two decimals, of the smallest amounts two digits. */
export function multiple(value: number | Decimal | null | undefined, locale: string): string {
  if (value === null || value === undefined) return NOTHING;
  return `${money(String(value), locale)} R`;
}

/** A measured price, or what is made from prices: by digits that count, since some prices begin at the ninth decimal. */
export function figure(value: number | null | undefined, locale: string, digits = 8): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NOTHING;
  return withMinus(format(locale, { maximumSignificantDigits: digits }).format(value));
}

/** The place of a value on a chart. Only for drawing: what is written next to it comes from the text. */
export function forDrawing(text: Decimal): number {
  return Number(text);
}
