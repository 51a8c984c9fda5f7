"""RecordedMarket on the real recordings, where they are."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.builders.market_files import Bars, MarketFiles, listed
from tests.recorded import market_dir
from withearth.domain.candles import VOLUME, Candles, aggregate
from withearth.domain.times import Timeframe, to_ms
from withearth.market.manifest import read_manifest
from withearth.market.recorded import RecordedMarket


@pytest.fixture(scope="module")
def real() -> RecordedMarket:
    """The recordings of this machine."""
    directory = market_dir()
    if directory is None:
        pytest.skip("no recorded market data: set WITHEARTH_DATA to the directory that holds market/MANIFEST.json")
    return RecordedMarket(directory, spread_bps=Decimal(1))


def _as_recorded(symbol: str, timeframe: Timeframe) -> Candles:
    directory = market_dir()
    assert directory is not None
    [file] = [
        each
        for each in read_manifest(directory).futures()
        if (each.kind, each.symbol, each.interval) == ("klines", symbol, timeframe)
    ]
    table = pq.read_table(directory / file.file)
    columns = [table[name].to_numpy() for name in ("open", "high", "low", "close", "volume")]
    return Candles(timeframe, table["open_time"].to_numpy(), np.array(columns))


@pytest.mark.parametrize(("timeframe", "count"), [(Timeframe.H1, 51 * 24), (Timeframe.H4, 7), (Timeframe.D1, 51)])
def test_bars_built_from_5m_equal_the_exchange_s_own(real: RecordedMarket, timeframe: Timeframe, count: int) -> None:
    """From 10 January to the end of February 2024 built and recorded bars of BTCUSDT say the same."""
    since, until = datetime(2024, 1, 10, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)
    built = aggregate(real.candles("BTCUSDT", Timeframe.M5, until, 51 * 288), timeframe)
    own = _as_recorded("BTCUSDT", timeframe).closed_at(to_ms(until), 10_000).opened_since(to_ms(since))
    built = built.opened_since(int(own.open_ms[0]))

    assert count == len(own)
    assert own.open_ms.tolist() == built.open_ms.tolist()
    assert own.ohlcv[:VOLUME].tolist() == built.ohlcv[:VOLUME].tolist()
    assert own.ohlcv[VOLUME] == pytest.approx(built.ohlcv[VOLUME], rel=1e-9)


def test_a_truncated_recording_shows_the_same(real: RecordedMarket, tmp_path: Path) -> None:
    """At random instants of 2024, files that end there give the same bars, quotes and book as the whole ones."""
    rng = random.Random(20240101)
    whole = real.candles("ETHUSDT", Timeframe.M5, datetime(2024, 5, 1, tzinfo=UTC), 120 * 288)
    instrument = listed("ETHUSDT", tick=str(real.instrument("ETHUSDT").tick_size))
    for number in range(5):
        as_of = datetime(2024, 3, 1, tzinfo=UTC) + timedelta(seconds=rng.randrange(60 * 86_400))
        known = Bars(whole.open_ms, whole.ohlcv).closed_at(as_of)
        files = MarketFiles(tmp_path / str(number)).candles("ETHUSDT", known).instrument(instrument)
        cut = RecordedMarket(files.write(), spread_bps=Decimal(1))
        for timeframe in (Timeframe.M5, Timeframe.H1, Timeframe.D1):
            expected = real.candles("ETHUSDT", timeframe, as_of, 40)
            shown = cut.candles("ETHUSDT", timeframe, as_of, 40)
            assert expected.open_ms.tolist() == shown.open_ms.tolist()
            assert expected.ohlcv == pytest.approx(shown.ohlcv, rel=1e-9)
        assert real.depth("ETHUSDT", as_of) == cut.depth("ETHUSDT", as_of)


def test_every_recorded_symbol_is_sound(real: RecordedMarket) -> None:
    """No file of the recordings is refused."""
    assert "BTCUSDT" in real.symbols()
    for symbol in real.symbols():
        first, last = real.span(symbol)
        assert first < last
