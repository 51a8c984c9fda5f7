"""Prices from a market of candles, recorded or synthetic.

Each closed five-minute bar becomes a seeded path of ticks (see `feed_path`), one every `step_ms`. The bar in which an
instant lies is looked up in full, also before it closes: the exchange knows its own future prices, nobody who asks it
does. What is derived:

- mark: the mean of the last price and the two ticks before it in the same bar, so a wick shows in it dampened
- index: the mark price less the announced funding rate's premium
- bid and ask: around the last price (see `feed_book`); the best level holds about 1 % of the day's mean volume of a bar
- volume: the bar's, equally over its ticks

Where bars are missing the last close stands still, with no volume. A symbol without any bar in the thirty days before
an instant has no price there: KeyError. Funding is the market's; where it knows none, 0.01 % every
`funding_interval_hours`.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

import numpy as np

from withearth.domain.candles import Candles
from withearth.domain.times import Timeframe, from_ms, to_ms
from withearth.market.port import Market
from withearth.paper.engine.instruments import PaperInstrument
from withearth.paper.feed import FundingGrid, FundingTerms, PriceLevel, Span, Tick
from withearth.paper.feed_book import levels, touch
from withearth.paper.feed_path import BAR_MS, Bar, path_of, seeded

_DAY_MS: Final = 86_400_000
_MINUTE_MS: Final = 60_000
_BARS_A_DAY: Final = _DAY_MS // BAR_MS
_DAYS_BACK: Final = 30
_DEFAULT_RATE: Final = Decimal("0.0001")
_DEPTH_FRAC: Final = Decimal("0.01")
_MARK_PLACES: Final = Decimal("1e-8")
# What is kept of a symbol; anything else is read, or made, again.
_CACHED_BARS: Final = 4
_CACHED_DAYS: Final = 4
_CACHED_TERMS: Final = 4096


class MarketFeed:
    """A `PriceFeed` over a market of candles. `step_ms` has to divide five minutes into at least four parts."""

    def __init__(
        self,
        market: Market,
        instruments: Mapping[str, PaperInstrument],
        *,
        seed: int = 0,
        step_ms: int = 10_000,
        spread_bps: Decimal = Decimal(1),
    ) -> None:
        if BAR_MS % step_ms or BAR_MS // step_ms < 4:  # noqa: PLR2004  a path has four corners
            raise ValueError(f"a step divides five minutes into four parts or more, was {step_ms} ms")
        self._market = market
        self._instruments = dict(instruments)
        self._seed = seed
        self._step_ms = step_ms
        self._points = BAR_MS // step_ms
        self._spread_bps = spread_bps
        self._days: dict[str, dict[int, _Day]] = {}
        self._ticks: dict[str, dict[int, list[Tick]]] = {}
        self._terms = lru_cache(_CACHED_TERMS)(self._look_up_terms)

    def symbols(self) -> Sequence[str]:
        """The listed symbols; which of them have a price at an instant is told by asking."""
        return tuple(self._instruments)

    def tick(self, symbol: str, at_ms: int) -> Tick:
        """The tick in force at an instant."""
        open_ms = at_ms - at_ms % BAR_MS
        return self._bar_ticks(symbol, open_ms)[(at_ms - open_ms) // self._step_ms]

    def span(self, symbol: str, after_ms: int, until_ms: int) -> Span | None:
        """The range of the bars whose ticks lie in the time, but only the open of a bar that just begins."""
        first, last = self._next_tick(after_ms), until_ms - until_ms % self._step_ms
        if first > last:
            return None
        lows, highs = [], []
        for open_ms in range(first - first % BAR_MS, last + 1, BAR_MS):
            bar = self.bar(symbol, open_ms)
            lows.append(bar.open if open_ms == last else bar.low)
            highs.append(bar.open if open_ms == last else bar.high)
        return Span(min(lows), max(highs))

    def steps(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[Tick]:
        """The ticks with after < time ≤ until, oldest first."""
        times = range(self._next_tick(after_ms), until_ms + 1, self._step_ms)
        return [self.tick(symbol, time_ms) for time_ms in times]

    def levels(self, symbol: str, at_ms: int, *, asks: bool) -> Iterator[PriceLevel]:
        """One side of the modelled book."""
        tick, instrument = self.tick(symbol, at_ms), self._instruments[symbol]
        return levels(
            tick.ask if asks else tick.bid,
            instrument.tick_size,
            instrument.step_size,
            self._day(symbol, at_ms // _DAY_MS).mean_volume * _DEPTH_FRAC,
            self._spread_bps,
            asks=asks,
            seed=seeded(self._seed, symbol, tick.time_ms, asks),
        )

    def funding(self, symbol: str, at_ms: int) -> FundingTerms:
        """The market's funding as it is known at the instant."""
        # What a market of candles knows changes when a bar closes.
        terms = self._terms(symbol, at_ms - at_ms % BAR_MS)
        if terms.next_ms > at_ms:
            return terms
        return FundingTerms(terms.rate, terms.next_ms + terms.interval_ms, terms.interval_ms)

    def settlements(self, symbol: str, after_ms: int, until_ms: int) -> Sequence[tuple[int, Decimal]]:
        """The market's settlements, on the minute they were due; the default where it knows none."""
        rows = self._market.settlements(symbol, from_ms(after_ms), from_ms(until_ms))
        if rows:
            return [(to_ms(row.at) // _MINUTE_MS * _MINUTE_MS, row.rate) for row in rows]
        if self._market_terms(symbol, after_ms) is not None:
            return []
        due = FundingGrid(self._instruments[symbol].funding_interval_hours).due(after_ms, until_ms)
        return [(at_ms, _DEFAULT_RATE) for at_ms in due]

    def bar(self, symbol: str, open_ms: int) -> Bar:
        """The whole bar that opens at an instant, also one that is not closed yet; flat where it is missing."""
        found = self._day(symbol, open_ms // _DAY_MS).bar(open_ms)
        return found if found is not None else self._standstill(symbol, open_ms)

    def _next_tick(self, after_ms: int) -> int:
        return after_ms - after_ms % self._step_ms + self._step_ms

    def _bar_ticks(self, symbol: str, open_ms: int) -> list[Tick]:
        cached = self._ticks.setdefault(symbol, {})
        found = cached.get(open_ms)
        if found is None:
            if len(cached) >= _CACHED_BARS:
                del cached[next(iter(cached))]
            found = cached[open_ms] = self._build_ticks(symbol, self.bar(symbol, open_ms))
        return found

    def _build_ticks(self, symbol: str, bar: Bar) -> list[Tick]:
        tick_size = self._instruments[symbol].tick_size
        path = path_of(bar, symbol, tick_size, seed=self._seed, points=self._points)
        premium = 1 + self.funding(symbol, bar.open_ms).rate
        ticks = []
        for number, last in enumerate(path):
            recent = path[max(0, number - 2) : number + 1]
            mark = (sum(recent, Decimal(0)) / len(recent)).quantize(_MARK_PLACES)
            bid, ask = touch(last, tick_size, self._spread_bps)
            index = (mark / premium).quantize(_MARK_PLACES)
            time_ms = bar.open_ms + number * self._step_ms
            ticks.append(Tick(time_ms, last, mark, index, bid, ask, bar.volume / self._points))
        return ticks

    def _standstill(self, symbol: str, open_ms: int) -> Bar:
        for day in range(open_ms // _DAY_MS, open_ms // _DAY_MS - _DAYS_BACK, -1):
            before = self._day(symbol, day).last_before(open_ms)
            if before is not None:
                close = before.close
                return Bar(open_ms, close, close, close, close, Decimal(0))
        raise KeyError(f"{symbol} has no price at {from_ms(open_ms).isoformat()}")

    def _day(self, symbol: str, day: int) -> "_Day":
        if symbol not in self._instruments:
            raise KeyError(symbol)
        cached = self._days.setdefault(symbol, {})
        found = cached.get(day)
        if found is None:
            if len(cached) >= _CACHED_DAYS:
                del cached[next(iter(cached))]
            end = from_ms((day + 1) * _DAY_MS)
            bars = self._market.candles(symbol, Timeframe.M5, end, _BARS_A_DAY)
            found = cached[day] = _Day(bars.opened_since(day * _DAY_MS))
        return found

    def _look_up_terms(self, symbol: str, at_ms: int) -> FundingTerms:
        grid = FundingGrid(self._instruments[symbol].funding_interval_hours)
        rate, next_ms = self._market_terms(symbol, at_ms) or (_DEFAULT_RATE, grid.next_after(at_ms))
        return FundingTerms(rate, next_ms, grid.interval_ms)

    def _market_terms(self, symbol: str, at_ms: int) -> tuple[Decimal, int] | None:
        quote = self._market.quotes([symbol], from_ms(at_ms)).get(symbol)
        if quote is None or quote.funding_rate is None or quote.next_funding_at is None:
            return None
        return quote.funding_rate, to_ms(quote.next_funding_at)


class _Day:
    """The bars of one day, turned into decimals when they are first looked at."""

    def __init__(self, bars: Candles) -> None:
        self._bars = bars
        self._places = {int(open_ms): place for place, open_ms in enumerate(bars.open_ms)}
        self._seen: dict[int, Bar] = {}
        volume = float(bars.ohlcv[4].mean()) if len(bars) else 0.0
        self.mean_volume = Decimal(repr(volume))

    def bar(self, open_ms: int) -> Bar | None:
        found = self._seen.get(open_ms)
        if found is None and open_ms in self._places:
            place = self._places[open_ms]
            found = self._seen[open_ms] = Bar(open_ms, *(_exact(each) for each in self._bars.ohlcv[:, place]))
        return found

    def last_before(self, open_ms: int) -> Bar | None:
        place = int(np.searchsorted(self._bars.open_ms, open_ms, side="left"))
        return self.bar(int(self._bars.open_ms[place - 1])) if place else None


def _exact(value: float) -> Decimal:
    return Decimal(repr(float(value)))
