"""Shadow trades: what an intent would have earned, told by the candles that followed it.

Pessimistic wherever candles leave a choice:
- the entry and every exit by a market order (stop, horizon) pay `SHADOW_SLIPPAGE_BPS` on top of their price;
- both sides pay the taker fee, though a limit entry would often be a maker;
- a bar that touches both target and stop hit the stop;
- a bar that opens beyond the stop fills at its open, one that opens beyond the target at the target;
- a missing bar ends the trade as VOID, without a result, because nobody knows what happened in it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from withearth.domain.book import BASIS_POINTS
from withearth.domain.candles import CLOSE, HIGH, LOW, OPEN, Candles
from withearth.domain.side import Side
from withearth.domain.times import from_ms, to_ms
from withearth.execution.outcome import Exit, ExitReason, OpenTrade, Result
from withearth.market.port import Settlement

_CENTS: Final = Decimal("0.00000001")
"""Money is booked to the exchange's eight decimal places."""


@dataclass(frozen=True, slots=True)
class Costs:
    """What trading costs, in basis points of the notional."""

    fee_bps: Decimal
    slippage_bps: Decimal


@dataclass(frozen=True, slots=True)
class FundingPayment:
    """One settlement that fell into a trade: the rate, and the price that made the notional."""

    rate: Decimal
    price: Decimal


def slipped(price: Decimal, buying: bool, costs: Costs) -> Decimal:
    """The price a market order pays instead of `price`."""
    worse = costs.slippage_bps / BASIS_POINTS * (1 if buying else -1)
    return (price * (1 + worse)).quantize(_CENTS, rounding=ROUND_CEILING if buying else ROUND_FLOOR)


def follow(trade: OpenTrade, bars: Candles, costs: Costs) -> Exit | None:
    """Walk the closed bars that opened at the entry or later, oldest first, until one ends the trade."""
    expected = to_ms(trade.opened_at)
    later = bars.opened_since(expected)
    for open_ms, *prices in zip(later.open_ms.tolist(), *later.ohlcv[[OPEN, HIGH, LOW, CLOSE]].tolist(), strict=True):
        closed_at = from_ms(open_ms + bars.timeframe.ms)
        if open_ms != expected:
            return Exit(ExitReason.DATA_GAP, closed_at, None)
        ended = _end_in_bar(trade, _Bar(closed_at, *(Decimal(repr(price)) for price in prices)), costs)
        if ended is not None:
            return ended
        expected = open_ms + bars.timeframe.ms
    return None


@dataclass(frozen=True, slots=True)
class _Bar:
    closed_at: datetime
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


def _end_in_bar(trade: OpenTrade, bar: _Bar, costs: Costs) -> Exit | None:
    worst, best = (bar.low, bar.high)[:: trade.side.sign]
    sign, selling = trade.side.sign, trade.side is Side.LONG
    if worst * sign <= trade.sl * sign:
        reached = min(trade.sl * sign, bar.open * sign) * sign
        return Exit(ExitReason.STOP, bar.closed_at, slipped(reached, not selling, costs))
    if best * sign >= trade.tp * sign:
        return Exit(ExitReason.TARGET, bar.closed_at, trade.tp)
    if bar.closed_at >= trade.ends_at:
        return Exit(ExitReason.HORIZON, bar.closed_at, slipped(bar.close, not selling, costs))
    return None


def result(trade: OpenTrade, exit_price: Decimal, payments: Iterable[FundingPayment], costs: Costs) -> Result:
    """Book the trade."""
    gross = (exit_price - trade.entry) * trade.qty * trade.side.sign
    fees = (exit_price + trade.entry) * trade.qty * costs.fee_bps / BASIS_POINTS
    funding = sum((-each.rate * each.price * trade.qty * trade.side.sign for each in payments), Decimal(0))
    gross, fees, funding = (amount.quantize(_CENTS) for amount in (gross, fees, funding))
    return Result.of(gross, fees, funding, risk=abs(trade.entry - trade.sl) * trade.qty)


def funding_payments(settlements: Iterable[Settlement], bars: Candles) -> tuple[FundingPayment, ...]:
    """Each settlement with the price that made the notional: the close of the 5m bar that ends at it.

    Raises KeyError when that bar is not among `bars`.
    """
    closes = dict(zip(bars.close_ms.tolist(), bars.ohlcv[CLOSE].tolist(), strict=True))
    steps = ((each, to_ms(each.at) // bars.timeframe.ms * bars.timeframe.ms) for each in settlements)
    return tuple(FundingPayment(each.rate, Decimal(repr(closes[step]))) for each, step in steps)
