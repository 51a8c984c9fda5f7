"""The quote and the book assumed around a close, for markets of which only candles exist.

The model, in full:

- The spread is `spread_bps` of the close, at least one tick, rounded up to whole ticks.
- It is centred on the close. Where the grid does not allow that, both prices stand half a tick lower.
- Ten levels rest on each side, one spread apart.
- Every level holds the same quantity, and the ten of a side together 10 % of what a 5m bar traded in the mean
  of the last 20. Both sides are equal, so a modelled book never has an imbalance.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Final

from withearth.domain.book import BASIS_POINTS, Level, OrderBook, Quote
from withearth.domain.candles import CLOSE, VOLUME, Candles
from withearth.domain.instrument import Instrument
from withearth.domain.times import from_ms
from withearth.market.funding import Funding

VOLUME_BARS: Final = 20
_LEVELS: Final = 10
_SIDE_FRAC: Final = 0.1


def modelled_quote(instrument: Instrument, bars: Candles, spread_bps: Decimal, funding: Funding | None) -> Quote:
    """The quote at the close of the newest bar."""
    bid, ask = _touch(instrument, bars, spread_bps)
    return Quote(
        symbol=instrument.symbol,
        bid=bid * instrument.tick_size,
        ask=ask * instrument.tick_size,
        observed_at=from_ms(bars.last_close_ms),
        funding_rate=funding.rate if funding else None,
        next_funding_at=funding.next_at if funding else None,
    )


def modelled_book(instrument: Instrument, bars: Candles, spread_bps: Decimal) -> OrderBook:
    """The book at the close of the newest bar. The quantities come from up to `VOLUME_BARS` of the given bars."""
    bid, ask = _touch(instrument, bars, spread_bps)
    spread, tick, qty = ask - bid, instrument.tick_size, _level_qty(instrument, bars)
    return OrderBook(
        bids=tuple(Level(ticks * tick, qty) for ticks in range(bid, max(0, bid - _LEVELS * spread), -spread)),
        asks=tuple(Level(ticks * tick, qty) for ticks in range(ask, ask + _LEVELS * spread, spread)),
        observed_at=from_ms(bars.last_close_ms),
        modelled=True,
    )


def _touch(instrument: Instrument, bars: Candles, spread_bps: Decimal) -> tuple[int, int]:
    """Best bid and best ask in ticks."""
    close = Decimal(repr(float(bars.ohlcv[CLOSE, -1]))) / instrument.tick_size
    spread = max(1, int((close * spread_bps / BASIS_POINTS).to_integral_value(ROUND_CEILING)))
    bid = max(1, int((close - Decimal(spread) / 2).to_integral_value(ROUND_FLOOR)))
    return bid, bid + spread


def _level_qty(instrument: Instrument, bars: Candles) -> Decimal:
    volumes = bars.ohlcv[VOLUME, -VOLUME_BARS:]
    share = float(volumes.sum()) / len(volumes) * _SIDE_FRAC / _LEVELS
    return max(instrument.min_qty, instrument.qty_down(Decimal(repr(share))))
