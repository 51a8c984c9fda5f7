"""Prices that are set: by a test or an admin in advance, or by a live source as they come.

A price stands until the next one. The book around it is modelled (see `feed_book`) with a depth that is given.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from withearth.paper.engine.instruments import PaperInstrument
from withearth.paper.feed import FundingGrid, FundingTerms, PriceLevel, Span, Tick
from withearth.paper.feed_book import levels, touch
from withearth.paper.feed_path import seeded

_SPREAD_BPS: Final = Decimal(1)
_KEPT_TICKS: Final = 1_000
Number = Decimal | int | str


@dataclass(slots=True)
class _Series:
    """The ticks of one symbol, oldest first, and how deep its book is."""

    depth: Decimal
    times: list[int] = field(default_factory=list)
    ticks: list[Tick] = field(default_factory=list)

    def put(self, tick: Tick) -> None:
        place = bisect_right(self.times, tick.time_ms)
        if place and self.times[place - 1] == tick.time_ms:
            self.ticks[place - 1] = tick
        else:
            self.times.insert(place, tick.time_ms)
            self.ticks.insert(place, tick)

    def at(self, at_ms: int) -> Tick:
        # Before the first price the first price holds, so that a symbol always has one.
        return self.ticks[max(0, bisect_right(self.times, at_ms) - 1)]

    def between(self, after_ms: int, until_ms: int) -> Sequence[Tick]:
        return self.ticks[bisect_right(self.times, after_ms) : bisect_right(self.times, until_ms)]


class SeriesFeed:
    """What scripted and live prices have in common: series of ticks, and a funding rate for each symbol."""

    def __init__(self, instruments: Mapping[str, PaperInstrument], *, seed: int = 0) -> None:
        self._instruments = dict(instruments)
        self._seed = seed
        self._series: dict[str, _Series] = {}
        self._rates: dict[str, Decimal] = {}

    def symbols(self) -> Sequence[str]:
        """The symbols that have a price."""
        return tuple(self._series)

    def tick(self, symbol: str, at_ms: int) -> Tick:
        """The price set last before the instant."""
        return self._series[symbol].at(at_ms)

    def span(self, symbol: str, after_ms: int, until_ms: int) -> Span | None:
        """The exact bounds of the prices set in the time."""
        ticks = self._series[symbol].between(after_ms, until_ms)
        if not ticks:
            return None
        return Span(
            min(min(tick.last, tick.mark) for tick in ticks),
            max(max(tick.last, tick.mark) for tick in ticks),
        )

    def steps(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[Tick]:
        """The prices set in the time."""
        return self._series[symbol].between(after_ms, until_ms)

    def levels(self, symbol: str, at_ms: int, *, asks: bool) -> Iterator[PriceLevel]:
        """One side of the modelled book; empty where its depth is 0."""
        series, instrument = self._series[symbol], self._instruments[symbol]
        if not series.depth:
            return iter(())
        tick = series.at(at_ms)
        return levels(
            tick.ask if asks else tick.bid,
            instrument.tick_size,
            instrument.step_size,
            series.depth,
            _SPREAD_BPS,
            asks=asks,
            seed=seeded(self._seed, symbol, tick.time_ms, asks),
        )

    def funding(self, symbol: str, at_ms: int) -> FundingTerms:
        """The rate that was set, 0 unless set, on the instrument's own interval."""
        grid = FundingGrid(self._instruments[symbol].funding_interval_hours)
        return FundingTerms(self._rates.get(symbol, Decimal(0)), grid.next_after(at_ms), grid.interval_ms)

    def settlements(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[tuple[int, Decimal]]:
        """The rate that is set now, at every settlement of the time."""
        due = FundingGrid(self._instruments[symbol].funding_interval_hours).due(after_ms, until_ms)
        return [(at_ms, self._rates.get(symbol, Decimal(0))) for at_ms in due]


class ScriptedFeed(SeriesFeed):
    """Prices a test or an admin sets. `depth` is what the best level of the book holds, in the base asset."""

    def set_price(
        self,
        symbol: str,
        at_ms: int,
        last: Number,
        *,
        mark: Number | None = None,
        index: Number | None = None,
        volume: Number = 0,
        depth: Number | None = None,
    ) -> None:
        """Let a price hold from an instant on. Mark and index are the last price unless given. Raises KeyError."""
        instrument = self._instruments[symbol]
        price = Decimal(last)
        bid, ask = touch(price, instrument.tick_size, _SPREAD_BPS)
        series = self._series.setdefault(symbol, _Series(instrument.market_max_qty))
        if depth is not None:
            series.depth = Decimal(depth)
        series.put(
            Tick(
                time_ms=at_ms,
                last=price,
                mark=price if mark is None else Decimal(mark),
                index=price if index is None else Decimal(index),
                bid=bid,
                ask=ask,
                volume=Decimal(volume),
            )
        )

    def set_path(self, symbol: str, start_ms: int, step_ms: int, prices: Sequence[Number]) -> None:
        """Let one price follow another, `step_ms` apart."""
        for number, price in enumerate(prices):
            self.set_price(symbol, start_ms + number * step_ms, price)

    def set_funding(self, symbol: str, rate: Number) -> None:
        """Set the rate of the settlements to come."""
        self._rates[symbol] = Decimal(rate)


@dataclass(frozen=True, slots=True)
class LiveRows:
    """What the exchange's public `bookTicker` and `premiumIndex` lists say at one moment."""

    book_tickers: Sequence[Mapping[str, Any]]
    premium_index: Sequence[Mapping[str, Any]]


class LiveFeed(SeriesFeed):
    """Prices of a live market, as often as `poll` is called. It does no network calls of its own: `fetch` does.

    The last price is the middle between bid and ask, on the tick; the volume of a tick is what stands at bid and ask.
    Announced funding times are the exchange's grid of the instrument's interval, and what settles is the rate that was
    announced last for the instant.
    """

    def __init__(
        self, instruments: Mapping[str, PaperInstrument], fetch: Callable[[], LiveRows], *, seed: int = 0
    ) -> None:
        super().__init__(instruments, seed=seed)
        self._fetch = fetch
        self._announced: dict[tuple[str, int], Decimal] = {}

    def settlements(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[tuple[int, Decimal]]:
        """Every settlement of the time, at the present rate where none was announced for it."""
        due = super().settlements(symbol, after_ms, until_ms)
        return [(at_ms, self._announced.get((symbol, at_ms), rate)) for at_ms, rate in due]

    def poll(self, now_ms: int) -> None:
        """Ask once, and let what comes hold from `now_ms` on. A symbol without both rows keeps its price."""
        rows = self._fetch()
        premiums = {row["symbol"]: row for row in rows.premium_index}
        for quote in rows.book_tickers:
            symbol = quote["symbol"]
            if symbol in self._instruments and symbol in premiums:
                self._put(symbol, now_ms, quote, premiums[symbol])

    def _put(self, symbol: str, now_ms: int, quote: Mapping[str, Any], premium: Mapping[str, Any]) -> None:
        bid, ask = Decimal(quote["bidPrice"]), Decimal(quote["askPrice"])
        mark, index = Decimal(premium["markPrice"]), Decimal(premium["indexPrice"])
        if not 0 < bid < ask or mark <= 0:
            return  # a symbol without a market: an empty side is sent as 0
        tick_size = self._instruments[symbol].tick_size
        last = ((bid + ask) / 2 / tick_size).to_integral_value() * tick_size
        volume = Decimal(quote["bidQty"]) + Decimal(quote["askQty"])
        series = self._series.setdefault(symbol, _Series(volume / 2))
        series.depth = volume / 2
        series.put(Tick(now_ms, last, mark, index, bid, ask, volume))
        del series.times[:-_KEPT_TICKS], series.ticks[:-_KEPT_TICKS]
        self._rates[symbol] = rate = Decimal(premium.get("lastFundingRate") or 0)
        self._announced[symbol, int(premium.get("nextFundingTime") or 0)] = rate
