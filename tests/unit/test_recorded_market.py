"""RecordedMarket on bad input, and its model of the book. test_recorded_history.py reads the real recordings."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from threading import Thread

import numpy as np
import pyarrow as pa
import pytest

from tests.builders.market_files import Bars, MarketFiles, listed, some_bars
from withearth.domain.candles import VOLUME, window_fault
from withearth.domain.errors import MarketFault, Misconfigured
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe, to_ms
from withearth.market.recorded import RecordedMarket
from withearth.market.recorded_files import Recording

BEGIN = datetime(2024, 3, 1, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR_MS = 3_600_000
SOUND = some_bars(BEGIN, 2 * 288)

Damage = Callable[[MarketFiles], object]


def _market(tmp_path: Path, *damages: Damage, spread_bps: str = "2") -> RecordedMarket:
    files = MarketFiles(tmp_path)
    for damage in damages:
        damage(files)
    return RecordedMarket(files.instrument(listed("BADUSDT")).write(), spread_bps=Decimal(spread_bps))


def _with(symbol: str, bars: Bars, timeframe: Timeframe = Timeframe.M5) -> Damage:
    return lambda files: files.candles(symbol, bars, timeframe)


def _changed(column: int, row: int, value: float) -> Bars:
    ohlcv = SOUND.ohlcv.copy()
    ohlcv[column, row] = value
    return Bars(SOUND.open_ms, ohlcv)


def _overwritten(content: bytes) -> Damage:
    def damage(files: MarketFiles) -> None:
        files.candles("BADUSDT", SOUND)
        (files.directory / files.manifest[-1]["file"]).write_bytes(content)

    return damage


def _cut_short(files: MarketFiles) -> None:
    files.candles("BADUSDT", SOUND)
    path = files.directory / files.manifest[-1]["file"]
    path.write_bytes(path.read_bytes()[:-200])


def _garbled(files: MarketFiles) -> None:
    files.candles("BADUSDT", SOUND)
    path = files.directory / files.manifest[-1]["file"]
    content = path.read_bytes()
    path.write_bytes(content[:4] + b"\0" * 2000 + content[2004:])


def _missing(files: MarketFiles) -> None:
    files.candles("BADUSDT", SOUND)
    (files.directory / files.manifest[-1]["file"]).unlink()


def _miscounted(files: MarketFiles) -> None:
    files.candles("BADUSDT", SOUND)
    files.manifest[-1]["rows"] += 1


def _table(**columns: object) -> Damage:
    whole = {"open_time": SOUND.open_ms} | dict(
        zip(("open", "high", "low", "close", "volume"), SOUND.ohlcv, strict=True)
    )
    kept = {name: pa.array(values) for name, values in (whole | columns).items() if values is not None}
    return lambda files: files.table("BADUSDT", pa.table(kept))


def _unheaded(files: MarketFiles) -> None:
    files.candles("BADUSDT", SOUND).funding("BADUSDT", [(0, "0.0001")])
    (files.directory / files.manifest[-1]["file"]).write_text("0,0.0001\n")


def _funded(*settlements: tuple[int, str]) -> Damage:
    def damage(files: MarketFiles) -> None:
        files.candles("BADUSDT", SOUND).funding("BADUSDT", list(settlements))

    return damage


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        pytest.param(_overwritten(b""), Reason.DATA_UNREADABLE, id="empty file"),
        pytest.param(_overwritten(b"not parquet at all"), Reason.DATA_UNREADABLE, id="not Parquet"),
        pytest.param(_cut_short, Reason.DATA_UNREADABLE, id="cut short"),
        pytest.param(_garbled, Reason.DATA_UNREADABLE, id="garbled pages"),
        pytest.param(_missing, Reason.DATA_UNREADABLE, id="listed but not there"),
        pytest.param(_miscounted, Reason.DATA_UNREADABLE, id="other row count than the manifest's"),
        pytest.param(_with("BADUSDT", SOUND.take(slice(0))), Reason.DATA_UNREADABLE, id="no rows"),
        pytest.param(_table(volume=None), Reason.DATA_UNREADABLE, id="missing column"),
        pytest.param(_table(close=SOUND.ohlcv[3].astype(str)), Reason.DATA_UNREADABLE, id="prices as text"),
        pytest.param(_table(close=[None, *SOUND.ohlcv[3, 1:]]), Reason.DATA_UNREADABLE, id="empty cell"),
        pytest.param(_with("BADUSDT", _changed(1, 9, 1.0)), Reason.CANDLE_INVALID, id="high below low"),
        pytest.param(_with("BADUSDT", _changed(3, 9, np.nan)), Reason.CANDLE_INVALID, id="not a number"),
        pytest.param(_with("BADUSDT", _changed(2, 9, 0.0)), Reason.CANDLE_INVALID, id="price of zero"),
        pytest.param(_with("BADUSDT", _changed(4, 9, -1.0)), Reason.CANDLE_INVALID, id="negative volume"),
        pytest.param(_with("BADUSDT", Bars(SOUND.open_ms + 1, SOUND.ohlcv)), Reason.CANDLE_INVALID, id="off the grid"),
        pytest.param(_funded((0, "0.0001"), (0, "0.0002")), Reason.DATA_UNREADABLE, id="two rates at once"),
        pytest.param(_funded((0, "high")), Reason.DATA_UNREADABLE, id="rate is no number"),
        pytest.param(_funded((0, "NaN")), Reason.DATA_UNREADABLE, id="rate is NaN"),
        pytest.param(_unheaded, Reason.DATA_UNREADABLE, id="funding without its header"),
        pytest.param(_funded(), Reason.DATA_UNREADABLE, id="no settlements"),
    ],
)
def test_a_bad_file_refuses_its_symbol_and_no_other(tmp_path: Path, damage: Damage, reason: Reason) -> None:
    """Every call for the symbol says why, the quotes leave it out, and its neighbour is served."""
    market = _market(tmp_path, damage, _with("GOODUSDT", SOUND), lambda files: files.instrument(listed("GOODUSDT")))
    as_of = BEGIN + DAY
    for call in (
        lambda: market.candles("BADUSDT", Timeframe.M5, as_of, 5),
        lambda: market.candles("BADUSDT", Timeframe.D1, as_of, 5),
        lambda: market.depth("BADUSDT", as_of),
        lambda: market.settlements("BADUSDT", BEGIN, as_of),
        lambda: market.span("BADUSDT"),
    ):
        with pytest.raises(MarketFault) as fault:
            call()
        assert reason is fault.value.reason
        assert "BADUSDT" in fault.value.detail

    assert {"GOODUSDT"} == set(market.quotes(["BADUSDT", "GOODUSDT"], as_of))
    assert len(market.candles("GOODUSDT", Timeframe.M5, as_of, 5)) == 5


def test_rows_that_repeat_exactly_are_dropped(tmp_path: Path) -> None:
    """Overlapping windows of one symbol join to one row for each bar, in order."""
    parts = [_with("BADUSDT", SOUND.take(slice(200, None))), _with("BADUSDT", SOUND.take(slice(0, 300)))]
    bars = _market(tmp_path, *parts).candles("BADUSDT", Timeframe.M5, BEGIN + 2 * DAY, 10_000)

    assert SOUND.open_ms.tolist() == bars.open_ms.tolist()
    assert SOUND.ohlcv.tolist() == bars.ohlcv.tolist()


def test_windows_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """Two files that say different things about one bar are a conflict, not a choice."""
    market = _market(tmp_path, _with("BADUSDT", SOUND), _with("BADUSDT", _changed(4, 9, 1.0)))
    with pytest.raises(MarketFault) as fault:
        market.candles("BADUSDT", Timeframe.M5, BEGIN + DAY, 5)

    assert Reason.CANDLE_CONFLICT is fault.value.reason


def test_a_gap_is_shown_as_it_is(tmp_path: Path) -> None:
    """Nothing is filled in: the window check sees the gap, and no longer bar is built over it."""
    kept = np.delete(np.arange(288), [40, 41])
    market, as_of = _market(tmp_path, _with("BADUSDT", SOUND.take(kept))), BEGIN + timedelta(hours=4)
    bars = market.candles("BADUSDT", Timeframe.M5, as_of, 20)

    assert Reason.CANDLE_GAP is window_fault(bars, to_ms(as_of), 20)
    assert ((market.candles("BADUSDT", Timeframe.H1, as_of, 9).open_ms - to_ms(BEGIN)) // HOUR_MS).tolist() == [0, 1, 2]


def test_recorded_longer_bars_win_and_built_ones_fill_the_rest(tmp_path: Path) -> None:
    """Where the exchange's own hour was recorded it is shown; every other hour is built from 5m."""
    own = some_bars(BEGIN, 3, Timeframe.H1, price=500.0)
    market = _market(tmp_path, _with("BADUSDT", SOUND), _with("BADUSDT", own, Timeframe.H1))
    hours = market.candles("BADUSDT", Timeframe.H1, BEGIN + DAY, 100)

    assert len(hours) == 24
    assert own.ohlcv.tolist() == hours.ohlcv[:, :3].tolist()
    assert SOUND.ohlcv[0, 36] == hours.ohlcv[0, 3]


