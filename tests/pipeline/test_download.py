"""History from a stand-in of the archive and from the paper exchange, with everything that can happen on the way."""

import errno
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.builders.market_files import Bars, some_bars
from tests.fakes.archive_server import ArchiveServer, archive_server, packed
from tests.fakes.clock import ManualClock
from tests.recorded import market_dir
from withearth.domain.candles import Candles
from withearth.domain.errors import Misconfigured, Unavailable
from withearth.domain.times import Timeframe, to_ms
from withearth.history.archive import GIVE_UP_AFTER, Archive
from withearth.history.download import WORKERS, Downloader, Report
from withearth.history.overview import holdings
from withearth.history.periods import Period, Series, Span, day_of, month_of
from withearth.history.rest import RestHistory
from withearth.history.shelf import Shelf
from withearth.history.tables import ROW_BYTES_MAX
from withearth.history.verify import verify
from withearth.market.binance import BinanceMarket
from withearth.market.manifest import read_manifest
from withearth.market.recorded import RecordedMarket
from withearth.market.routes import Access
from withearth.market.synthetic import SyntheticMarket
from withearth.paper.assembly import Assembled, assemble_exchange, invented_listing
from withearth.paper.faults import Fault, FaultKind
from withearth.paper.transport import PaperTransport

SYMBOL = "BTCUSDT"
M5 = Series(SYMBOL, Timeframe.M5)
FUNDING = Series(SYMBOL, None)
JANUARY = month_of(datetime(2024, 1, 1, tzinfo=UTC))
FEBRUARY = month_of(datetime(2024, 2, 1, tzinfo=UTC))
NOW = datetime(2024, 3, 12, 10, 2, tzinfo=UTC)
DAY = timedelta(days=1)


def first_of_march(day: int) -> Period:
    """A day of March 2024."""
    return day_of(datetime(2024, 3, day, tzinfo=UTC))


@cache
def january() -> Bars:
    """January 2024: as it was recorded, where recorded data are at hand, else made up."""
    directory = market_dir()
    if directory is None:
        return some_bars(JANUARY.start, 31 * 288, price=42_000.0)
    recorded = RecordedMarket(directory, spread_bps=Decimal(1)).candles(SYMBOL, Timeframe.M5, JANUARY.end, 31 * 288)
    return Bars(recorded.open_ms, recorded.ohlcv)


class Place:
    """An archive, an exchange, and the directory that history is brought into."""

    def __init__(self, archive: ArchiveServer, directory: Path) -> None:
        self.archive, self.directory, self.clock = archive, directory, ManualClock(NOW)
        self.truth = SyntheticMarket(7, (SYMBOL,), start=datetime(2024, 1, 1, tzinfo=UTC), spread_bps=Decimal(1))
        self.exchange: Assembled = assemble_exchange(self.truth, invented_listing(self.truth, [SYMBOL]), self.clock, [])

    def download(self, *series: Series, span: Span, after: Callable[[], None] = lambda: None) -> Report:
        """Start anew, as a new process would, and bring what is missing."""
        transport = PaperTransport(self.exchange.face, faults=self.exchange.faults)
        rest = RestHistory(Access("https://paper.invalid", transport=transport), self.clock)
        archive = Archive(Access(self.archive.address, timeout_ms=2_000, retries=1, backoff_ms=10), self.clock)
        downloader = Downloader(archive, rest, Shelf(self.directory), self.clock)
        report = downloader.record_listings()
        tasks, there = downloader.tasks(series, span)
        report.add(there)
        report.add(downloader.run(tasks, after))
        return report

    def market(self) -> RecordedMarket:
        """What a replay reads."""
        return RecordedMarket(self.directory, spread_bps=Decimal(1))

    def candles(self) -> Candles:
        """All 5m bars that a replay reads."""
        return self.market().candles(SYMBOL, Timeframe.M5, NOW + DAY, 10**6)

    def wrong(self) -> list[str]:
        """What `data verify` finds."""
        found = verify(self.directory, read_manifest(self.directory), lambda: None).findings
        return [f"{each.where}: {each.what}" for each in found]

    def files(self) -> set[str]:
        """Every file there is, except the exchange's lists."""
        found = (path.relative_to(self.directory).as_posix() for path in self.directory.rglob("*") if path.is_file())
        return {name for name in found if not name.startswith("api/")}


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """An archive that holds January 2024, candles and funding."""
    with archive_server() as archive:
        archive.candles(M5, JANUARY, january())
        archive.funding(SYMBOL, JANUARY, settlements(JANUARY))
        yield Place(archive, tmp_path / "data")


