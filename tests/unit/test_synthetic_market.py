from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Thread

import numpy as np
import pytest

from withearth.domain.candles import CLOSE, Candles, normalise
from withearth.domain.times import Timeframe
from withearth.market.synthetic import SyntheticMarket

START = datetime(2024, 6, 1, 10, 30, tzinfo=UTC)
SYMBOLS = ("BTCUSDT", "ETHUSDT", "XRPUSDT", "1000PEPEUSDT", "MADEUPUSDT")


def _market(seed: int = 1, symbols: tuple[str, ...] = SYMBOLS) -> SyntheticMarket:
    return SyntheticMarket(seed, symbols, start=START, spread_bps=Decimal(1))


def _history(market: SyntheticMarket, symbol: str = "BTCUSDT", *, days: int = 10) -> Candles:
    return market.candles(symbol, Timeframe.M5, START + timedelta(days=days), 1_000_000)


def _rows(bars: Candles) -> tuple[list[int], list[list[float]]]:
    return bars.open_ms.tolist(), bars.ohlcv.tolist()


def test_the_same_seed_gives_the_same_bars() -> None:
    """Two markets of one seed agree bar for bar."""
    assert _rows(_history(_market())) == _rows(_history(_market()))


@pytest.mark.parametrize("seed", [0, 2, -1, 2**80])
def test_another_seed_gives_other_bars(seed: int) -> None:
    """Any integer is a seed, and none repeats another."""
    assert _rows(_history(_market())) != _rows(_history(_market(seed)))


def test_bars_do_not_depend_on_what_was_asked_before() -> None:
    """Step by step, backwards, or all at once; alone or beside others: the bars are the same."""
    stepwise, backwards, alone = _market(), _market(), _market(symbols=("ETHUSDT",))
    for hours in range(0, 241, 7):
        stepwise.candles("ETHUSDT", Timeframe.M5, START + timedelta(hours=hours), 10)
        backwards.candles("BTCUSDT", Timeframe.H1, START + timedelta(hours=240 - hours), 10)
    expected = _rows(_history(_market(), "ETHUSDT"))

    assert expected == _rows(_history(stepwise, "ETHUSDT"))
    assert expected == _rows(_history(backwards, "ETHUSDT"))
    assert expected == _rows(_history(alone, "ETHUSDT"))


def test_threads_see_the_same_bars() -> None:
    """Several threads that ask at once grow one history, not several."""
    market = _market()
    threads = [Thread(target=_history, args=(market,), kwargs={"days": days}) for days in (1, 9, 4, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert _rows(_history(_market())) == _rows(_history(market))


def test_bars_once_handed_out_stay_as_they_are() -> None:
    """A window taken earlier is not touched by what is generated later."""
    market = _market()
    early = _history(market, days=0)
    before = _rows(early)
    _history(market, days=300)

    assert before == _rows(early)


@pytest.mark.parametrize("symbol", SYMBOLS)
def test_bars_are_sound_and_on_the_grid(symbol: str) -> None:
    """Prices are multiples of the tick, volumes of the step, and no bar contradicts itself or is missing."""
    market = _market()
    bars, instrument = _history(market, symbol), market.instrument(symbol)
    prices = [Decimal(repr(price)) for price in bars.ohlcv[:4, -500:].ravel().tolist()]
    volumes = [Decimal(repr(volume)) for volume in bars.ohlcv[4, -500:].tolist()]

    assert _rows(normalise(bars.timeframe, bars.open_ms, bars.ohlcv)) == _rows(bars)
    assert {bars.timeframe.ms} == set(np.diff(bars.open_ms).tolist())
    assert all(instrument.takes_price(price) for price in prices)
    assert all(volume > 0 and volume % instrument.step_size == 0 for volume in volumes)


def test_there_is_history_enough_for_every_feature() -> None:
    """At `start` there are 120 days of every timeframe."""
    market = _market()

    assert len(market.candles("BTCUSDT", Timeframe.D1, START, 1000)) == 120
    assert len(market.candles("BTCUSDT", Timeframe.H4, START, 10_000)) >= 720


def test_symbols_move_together_but_not_alike() -> None:
    """A common factor correlates the returns, and every symbol keeps moves of its own."""
    market = _market()
    returns = [np.diff(np.log(_history(market, symbol).ohlcv[CLOSE])) for symbol in ("BTCUSDT", "ETHUSDT")]

    assert 0.25 < np.corrcoef(returns)[0, 1] < 0.75


def test_the_market_is_lively() -> None:
    """Returns have the size and the fat tails of the recorded ones, and calm bars come together."""
    returns = np.diff(np.log(_history(_market(), days=200).ohlcv[CLOSE]))
    moves = np.abs(returns)

    assert 0.001 < returns.std() < 0.002
    assert np.corrcoef(moves[1:], moves[:-1])[0, 1] > 0.1
    assert moves.max() > 6 * returns.std()


def test_prices_stay_credible_for_years() -> None:
    """Three simulated years do not carry the price out of its region."""
    closes = _history(_market(), days=3 * 365).ohlcv[CLOSE]

    assert 65_000 / 6 < closes.min() < closes.max() < 65_000 * 6


def test_embedded_filters_are_the_exchange_s() -> None:
    """BTCUSDT and ETHUSDT carry tick, step and least notional of the real instruments."""
    market = _market()
    filters = [(each.tick_size, each.step_size, each.min_notional) for each in map(market.instrument, SYMBOLS[:2])]

    assert [
        (Decimal("0.1"), Decimal("0.001"), Decimal(50)),
        (Decimal("0.01"), Decimal("0.001"), Decimal(20)),
    ] == filters


def test_funding_settles_every_eight_hours_at_a_small_rate() -> None:
    """Three settlements a day at 00, 08 and 16 UTC, each below 0.05 %."""
    settled = _market().settlements("BTCUSDT", START, START + timedelta(days=30))

    assert {0, 8, 16} == {each.at.hour for each in settled}
    assert len(settled) == 90
    assert all(abs(each.rate) < Decimal("0.0005") for each in settled)
    assert len({each.rate for each in settled}) > 30