def test_symbols_and_span_tell_what_there_is(tmp_path: Path) -> None:
    """Only symbols with 5m candles are offered; the span runs from the first open to the last close."""
    daily = some_bars(BEGIN, 9, Timeframe.D1)
    market = _market(tmp_path, _with("BADUSDT", SOUND), _with("DAILYUSDT", daily, Timeframe.D1))

    assert market.symbols() == ("BADUSDT",)
    assert market.span("BADUSDT") == (BEGIN, BEGIN + 2 * DAY)
    assert len(market.candles("DAILYUSDT", Timeframe.D1, BEGIN + 9 * DAY, 100)) == 9
    with pytest.raises(MarketFault):
        market.span("DAILYUSDT")


def test_spot_files_are_another_market(tmp_path: Path) -> None:
    """A spot file of the manifest is never read."""

    def spot(files: MarketFiles) -> None:
        files.candles("SPOTUSDT", SOUND)
        files.manifest[-1]["market"] = "spot"

    assert _market(tmp_path, spot).symbols() == ()


def test_a_symbol_that_has_left_is_not_tradable(tmp_path: Path) -> None:
    """A delisted symbol keeps its candles and filters, so that what is open ends well, and nothing is entered."""
    settling = listed("GONEUSDT", status="SETTLING")
    market = _market(tmp_path, _with("GONEUSDT", SOUND), lambda files: files.instrument(settling))

    assert "GONEUSDT" in market.symbols()
    assert "GONEUSDT" not in market.tradable(BEGIN + DAY)
    assert not market.instrument("GONEUSDT").tradable


