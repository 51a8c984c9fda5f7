/** Ids, which follow from what they name. */

/** The decision of a symbol at the close of a 5m bar, such as BTCUSDT-20260105T0605Z. */
export function decisionIdAt(symbol: string, closeMs: number): string {
  const tick = new Date(closeMs).toISOString().slice(0, 16).replaceAll(/[-:]/g, "");
  return `${symbol}-${tick}Z`;
}