def settlements(month: Period) -> list[tuple[int, str]]:
    """Three a day."""
    return [(to_ms(day.start) + hour * 3_600_000, "0.00010000") for day in month.days() for hour in (0, 8, 16)]


def synthetic_bars(place: Place, period: Period) -> Bars:
    """What the exchange itself traded."""
    found = place.truth.candles(SYMBOL, Timeframe.M5, period.end, (period.end - period.start) // timedelta(minutes=5))
    return Bars(found.open_ms, found.ohlcv)


def test_a_month_of_the_archive_is_what_a_replay_reads(place: Place) -> None:
    """Bar for bar and settlement for settlement, with the instrument's filters, sound, and listed."""
    report = place.download(M5, FUNDING, span=JANUARY)

    truth, seen = january(), place.candles()
    assert (report.failures, report.gaps, place.wrong()) == ([], [], [])
    assert truth.open_ms.tolist() == seen.open_ms.tolist()
    assert np.array_equal(truth.ohlcv, seen.ohlcv)
    assert place.market().instrument(SYMBOL).tick_size > 0
    funding = place.market().settlements(SYMBOL, JANUARY.start - DAY, JANUARY.end)
    assert [(to_ms(each.at), each.rate) for each in funding] == [
        (at, Decimal(rate)) for at, rate in settlements(JANUARY)
    ]
    assert [(each.what, each.rows, each.missing) for each in holdings(read_manifest(place.directory).futures())] == [
        ("5m", len(truth.open_ms), 0),
        ("funding", 93, 0),
    ]


@pytest.mark.parametrize(("header", "per_ms"), [(True, 1), (False, 1), (True, 1_000), (False, 1_000)])
def test_files_with_and_without_header_in_ms_and_us_say_the_same(place: Place, per_ms: int, *, header: bool) -> None:
    """The archive has had all of them; what is kept is in milliseconds."""
    place.archive.candles(M5, JANUARY, january(), header=header, per_ms=per_ms)
    place.download(M5, span=JANUARY)

    [file] = place.directory.glob("klines/usds-futures/5m/*.parquet")
    table = pq.read_table(file)
    assert january().open_ms.tolist() == table["open_time"].to_pylist()
    assert (table["close_time"].to_numpy() == table["open_time"].to_numpy() + 299_999).all()


def test_what_is_there_is_not_fetched_again(place: Place) -> None:
    """The second call asks the archive nothing, and the manifest stays the same."""
    place.download(M5, FUNDING, span=JANUARY)
    manifest = (place.directory / "MANIFEST.json").read_bytes()
    place.archive.requests.clear()
    report = place.download(M5, FUNDING, span=JANUARY)

    assert (report.fetched, report.kept, place.archive.requests) == (0, 2, [])
    assert manifest == (place.directory / "MANIFEST.json").read_bytes()


def test_a_damaged_file_is_told_and_fetched_again(place: Place) -> None:
    """A flipped byte is found by the checksum of the manifest, and mended by the next download."""
    place.download(M5, span=JANUARY)
    [file] = place.directory.glob("klines/usds-futures/5m/*.parquet")
    sound = file.read_bytes()
    file.write_bytes(sound[:1000] + bytes([sound[1000] ^ 1]) + sound[1001:])

    assert any("is not the file of the manifest" in each for each in place.wrong())
    place.download(M5, span=JANUARY)
    assert (place.wrong(), file.read_bytes()) == ([], sound)


@pytest.mark.parametrize("left", [b'{"symbols": [', None])
def test_a_listing_that_is_damaged_or_gone_is_recorded_anew(place: Place, left: bytes | None) -> None:
    """Whoever has lost it downloads again, and a replay has its filters."""
    place.download(M5, span=JANUARY)
    [listing] = place.directory.rglob("fapi-v1-exchangeInfo.json")
    listing.unlink()
    if left is not None:
        listing.write_bytes(left)
    report = place.download(M5, span=JANUARY)

    assert (report.failures, place.wrong()) == ([], [])
    assert place.market().instrument(SYMBOL).tick_size > 0


def test_a_month_without_a_file_is_fetched_by_days_and_the_last_days_from_the_exchange(place: Place) -> None:
    """Months, then days where there is no month yet, then the REST API up to the last closed bar; no bar is missing."""
    place.archive.candles(M5, JANUARY, synthetic_bars(place, JANUARY))
    days = [*FEBRUARY.days(), *map(first_of_march, range(1, 11))]
    for day in days:
        place.archive.candles(M5, day, synthetic_bars(place, day))
    place.archive.funding(SYMBOL, FEBRUARY, settlements(FEBRUARY))
    report = place.download(M5, FUNDING, span=Span(JANUARY.start, NOW))

    bars, truth = place.candles(), place.truth.candles(SYMBOL, Timeframe.M5, NOW, 10**6)
    assert (report.failures, report.gaps, place.wrong()) == ([], [], [])
    assert truth.open_ms[truth.open_ms >= to_ms(JANUARY.start)].tolist() == bars.open_ms.tolist()
    assert bars.last_close_ms == to_ms(datetime(2024, 3, 12, 10, 0, tzinfo=UTC))
    assert place.archive.asked("BTCUSDT-5m-2024-03-12") == 0, "a day that is not over is in no archive"
    settled = [each.at for each in place.market().settlements(SYMBOL, FEBRUARY.start, NOW)]
    assert settled[-1] == datetime(2024, 3, 12, 8, tzinfo=UTC)


def test_days_from_the_exchange_are_taken_from_the_archive_once_it_has_them(place: Place) -> None:
    """The files of the last days are replaced, day by day; the days that were not over become whole."""
    days = [first_of_march(day) for day in (10, 11, 12)]
    span = Span(days[0].start, days[-1].end)
    place.download(M5, span=span)
    assert {each.archived for each in read_manifest(place.directory).futures() if each.kind == "klines"} == {False}

    place.clock.advance(2 * DAY)
    for day in days:
        place.archive.candles(M5, day, synthetic_bars(place, day))
    report = place.download(M5, span=span)

    files = [each for each in read_manifest(place.directory).futures() if each.kind == "klines"]
    assert (report.fetched, len(files), {each.archived for each in files}) == (3, 3, {True})
    assert (len(place.candles()), place.wrong()) == (3 * 288, [])


def test_what_the_archive_lacks_is_told_and_never_filled(place: Place) -> None:
    """A hole inside a file, and a day without a file: sentences now, findings of verify, and no bar in their place."""
    bars = synthetic_bars(place, JANUARY)
    keep = np.ones(len(bars.open_ms), dtype=bool)
    keep[100:112] = False
    place.archive.candles(M5, JANUARY, bars.take(keep))
    for day in FEBRUARY.days():
        if day.start.day != 9:
            place.archive.candles(M5, day, synthetic_bars(place, day))
    report = place.download(M5, span=Span(JANUARY.start, FEBRUARY.end))

    hole = "no bar from 2024-01-01 08:20 to 2024-01-01 09:20"
    assert report.failures == []
    assert report.gaps == [
        f"{SYMBOL} 5m: {hole}",
        f"{SYMBOL} 5m 2024-02-09: the archive has no file of it",
    ]
    wrong = place.wrong()
    assert any(hole in each for each in wrong)
    assert any("no bar from 2024-02-09 00:00 to 2024-02-10 00:00" in each for each in wrong)
    assert len(place.candles()) == 31 * 288 - 12 + 28 * 288


def test_days_that_a_month_s_file_lacks_come_from_the_files_by_day(place: Place) -> None:
    """As in April 2023, when the month's file had no 7th, and the day's had all of it: one file with both sources."""
    bars = synthetic_bars(place, JANUARY)
    absent = [each for each in JANUARY.days() if each.start.day in {7, 9}]
    keep = np.array([all(not to_ms(d.start) <= at < to_ms(d.end) for d in absent) for at in bars.open_ms.tolist()])
    place.archive.candles(M5, JANUARY, bars.take(keep))
    place.archive.candles(M5, absent[0], synthetic_bars(place, absent[0]))
    report = place.download(M5, span=JANUARY)

    assert report.gaps == [f"{SYMBOL} 5m: no bar from 2024-01-09 00:00 to 2024-01-10 00:00"]
    assert len(place.candles()) == 30 * 288
    [file] = [
        each for each in json.loads((place.directory / "MANIFEST.json").read_bytes())["files"] if "5m" in each["file"]
    ]
    assert [each["url"].rpartition("-5m-")[2] for each in file["sources"]] == ["2024-01.zip", "2024-01-07.zip"]


def test_the_month_of_a_listing_lacks_nothing_before_it(place: Place) -> None:
    """The exchange says since when there is something: the days before are no gap, and are not asked for."""
    listed = datetime(2024, 1, 15, 8, tzinfo=UTC)
    bars = synthetic_bars(place, JANUARY)
    place.archive.candles(M5, JANUARY, bars.take(bars.open_ms >= to_ms(listed)))
    [entry] = place.exchange.face.exchange.instruments.values()
    entry.raw["onboardDate"] = to_ms(listed)  # type: ignore[index]  # the exchange's own entry is a dict
    report = place.download(M5, span=JANUARY)

    assert (report.gaps, report.failures, place.wrong()) == ([], [], [])
    assert place.archive.asked("2024-01-0") == 0


def refused(place: Place, sentence: str) -> None:
    """The piece of January is refused with a sentence, and nothing is kept of it; February comes all the same."""
    place.archive.candles(M5, FEBRUARY, synthetic_bars(place, FEBRUARY))
    report = place.download(M5, span=Span(JANUARY.start, FEBRUARY.end))

    [failure] = report.failures
    assert sentence in failure, failure
    assert "BTCUSDT 5m 2024-01" in failure
    assert place.files() == {
        "MANIFEST.json",
        "klines/usds-futures/5m/BTCUSDT_20240201_20240229.parquet",
    }
    assert len(place.candles()) == 29 * 288


JANUARY_ZIP = "data/futures/um/monthly/klines/BTCUSDT/5m/BTCUSDT-5m-2024-01.zip"


@pytest.mark.parametrize(
    ("path", "fault", "sentence"),
    [
        (JANUARY_ZIP, "tampered", "its checksum file says"),
        (JANUARY_ZIP, "html", "its checksum file says"),
        (JANUARY_ZIP, "gone", "is not there, but its checksum is"),
        (JANUARY_ZIP, "endless", "is longer than"),
        (JANUARY_ZIP, "cut", "ChunkedEncodingError"),
        (JANUARY_ZIP, "down", "HTTP 503"),
        (f"{JANUARY_ZIP}.CHECKSUM", "html", "is no checksum of that file"),
        (f"{JANUARY_ZIP}.CHECKSUM", "endless", "is longer than"),
    ],
)
def test_a_file_that_does_not_arrive_as_it_should_is_refused(
    place: Place, path: str, fault: str, sentence: str
) -> None:
    """Wrong bytes, a page instead of a file, no end, no answer: one sentence, nothing written, the rest comes."""
    place.archive.always[path] = fault
    refused(place, sentence)


BOMB = b"0" * (40 * 288 * ROW_BYTES_MAX)
CSV = "BTCUSDT-5m-2024-01.csv"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"<html>not a zip</html>", "is no zip file"),
        (packed({CSV: BOMB}), "unpacks to more than"),
        (packed({"another.csv": b"1"}), "not BTCUSDT-5m-2024-01.csv alone"),
        (packed({CSV: b"1", "more.csv": b"1"}), "holds 2 files"),
        (packed({CSV: b"1704067200000,1,2\n"}), "has rows that cannot be read"),
        (packed({CSV: b"1704067200000,1,2,0.5,x,3,1704067499999,1,1,1,1,0\n"}), "has rows that cannot be read"),
        (packed({CSV: b"1704067200000,1,2,0.5,,3,1704067499999,1,1,1,1,0\n"}), "has rows that cannot be read"),
        (packed({CSV: b"1706745600000,1,2,0.5,1,3,1706745899999,1,1,1,1,0\n"}), "lies outside its time"),
        (packed({CSV: b"1704067200000,1,0.9,0.5,1,3,1704067499999,1,1,1,1,0\n"}), "bar at 1704067200000 ms"),
        (packed({CSV: b"1704067200001,1,2,0.5,1,3,1704067499999,1,1,1,1,0\n"}), "bar at 1704067200001 ms"),
        (
            packed({CSV: b"1704067200000,1,2,0.5,1,3,1,1,1,1,1,0\n1704067200000,1,2,0.5,1,4,1,1,1,1,1,0\n"}),
            "bar at 1704067200000 ms",
        ),
        (
            packed({CSV: b"1704067200000,1,2,0.5,1,3,1,1,1,1,1,0\n1704067500000000,1,2,0.5,1,3,1,1,1,1,1,0\n"}),
            "in milliseconds and in microseconds",
        ),
    ],
)
def test_a_file_with_a_right_checksum_and_wrong_content_is_refused(place: Place, content: bytes, sentence: str) -> None:
    """A bomb, another file, rows that contradict themselves, each other, or the file's name."""
    place.archive.put(JANUARY_ZIP, content)
    refused(place, sentence)