@pytest.mark.parametrize(
    ("spread_bps", "spread"), [("0", "0.01"), ("0.5", "0.01"), ("1", "0.02"), ("10", "0.11"), ("1000", "10.02")]
)
def test_the_spread_is_at_least_a_tick_and_rounded_up(tmp_path: Path, spread_bps: str, spread: str) -> None:
    """The configured spread never gets narrower through the price grid."""
    flat = Bars(SOUND.open_ms, np.tile([[100.11], [100.11], [100.11], [100.11], [5.0]], len(SOUND.open_ms)))
    market = _market(tmp_path, _with("BADUSDT", flat), spread_bps=spread_bps)
    quote = market.quotes(["BADUSDT"], BEGIN + DAY)["BADUSDT"]

    assert Decimal(spread) == quote.ask - quote.bid


def test_a_side_of_the_book_holds_a_tenth_of_a_mean_bar(tmp_path: Path) -> None:
    """Ten equal levels share 10 % of the mean volume of the last 20 bars, rounded down to the step."""
    market, as_of = _market(tmp_path, _with("BADUSDT", SOUND)), BEGIN + DAY
    mean = market.candles("BADUSDT", Timeframe.M5, as_of, 20).ohlcv[VOLUME].mean()
    book = market.depth("BADUSDT", as_of)

    assert float(sum(level.qty for level in book.bids)) == pytest.approx(mean / 10, abs=0.01)
    assert book.imbalance() == 0


