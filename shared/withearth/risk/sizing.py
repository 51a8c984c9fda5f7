"""How much: `RISK_USDT` is the notional the owner allows; the market and the exchange can only make it smaller.

    notional  = RISK_USDT × (1 − ½ × spread / MAX_SPREAD_BPS)
              ≤ MAX_DEPTH_FRACTION × what rests in the top ten levels that the entry would take
              ≤ free margin × LEVERAGE
    quantity  = notional / entry, down to the step, at most the instrument's largest order

A quantity that comes out below the exchange's smallest order is raised to it, as long as that order is still worth
no more than RISK_USDT and the free margin carries it; otherwise there is no trade.
"""

from dataclasses import dataclass
from decimal import Decimal

from withearth.domain.book import OrderBook
from withearth.domain.errors import Refused
from withearth.domain.instrument import Instrument
from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.settings import Settings


@dataclass(frozen=True, slots=True)
class Sizing:
    """What the size depends on."""

    side: Side
    entry: Decimal
    book: OrderBook
    free_margin: Decimal


def size(sizing: Sizing, instrument: Instrument, settings: Settings) -> Decimal:
    """The quantity in the base asset, on the instrument's step.

    Raises Refused with MARGIN_TOO_SMALL, BELOW_MIN_QUANTITY or BELOW_MIN_NOTIONAL.
    """
    smallest = smallest_order(sizing.entry, instrument)
    affordable = sizing.free_margin * settings.leverage
    if smallest * sizing.entry > affordable:
        raise Refused(
            Reason.MARGIN_TOO_SMALL, f"the smallest order needs {smallest * sizing.entry / settings.leverage}"
        )
    notional = min(_wanted(sizing, settings), affordable)
    qty = min(instrument.qty_down(notional / sizing.entry), instrument.max_qty)
    if qty >= smallest:
        return qty
    if smallest > instrument.max_qty:
        raise Refused(Reason.BELOW_MIN_NOTIONAL, f"the largest order is {instrument.max_qty}, the smallest {smallest}")
    if smallest * sizing.entry <= settings.risk_usdt:
        return smallest
    reason = Reason.BELOW_MIN_QUANTITY if smallest == instrument.min_qty else Reason.BELOW_MIN_NOTIONAL
    raise Refused(reason, f"the smallest order is worth {smallest * sizing.entry}, RISK_USDT is {settings.risk_usdt}")


def smallest_order(price: Decimal, instrument: Instrument) -> Decimal:
    """The smallest quantity on the step that satisfies LOT_SIZE and MIN_NOTIONAL at this price."""
    return max(instrument.min_qty, instrument.qty_up(instrument.min_notional / price))


def _wanted(sizing: Sizing, settings: Settings) -> Decimal:
    scale = 1 - min(sizing.book.spread_bps / settings.max_spread_bps, Decimal(1)) / 2
    depth = settings.max_depth_fraction * sizing.book.notional(sizing.side)
    return min(settings.risk_usdt * scale, depth)
