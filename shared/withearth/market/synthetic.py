"""A market that needs no network and no files: seeded, endless, and labelled synthetic wherever it is shown.

Promises: the same seed and the same day of `start` give the same bars in every process, in whatever order they are
asked for. It begins 120 days before `start` and has no end. Nothing about the real market follows from it.

Days are generated on first use and kept, from any thread: about 14 kB for a day of a symbol.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from threading import Lock
from typing import Final

from withearth.domain.book import OrderBook, Quote
from withearth.domain.candles import DAY_BARS, Candles, quote_turnover
from withearth.domain.errors import MarketFault
from withearth.domain.instrument import Instrument
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe, from_ms, to_ms
from withearth.market.bar_store import BarStore
from withearth.market.funding import Funding
from withearth.market.modelled_book import VOLUME_BARS, modelled_book, modelled_quote
from withearth.market.port import MarketOrigin, Settlement
from withearth.market.synthetic_listing import Listing, listing_of
from withearth.market.synthetic_prices import Prices, next_day

HISTORY: Final = timedelta(days=120)
_FUNDING_MS: Final = 8 * 3_600_000
_BASE_RATE: Final = Decimal("0.0001")
_RATE_STEP: Final = Decimal("0.0000008")
_SEED_MASK: Final = 2**64 - 1


class SyntheticMarket:
    """Invented prices for any symbols, the same for the same seed."""

    def __init__(self, seed: int, symbols: Iterable[str], *, start: datetime, spread_bps: Decimal) -> None:
        first_day = to_ms(start - HISTORY) // Timeframe.D1.ms
        self._seed = seed & _SEED_MASK
        self._spread_bps = spread_bps
        self._series = {symbol: _Series(self._seed, listing_of(symbol), first_day) for symbol in symbols}

    @property
    def origin(self) -> MarketOrigin:
        """Where the prices come from."""
        return MarketOrigin.SYNTHETIC

    def instrument(self, symbol: str) -> Instrument:
        """The filters of the embedded listing, or of one made up. Raises MarketFault with INSTRUMENT_UNKNOWN."""
        return self._of(symbol).listing.instrument

    def quotes(self, symbols: Iterable[str], as_of: datetime) -> Mapping[str, Quote]:
        """A modelled quote at the last closed 5m bar of each symbol that has one, and its funding."""
        quotes = {}
        for symbol in filter(self._series.__contains__, symbols):
            bars = self.candles(symbol, Timeframe.M5, as_of, 1)
            if len(bars):
                funding = self._funding(symbol, as_of)
                quotes[symbol] = modelled_quote(self.instrument(symbol), bars, self._spread_bps, funding)
        return quotes

    def candles(self, symbol: str, timeframe: Timeframe, as_of: datetime, limit: int) -> Candles:
        """The newest `limit` bars closed at `as_of`. Raises MarketFault for a symbol that was not asked for."""
        return self._of(symbol).bars(timeframe, as_of, limit)

    def tradable(self, as_of: datetime) -> tuple[str, ...]:  # noqa: ARG002 - they have always been there
        """All of them."""
        return tuple(sorted(self._series))

    def turnover(self, as_of: datetime) -> Mapping[str, float]:
        """What each symbol traded in the 24 hours before, in the quote asset."""
        return {symbol: quote_turnover(self.candles(symbol, Timeframe.M5, as_of, DAY_BARS)) for symbol in self._series}

    def windows(self, symbol: str, as_of: datetime, limit: int) -> Mapping[Timeframe, Candles]:
        """The newest `limit` closed bars of every timeframe. Raises MarketFault for a symbol that was not asked for."""
        return {timeframe: self.candles(symbol, timeframe, as_of, limit) for timeframe in Timeframe}

    def depth(self, symbol: str, as_of: datetime) -> OrderBook:
        """A modelled book at the last closed 5m bar. Raises MarketFault."""
        bars = self.candles(symbol, Timeframe.M5, as_of, VOLUME_BARS)
        if not len(bars):
            raise MarketFault(Reason.NO_CANDLES, f"{symbol} begins later than {as_of.isoformat()}")
        return modelled_book(self.instrument(symbol), bars, self._spread_bps)

    def settlements(self, symbol: str, after: datetime, until: datetime) -> tuple[Settlement, ...]:
        """Settlements at 00, 08 and 16 UTC with after < at ≤ until."""
        first_ms = self._of(symbol).first_ms
        counts = range(max(to_ms(after), first_ms) // _FUNDING_MS + 1, to_ms(until) // _FUNDING_MS + 1)
        return tuple(Settlement(from_ms(count * _FUNDING_MS), self._rate(symbol, count)) for count in counts)

    def _funding(self, symbol: str, as_of: datetime) -> Funding:
        count = to_ms(as_of) // _FUNDING_MS
        return Funding(self._rate(symbol, count), from_ms((count + 1) * _FUNDING_MS))

    def _rate(self, symbol: str, count: int) -> Decimal:
        """0.01 % with a bell-shaped noise of up to ± 0.03 %, a pure function of seed, symbol and settlement."""
        noise = blake2b(f"{self._seed}:{symbol}:{count}".encode(), digest_size=3).digest()
        return _BASE_RATE + sum(byte - 127 for byte in noise) * _RATE_STEP

    def _of(self, symbol: str) -> "_Series":
        if symbol not in self._series:
            raise MarketFault(Reason.INSTRUMENT_UNKNOWN, f"{symbol} is not among the symbols of this synthetic market")
        return self._series[symbol]


class _Series:
    """The bars of one symbol, generated day after day as far as they were asked for."""

    def __init__(self, seed: int, listing: Listing, first_day: int) -> None:
        self.listing = listing
        self.first_ms = first_day * Timeframe.D1.ms
        self._seed = seed
        self._day = first_day
        self._prices = Prices.of(listing)
        self._store = BarStore()
        self._growing = Lock()

    def bars(self, timeframe: Timeframe, as_of: datetime, limit: int) -> Candles:
        as_of_ms = to_ms(as_of)
        # The day that begins at `as_of` has no closed bar yet.
        if (as_of_ms - 1) // Timeframe.D1.ms >= self._day:
            self._grow((as_of_ms - 1) // Timeframe.D1.ms)
        return self._store.candles(timeframe).closed_at(as_of_ms, limit)

    def _grow(self, through_day: int) -> None:
        with self._growing:
            while self._day <= through_day:
                bars, self._prices = next_day(self._seed, self.listing, self._day, self._prices)
                self._store.append(bars)
                self._day += 1
