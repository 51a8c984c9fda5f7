"""What `data verify` finds, one thing at a time, and what it does not mind."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.builders.market_files import Bars, MarketFiles, listed, some_bars
from tests.recorded import market_dir
from withearth.domain.candles import HIGH, LOW, OPEN
from withearth.domain.times import Timeframe, to_ms
from withearth.history.verify import Verified, verify
from withearth.market.manifest import KLINES, Manifest, read_manifest

BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
BARS = some_bars(BEGIN, 288)


def verified(directory: Path) -> Verified:
    """What is found in a directory."""
    return verify(directory, read_manifest(directory), lambda: None)


def found(files: MarketFiles, **more: object) -> list[str]:
    """What is wrong with these files."""
    directory = files.instrument(listed("BTCUSDT")).write()
    manifest = directory / "MANIFEST.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_bytes()) | more))
    return [finding.what for finding in verified(directory).findings]


def changed(row: int, at: int, value: float) -> Bars:
    """The bars with one number replaced."""
    ohlcv = BARS.ohlcv.copy()
    ohlcv[row, at] = value
    return Bars(BARS.open_ms, ohlcv)


def without(*rows: int) -> Bars:
    """The bars without some of them."""
    return BARS.take([each for each in range(288) if each not in rows])


def test_sound_files_have_nothing_wrong_and_cover_what_they_cover(tmp_path: Path) -> None:
    """A day of March is 288 bars of its 8928."""
    directory = MarketFiles(tmp_path).candles("BTCUSDT", BARS).instrument(listed("BTCUSDT")).write()
    told = verified(directory)

    assert told.findings == []
    [month] = told.coverage
    assert (month.symbol, month.interval, month.month, month.bars, month.expected) == (
        "BTCUSDT",
        "5m",
        "2024-03",
        288,
        31 * 288,
    )


@pytest.mark.parametrize(
    ("bars", "sentence"),
    [
        (BARS.take([*range(100), 101, 100, *range(102, 288)]), "is out of order at 2024-03-01 08:20"),
        (BARS.take([*range(288), 7, 9]), "has 2 bars more than once"),
        (without(100, 101), "no bar from 2024-03-01 08:20 to 2024-03-01 08:30"),
        (changed(HIGH, 5, 1.0), "CANDLE_INVALID"),
        (changed(LOW, 5, 1e9), "CANDLE_INVALID"),
        (changed(OPEN, 5, float("nan")), "CANDLE_INVALID"),
        (changed(LOW, 5, -1.0), "CANDLE_INVALID"),
        (Bars(BARS.open_ms + 1, BARS.ohlcv), "CANDLE_INVALID"),
    ],
)
def test_bars_that_cannot_be_are_found(tmp_path: Path, bars: Bars, sentence: str) -> None:
    """Order, repetition, gaps, and what a bar says of itself."""
    assert any(sentence in each for each in found(MarketFiles(tmp_path).candles("BTCUSDT", bars)))


def test_many_gaps_are_counted_and_the_first_are_shown(tmp_path: Path) -> None:
    """Three sentences, and the number of the others."""
    told = found(MarketFiles(tmp_path).candles("BTCUSDT", without(10, 20, 30, 40, 50)))
    assert len(told) == 4
    assert told[-1] == "and 2 gaps more"


def test_files_that_disagree_are_found_and_those_that_repeat_each_other_are_not(tmp_path: Path) -> None:
    """The same bar twice, once with another high."""
    agreeing = MarketFiles(tmp_path / "one").candles("BTCUSDT", BARS).candles("BTCUSDT", BARS.take(slice(0, 9)))
    assert found(agreeing) == []
    other = changed(HIGH, 3, 1e6).take(slice(0, 9))
    [told] = found(MarketFiles(tmp_path / "two").candles("BTCUSDT", BARS).candles("BTCUSDT", other))
    assert "its files disagree: CANDLE_CONFLICT" in told


def test_windows_with_a_hole_between_them_are_no_fault_unless_it_was_asked_for(tmp_path: Path) -> None:
    """Recordings may have several windows; a download is held against what it was asked for."""
    early, late = BARS.take(slice(0, 100)), BARS.take(slice(200, 288))
    assert found(MarketFiles(tmp_path / "one").candles("BTCUSDT", early).candles("BTCUSDT", late)) == []

    files = MarketFiles(tmp_path / "two").candles("BTCUSDT", early).candles("BTCUSDT", late)
    end = BEGIN + timedelta(days=1, hours=1)
    asked = {"symbol": "BTCUSDT", "interval": "5m", "from_ms": to_ms(BEGIN), "until_ms": to_ms(end)}
    assert found(files, downloads=[asked, asked | {"symbol": "ETHUSDT"}]) == [
        "no bar from 2024-03-01 08:20 to 2024-03-01 16:40, of what was asked for",
        "no bar from 2024-03-02 00:00 to 2024-03-02 01:00, of what was asked for",
        "no bar from 2024-03-01 00:00 to 2024-03-02 01:00, of what was asked for",
    ]


def test_funding_that_settles_twice_at_once_is_found(tmp_path: Path) -> None:
    """Two rates for one instant, in two files."""
    files = MarketFiles(tmp_path).candles("BTCUSDT", BARS).funding("BTCUSDT", [(1_000, "0.1"), (2_000, "0.1")])
    second = tmp_path / "funding/usds-futures/again.csv"
    second.write_text("funding_time,funding_rate\n2000,0.2\n")
    files.manifest.append(
        {"file": "funding/usds-futures/again.csv", "kind": "funding_rate_history", "market": "usds-futures"}
        | {"symbol": "BTCUSDT", "rows": 1}
    )
    assert found(files) == ["two funding rates settle at 2000 ms"]


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (lambda path: path.unlink(), "is not the file of the manifest"),
        (lambda path: path.write_bytes(path.read_bytes()[:-100]), "is not the file of the manifest"),
        (lambda path: path.write_bytes(b"<html>"), "is not the file of the manifest"),
    ],
)
def test_files_that_are_gone_or_damaged_are_found(
    tmp_path: Path, spoil: Callable[[Path], object], sentence: str
) -> None:
    """By size and SHA-256, and because they cannot be read."""
    files = MarketFiles(tmp_path).candles("BTCUSDT", BARS)
    path = tmp_path / files.manifest[0]["file"]
    files.manifest[0]["bytes"] = path.stat().st_size
    spoil(path)
    told = found(files)
    assert sentence in told
    assert len(told) == 2, told


def test_another_count_than_the_manifest_s_is_found(tmp_path: Path) -> None:
    """As a replay would refuse it."""
    files = MarketFiles(tmp_path).candles("BTCUSDT", BARS)
    files.manifest[0]["rows"] = 287
    assert any("the manifest says 287" in each for each in found(files))


def test_recorded_data_are_sound() -> None:
    """The real recordings at hand, those of 5m: every checksum, every bar; their months are covered as they are."""
    directory = market_dir()
    if directory is None:
        pytest.skip("no recorded market data: set WITHEARTH_DATA to the directory that holds market/MANIFEST.json")
    five = tuple(
        each for each in read_manifest(directory).files if each.kind == KLINES and each.interval == Timeframe.M5
    )
    told = verify(directory, Manifest(files=five), lambda: None)

    assert told.findings == []
    assert sum(month.bars for month in told.coverage) == sum(each.rows or 0 for each in five if each.market != "spot")
