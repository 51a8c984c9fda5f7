"""What every market promises, whoever answers: no future, no doubt about order, no crossed book."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from tests.builders.market_files import MarketFiles, listed, some_bars
from withearth.domain.candles import CLOSE, Candles
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe, floor_to_tick, to_ms
from withearth.market.port import Market, MarketOrigin
from withearth.market.recorded import RecordedMarket
from withearth.market.synthetic import SyntheticMarket

BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
END = BEGIN + timedelta(days=9)
SYMBOLS = ("BTCUSDT", "ETHUSDT")
INSTANTS = (
    BEGIN + timedelta(days=4),
    BEGIN + timedelta(days=4, microseconds=-1),
    BEGIN + timedelta(days=5, hours=7, minutes=59, seconds=59),
    BEGIN + timedelta(days=6, hours=16, seconds=30),
    BEGIN + timedelta(days=7, hours=3, minutes=7),
)

# Builds the market as somebody finds it who looks at `until`: no later row exists anywhere.
MarketAt = Callable[[datetime], Market]


@pytest.fixture(params=["synthetic", "recorded"])
def market_at(request: pytest.FixtureRequest, tmp_path: Path) -> MarketAt:
    """Each adapter behind the port."""
    return _synthetic if request.param == "synthetic" else lambda until: _recorded(tmp_path / f"{to_ms(until)}", until)


def _synthetic(until: datetime) -> Market:
    return SyntheticMarket(5, SYMBOLS, start=BEGIN, spread_bps=Decimal(2))


def _recorded(directory: Path, until: datetime) -> Market:
    files = MarketFiles(directory)
    for symbol in SYMBOLS:
        bars = some_bars(BEGIN, 9 * 288, price=50.0 * len(symbol)).closed_at(until)
        hours = some_bars(BEGIN + timedelta(days=2), 48, Timeframe.H1).closed_at(until, Timeframe.H1)
        settled = [(to_ms(BEGIN) + count * 8 * 3_600_000 + count % 9, f"0.000{count:02}") for count in range(27)]
        files.candles(symbol, bars).candles(symbol, hours, Timeframe.H1)
        files.funding(symbol, [each for each in settled if each[0] <= to_ms(until)])
        files.instrument(listed(symbol, tick="0.05"))
    return RecordedMarket(files.write(), spread_bps=Decimal(2))


def _seen(market: Market, as_of: datetime) -> list[object]:
    """Everything a market shows at an instant, comparable."""
    shown: list[object] = [market.quotes(SYMBOLS, as_of)]
    for symbol in SYMBOLS:
        bars = [market.candles(symbol, timeframe, as_of, 100) for timeframe in Timeframe]
        shown += [(each.open_ms.tolist(), each.ohlcv.tolist()) for each in bars]
        shown += [market.depth(symbol, as_of), market.settlements(symbol, BEGIN, as_of)]
    return shown


def test_a_market_says_where_its_prices_come_from(market_at: MarketAt) -> None:
    """Neither files nor inventions pass for the live market."""
    assert market_at(END).origin in {MarketOrigin.RECORDED, MarketOrigin.SYNTHETIC}


@pytest.mark.parametrize("as_of", INSTANTS)
def test_what_is_shown_does_not_change_when_the_future_arrives(market_at: MarketAt, as_of: datetime) -> None:
    """A market that holds later rows, and was asked for them, answers as one where they do not exist yet."""
    later = market_at(END)
    _seen(later, END)

    assert _seen(market_at(as_of), as_of) == _seen(later, as_of)


@pytest.mark.parametrize("timeframe", list(Timeframe))
@pytest.mark.parametrize("as_of", INSTANTS)
def test_the_newest_candle_is_the_last_closed_one(market_at: MarketAt, timeframe: Timeframe, as_of: datetime) -> None:
    """A bar is shown from the instant it closes, and none that is still open."""
    bars = market_at(END).candles(SYMBOLS[0], timeframe, as_of, 3)

    assert to_ms(as_of) // timeframe.ms * timeframe.ms == bars.last_close_ms


@pytest.mark.parametrize("timeframe", list(Timeframe))
def test_candles_are_ordered_unique_and_at_most_as_many_as_asked(market_at: MarketAt, timeframe: Timeframe) -> None:
    """The newest bars come oldest first, one for each step of the grid."""
    bars = market_at(END).candles(SYMBOLS[0], timeframe, END, 5)

    assert len(bars) == 5
    assert [timeframe.ms] * 4 == np.diff(bars.open_ms).tolist()


def test_longer_bars_contain_the_shorter_ones(market_at: MarketAt) -> None:
    """High, low and volume of a day are those of its 5m bars."""
    market = market_at(END)
    day: Candles = market.candles(SYMBOLS[0], Timeframe.D1, END, 1)
    bars: Candles = market.candles(SYMBOLS[0], Timeframe.M5, END, 288)
    opens, highs, lows, closes, volumes = bars.ohlcv

    assert [opens[0], highs.max(), lows.min(), closes[-1]] == day.ohlcv[:4, 0].tolist()
    assert volumes.sum() == pytest.approx(day.ohlcv[4, 0], rel=1e-12)


@pytest.mark.parametrize("as_of", INSTANTS)
def test_quotes_stand_on_the_grid_around_the_last_close(market_at: MarketAt, as_of: datetime) -> None:
    """Bid below ask, both valid prices, not further from the close than the spread, observed when the bar closed."""
    market = market_at(END)
    quotes = market.quotes(SYMBOLS, as_of)

    assert set(SYMBOLS) == set(quotes)
    for symbol, quote in quotes.items():
        close = Decimal(repr(float(market.candles(symbol, Timeframe.M5, as_of, 1).ohlcv[CLOSE, -1])))
        instrument = market.instrument(symbol)
        assert quote.fault() is None
        assert instrument.takes_price(quote.bid)
        assert instrument.takes_price(quote.ask)
        assert quote.bid <= close <= quote.ask
        assert abs(quote.mid - close) <= instrument.tick_size
        assert floor_to_tick(as_of) == quote.observed_at


@pytest.mark.parametrize("as_of", INSTANTS)
def test_funding_is_the_one_settled_last_and_the_next_is_not_long_past(market_at: MarketAt, as_of: datetime) -> None:
    """A quote knows the rate of the last settlement, and the next one lies within eight hours."""
    market = market_at(END)
    for symbol, quote in market.quotes(SYMBOLS, as_of).items():
        last = market.settlements(symbol, BEGIN, as_of)[-1]
        assert last.rate == quote.funding_rate
        assert quote.next_funding_at is not None
        assert timedelta(0) <= quote.next_funding_at - as_of <= timedelta(hours=8)


def test_the_book_has_ten_levels_a_side_and_never_crosses(market_at: MarketAt) -> None:
    """Bid prices fall, ask prices rise, every level holds something, and the book says that it is a model."""
    market = market_at(END)
    book = market.depth(SYMBOLS[0], INSTANTS[0])
    bids, asks = [level.price for level in book.bids], [level.price for level in book.asks]

    assert len(bids) >= 10
    assert len(asks) >= 10
    assert sorted(set(bids), reverse=True) == bids
    assert sorted(set(asks)) == asks
    assert bids[0] < asks[0]
    assert all(level.qty > 0 for level in (*book.bids, *book.asks))
    assert book.modelled
    assert market.quotes(SYMBOLS, INSTANTS[0])[SYMBOLS[0]].bid == bids[0]


def test_settlements_are_those_after_and_until(market_at: MarketAt) -> None:
    """The start of the window is outside of it, its end inside, so that windows join without a double payment."""
    market = market_at(END)
    whole = market.settlements(SYMBOLS[0], BEGIN, END)
    middle = whole[7].at

    assert sorted(whole, key=lambda each: each.at) == list(whole)
    assert whole[0].at > BEGIN
    assert market.settlements(SYMBOLS[0], BEGIN, middle) + market.settlements(SYMBOLS[0], middle, END) == whole


def test_an_unknown_symbol_is_refused_and_has_no_quote(market_at: MarketAt) -> None:
    """What is not there is a fault for the one who asks for it, and just absent among the quotes."""
    market = market_at(END)
    with pytest.raises(MarketFault) as unknown:
        market.instrument("NOSUCHUSDT")
    with pytest.raises(MarketFault):
        market.candles("NOSUCHUSDT", Timeframe.M5, END, 1)
    with pytest.raises(MarketFault):
        market.depth("NOSUCHUSDT", END)
    with pytest.raises(MarketFault):
        market.settlements("NOSUCHUSDT", BEGIN, END)

    assert Reason.INSTRUMENT_UNKNOWN is unknown.value.reason
    assert {SYMBOLS[0]} == set(market.quotes(["NOSUCHUSDT", SYMBOLS[0]], END))


def test_before_the_first_bar_there_is_nothing(market_at: MarketAt) -> None:
    """A clock before the data gets no bars, no quote and a fault for the book."""
    market, early = market_at(END), BEGIN - timedelta(days=400)
    with pytest.raises(MarketFault) as fault:
        market.depth(SYMBOLS[0], early)

    assert Reason.NO_CANDLES is fault.value.reason
    assert len(market.candles(SYMBOLS[0], Timeframe.M5, early, 10)) == 0
    assert market.quotes(SYMBOLS, early) == {}
    assert market.settlements(SYMBOLS[0], early - timedelta(days=1), early) == ()
