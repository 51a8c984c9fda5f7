"""The instruments of the synthetic market: the exchange's own filters, beside invented prices.

Ten symbols carry the filters that `exchangeInfo` gave in July 2026, and volatility and turnover of the order recorded
in 2025. Any other symbol gets filters, price and pace made up from its name: always the same, never the exchange's.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final
from zlib import crc32

from withearth.domain.book import BASIS_POINTS
from withearth.domain.instrument import Instrument


@dataclass(frozen=True, slots=True)
class Listing:
    """An instrument, and how it trades: the price it starts near, the size of a 5m move, and the turnover of a bar."""

    instrument: Instrument
    price: float
    move_frac: float
    turnover: float


def listing_of(symbol: str) -> Listing:
    """The listing of a symbol: embedded where there is one, else made up from the name."""
    return EMBEDDED.get(symbol) or _made_up(symbol)


def _listing(
    symbol: str, price: str, tick: str, step: str, min_notional: int, max_qty: int, move_bps: float, turnover: float
) -> Listing:
    instrument = Instrument(
        symbol=symbol,
        tick_size=Decimal(tick),
        step_size=Decimal(step),
        min_qty=Decimal(step),
        max_qty=Decimal(max_qty),
        min_notional=Decimal(min_notional),
        min_price=Decimal(tick),
        max_price=Decimal(10_000_000),
    )
    return Listing(instrument, float(price), move_bps / BASIS_POINTS, turnover)


def _made_up(symbol: str) -> Listing:
    number = crc32(symbol.encode())
    magnitude, digits = number % 6 - 2, 1000 + number // 6 % 9000
    price = Decimal(digits).scaleb(magnitude - 3)
    tick, step = Decimal(1).scaleb(magnitude - 4), Decimal(1).scaleb(-max(0, magnitude + 1))
    return _listing(symbol, str(price), format(tick, "f"), str(step), 5, 1_000_000, 25, 1e6)


EMBEDDED: Final = {
    each.instrument.symbol: each
    for each in (
        #        symbol      price    tick       step     notional  max qty      bps  turnover
        _listing("BTCUSDT", "65000", "0.1", "0.001", 50, 1_000, 14, 40e6),
        _listing("ETHUSDT", "3200", "0.01", "0.001", 20, 10_000, 18, 20e6),
        _listing("SOLUSDT", "150", "0.01", "0.01", 5, 1_000_000, 24, 6e6),
        _listing("XRPUSDT", "0.6", "0.0001", "0.1", 5, 10_000_000, 24, 4e6),
        _listing("BNBUSDT", "580", "0.01", "0.01", 5, 100_000, 15, 1.5e6),
        _listing("DOGEUSDT", "0.15", "0.00001", "1", 5, 300_000_000, 26, 3e6),
        _listing("ADAUSDT", "0.45", "0.0001", "1", 5, 30_000_000, 26, 1.2e6),
        _listing("LINKUSDT", "14", "0.001", "0.01", 20, 200_000, 26, 0.8e6),
        _listing("AVAXUSDT", "28", "0.001", "1", 5, 500_000, 27, 0.8e6),
        _listing("LTCUSDT", "80", "0.01", "0.001", 20, 20_000, 22, 0.6e6),
    )
}