@pytest.mark.parametrize("fault", ["cut", "down"])
def test_a_file_that_comes_at_the_second_attempt_is_kept(place: Place, fault: str) -> None:
    """A connection that breaks once, or a server that is down for a moment, is no failure."""
    place.archive.faults[JANUARY_ZIP] = [fault]
    report = place.download(M5, span=JANUARY)

    assert (report.failures, place.wrong(), report.fetched) == ([], [], 1)


def test_a_full_disk_stops_with_one_sentence_and_loses_nothing(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is complete stays, nothing half is left, and the next download goes on."""
    place.download(FUNDING, span=JANUARY)
    before = place.files()

    def fsync(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("withearth.history.shelf.os.fsync", fsync)
        with pytest.raises(Misconfigured, match=r"No space left on device.*free some space"):
            place.download(M5, span=JANUARY)
    assert place.files() == before

    place.download(M5, FUNDING, span=JANUARY)
    assert place.wrong() == []


def test_nobody_answering_ends_it_soon(place: Place) -> None:
    """Without a network the rest is left after some pieces, with the address in the sentence."""
    place.archive.address = "http://127.0.0.1:9"
    tried: list[None] = []
    with pytest.raises(Unavailable, match="the archive does not answer, look at the network"):
        place.download(M5, span=Span(datetime(2021, 1, 1, tzinfo=UTC), JANUARY.end), after=lambda: tried.append(None))
    assert len(tried) <= GIVE_UP_AFTER + WORKERS


def test_a_refusing_exchange_is_asked_once_and_the_archive_goes_on(place: Place) -> None:
    """HTTP 418 for the exchange: its days fail with its words, and the archive's pieces come."""
    place.download(M5, span=JANUARY)
    place.exchange.faults.add(Fault(FaultKind.BANNED, times=100))
    days = Span(datetime(2024, 3, 11, tzinfo=UTC), NOW)
    report = place.download(M5, span=days)

    assert len(report.failures) == 2
    assert all("HTTP 418" in each for each in report.failures)
    assert len(place.exchange.faults.fired) == 1
    assert len(place.candles()) == 31 * 288


@pytest.mark.parametrize("kind", [FaultKind.BANNED, FaultKind.RESET_BEFORE])
def test_an_exchange_that_does_not_serve_costs_its_own_days_only(place: Place, kind: FaultKind) -> None:
    """Refused or out of reach for nine days in a row: what the archive has comes, and nobody gives up."""
    place.download(FUNDING, span=JANUARY)
    place.exchange.faults.add(Fault(kind, times=1_000))
    report = place.download(M5, span=Span(datetime(2024, 3, 4, tzinfo=UTC), NOW))
    assert (report.fetched, len(report.failures) + len(report.gaps)) == (0, 9)

    whole = place.download(M5, span=Span(JANUARY.start, NOW))
    assert whole.fetched == 1
    assert len(place.candles()) == 31 * 288


def test_a_symbol_that_the_exchange_does_not_know_costs_no_other_its_days(place: Place) -> None:
    """It has left, or was never there: the others' last days come all the same."""
    gone = Series("GONEUSDT", Timeframe.M5)
    report = place.download(gone, M5, span=Span(datetime(2024, 3, 11, tzinfo=UTC), NOW))

    assert (len(report.failures), report.fetched) == (2, 2)
    assert all("GONEUSDT" in each and "-1121" in each for each in report.failures)


def test_recordings_of_others_are_left_as_they_are(place: Place) -> None:
    """A file that somebody else recorded keeps its days: no bar gets a second source, and its entry stays."""
    place.download(M5, span=JANUARY)
    manifest = place.directory / "MANIFEST.json"
    document = json.loads(manifest.read_bytes())
    [mine] = [each for each in document["files"] if each["kind"] == "klines"]
    theirs = {key: value for key, value in mine.items() if key not in {"covers", "archived"}} | {"licence": "MIT"}
    others = [each for each in document["files"] if each is not mine]
    manifest.write_text(json.dumps(document | {"files": [*others, theirs], "licence_note": "facts"}))
    place.archive.requests.clear()

    report = place.download(M5, span=Span(JANUARY.start, datetime(2024, 2, 2, tzinfo=UTC)))

    assert not place.archive.asked("BTCUSDT-5m-2024-01.zip")
    after = json.loads(manifest.read_bytes())
    assert theirs in after["files"]
    assert after["licence_note"] == "facts"
    assert len(report.gaps) == 1


def test_nothing_is_asked_of_the_time_before_a_listing(place: Place) -> None:
    """The month of the exchange's date of listing, September 2019, is the first that is asked for."""
    report = place.download(M5, span=Span(datetime(2015, 1, 1, tzinfo=UTC), datetime(2015, 3, 1, tzinfo=UTC)))
    assert place.archive.requests == []
    assert "begins on 2019-09-" in report.gaps[0]

    place.download(M5, span=Span(datetime(2019, 1, 1, tzinfo=UTC), datetime(2019, 10, 1, tzinfo=UTC)))
    assert place.archive.requests[0].endswith("BTCUSDT-5m-2019-09.zip.CHECKSUM")


def test_many_days_from_the_exchange_keep_to_their_share_of_its_weight(place: Place) -> None:
    """Six days of six symbols in an instant: the weight of a minute is spread by waiting, not by being refused."""
    rest = RestHistory(Access("https://paper.invalid", transport=PaperTransport(place.exchange.face)), place.clock)
    span = Span(NOW - timedelta(minutes=50), NOW)
    for _ in range(1_300):
        rest.bars(SYMBOL, Timeframe.M5, span)

    assert place.clock.now() - NOW >= timedelta(minutes=2)


def test_weight_that_others_have_used_up_is_waited_for(place: Place) -> None:
    """A trader behind the same address comes first: the page is asked for in the next minute, and comes."""
    access = Access("https://paper.invalid", transport=PaperTransport(place.exchange.face))
    trader, rest = BinanceMarket(access, place.clock), RestHistory(access, place.clock)
    for _ in range(31):
        trader.turnover(NOW)
    rest.listing("/fapi/v1/exchangeInfo")

    table = rest.bars(SYMBOL, Timeframe.M5, Span(NOW - timedelta(minutes=52), NOW))

    assert table.num_rows == 10
    assert timedelta(minutes=1) <= place.clock.now() - NOW <= timedelta(minutes=2)