def test_funding_is_unknown_where_the_recording_does_not_say(tmp_path: Path) -> None:
    """One settlement gives no interval, a hole gives no rate, and both are said as None."""
    hours = [0, 8, 16, 40, 44]
    settlements = [(to_ms(BEGIN) + hour * HOUR_MS + 13, f"0.0{hour:02}") for hour in hours]
    market = _market(tmp_path, _funded(*settlements))

    def funding(hour: float) -> tuple[Decimal | None, datetime | None]:
        quote = market.quotes(["BADUSDT"], BEGIN + timedelta(hours=hour))["BADUSDT"]
        return quote.funding_rate, quote.next_funding_at

    assert funding(7.9) == (None, None)
    assert (Decimal("0.008"), BEGIN + timedelta(hours=16)) == funding(8.1)
    assert (Decimal("0.008"), BEGIN + timedelta(hours=16)) == funding(16)
    assert (Decimal("0.016"), BEGIN + timedelta(hours=24)) == funding(16.1)
    assert funding(24.1) == (None, None)
    assert funding(40.1) == (None, None)
    assert (Decimal("0.044"), BEGIN + timedelta(hours=48)) == funding(44.1)


@pytest.mark.parametrize("content", [None, "", "{", "[]", '{"files": [{"kind": "klines"}]}'])
def test_a_directory_without_a_manifest_is_a_misconfiguration(tmp_path: Path, content: str | None) -> None:
    """The person is told in one sentence which path, what was expected, and what to do."""
    if content is not None:
        (tmp_path / "MANIFEST.json").write_text(content)
    with pytest.raises(Misconfigured, match=r"MANIFEST\.json") as wrong:
        RecordedMarket(tmp_path, spread_bps=Decimal(1))

    assert str(tmp_path) in str(wrong.value)
    assert "\n" not in str(wrong.value)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"symbols": 3}'])
def test_a_directory_without_exchange_info_is_a_misconfiguration(tmp_path: Path, content: str | None) -> None:
    """Without filters nothing can be rounded, so the process does not start."""
    files = MarketFiles(tmp_path)
    files.write()
    info = tmp_path / files.manifest[-1]["file"]
    if content is None:
        (tmp_path / "MANIFEST.json").write_text(json.dumps({"files": []}))
    else:
        info.write_text(content)
    with pytest.raises(Misconfigured, match="exchangeInfo"):
        RecordedMarket(tmp_path, spread_bps=Decimal(1))


def test_the_newest_exchange_info_counts(tmp_path: Path) -> None:
    """Of several recordings of the filters the last one is used."""
    files = MarketFiles(tmp_path).instrument(listed("BADUSDT", tick="0.01"))
    files.write()
    newer = tmp_path / "api/recorded/2026-08-01/fapi-v1-exchangeInfo.json"
    newer.parent.mkdir()
    newer.write_text(json.dumps({"symbols": [listed("BADUSDT", tick="0.10")]}))
    row = {**files.manifest[-1], "file": str(newer.relative_to(tmp_path))}
    (tmp_path / "MANIFEST.json").write_text(json.dumps({"files": [row, *files.manifest]}))

    assert Decimal("0.1") == RecordedMarket(tmp_path, spread_bps=Decimal(1)).instrument("BADUSDT").tick_size


class _Counting(RecordedMarket):
    """A recorded market that notes what it reads."""

    reads: tuple[str, ...] = ()

    def _read(self, symbol: str) -> Recording | MarketFault:
        self.reads += (symbol,)
        return super()._read(symbol)


def test_threads_read_a_symbol_once(tmp_path: Path) -> None:
    """Several threads that ask at once share one reading of the files."""
    market = _Counting(MarketFiles(tmp_path).candles("BADUSDT", SOUND).write(), spread_bps=Decimal(1))
    threads = [Thread(target=market.span, args=("BADUSDT",)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert market.reads == ("BADUSDT",)
