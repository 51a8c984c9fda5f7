"""`withearth data` as a person uses it: real processes against a stand-in archive and a paper exchange over HTTP."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.builders.command_line import environment, withearth
from tests.builders.market_files import some_bars
from tests.fakes.archive_server import ArchiveServer, archive_server
from tests.fakes.clock import ManualClock
from withearth.domain.times import Timeframe, to_ms
from withearth.history.periods import Series, month_of
from withearth.market.synthetic import SyntheticMarket
from withearth.paper.assembly import assemble_exchange, invented_listing
from withearth.paper.line import Line
from withearth.paper.server import serving

FIRST = datetime(2024, 1, 2, tzinfo=UTC)
SYMBOLS = ("BTCUSDT", "ETHUSDT")
WANTED = ("--symbols", ",".join(SYMBOLS), "--from", "2024-01-02", "--to", "2024-03-01")


class World(NamedTuple):
    """The stand-ins."""

    archive: ArchiveServer
    settings: dict[str, str]


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    """Fifty-nine days of two symbols: January by days, February by the month; and an exchange that lists them."""
    market = SyntheticMarket(7, SYMBOLS, start=datetime(2024, 1, 1, tzinfo=UTC), spread_bps=Decimal(1))
    clock = ManualClock(datetime(2024, 3, 10, tzinfo=UTC))
    exchange = assemble_exchange(market, invented_listing(market, SYMBOLS), clock, [])
    with archive_server() as archive, serving(Line(exchange.face, exchange.faults), 0) as address:
        for symbol, price in zip(SYMBOLS, (40_000.0, 2_000.0), strict=True):
            _fill(archive, symbol, price)
        yield World(archive, {"BINANCE_ARCHIVE_BASE": archive.address, "BINANCE_FAPI_BASE": address})


def _fill(archive: ArchiveServer, symbol: str, price: float) -> None:
    series, january, february = Series(symbol, Timeframe.M5), month_of(FIRST), month_of(FIRST + timedelta(days=30))
    bars = some_bars(FIRST, 59 * 288, price=price)
    for period in [*list(january.days())[1:], february]:
        inside = (bars.open_ms >= to_ms(period.start)) & (bars.open_ms < to_ms(period.end))
        archive.candles(series, period, bars.take(inside))
    for month in (january, february):
        hours = [day.start + timedelta(hours=each) for day in month.days() for each in (0, 8, 16)]
        archive.funding(symbol, month, [(to_ms(at), "0.0001") for at in hours])


def files(directory: Path) -> dict[str, bytes]:
    """Every file there is, with its bytes, except those that name the time of a run."""
    found = (path for path in directory.rglob("*") if path.is_file() and path.suffix != ".json")
    return {path.relative_to(directory).as_posix(): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def calm(world: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a download leaves that nobody disturbs."""
    directory = tmp_path_factory.mktemp("calm")
    assert withearth(directory, "data", "download", *WANTED, **world.settings).returncode == 0
    return files(directory / "data")


def test_a_download_is_verified_listed_and_replayed(world: World, tmp_path: Path) -> None:
    """One command brings it; the replay reads it at once; a second one fetches nothing."""
    downloaded = withearth(tmp_path, "data", "download", *WANTED, **world.settings)
    assert downloaded.returncode == 0, downloaded.stderr
    assert "66 files fetched" in downloaded.stdout

    verified = withearth(tmp_path, "data", "verify", **world.settings)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "100.0%" in verified.stdout
    listed = withearth(tmp_path, "data", "list", **world.settings)
    assert "BTCUSDT" in listed.stdout
    assert str(59 * 288) in listed.stdout
    period = ("--from", "2024-02-28T12:00", "--to", "2024-02-28T13:00")
    replayed = withearth(
        tmp_path, "replay", "--data", "data", "--symbols", ",".join(SYMBOLS), *period, **world.settings
    )
    assert replayed.returncode == 0, replayed.stderr
    assert "decisions" in replayed.stdout

    again = withearth(tmp_path, "data", "download", *WANTED, **world.settings)
    assert "0 files fetched, 66 were there" in again.stdout


def test_a_file_that_cannot_be_kept_ends_with_1_and_its_sentence(world: World, tmp_path: Path) -> None:
    """The others are kept, and verify names what is missing."""
    bad = "data/futures/um/daily/klines/BTCUSDT/5m/BTCUSDT-5m-2024-01-09.zip"
    world.archive.always[bad] = "tampered"
    downloaded = withearth(tmp_path, "data", "download", *WANTED, "--no-funding", **world.settings)
    world.archive.always.clear()

    assert downloaded.returncode == 1
    assert "BTCUSDT 5m 2024-01-09" in downloaded.stderr
    assert "its checksum file says" in downloaded.stderr
    verified = withearth(tmp_path, "data", "verify", **world.settings)
    assert verified.returncode == 1
    assert "no bar from 2024-01-09 00:00 to 2024-01-10 00:00" in verified.stdout


@pytest.mark.parametrize("writes", [1, 40])
def test_a_killed_download_goes_on_and_ends_with_the_same_files(
    world: World, calm: dict[str, bytes], tmp_path: Path, writes: int
) -> None:
    """SIGKILL between the bytes and their name, and the same command again: nothing half, nothing twice."""
    victim = subprocess.Popen(
        [sys.executable, "-c", KILL_AFTER.format(writes=writes), "data", "download", *WANTED],
        cwd=tmp_path,
        env=environment(**world.settings),
    )
    assert victim.wait(timeout=60) == -signal.SIGKILL
    assert withearth(tmp_path, "data", "download", *WANTED, **world.settings).returncode == 0

    assert calm == files(tmp_path / "data")
    assert withearth(tmp_path, "data", "verify", **world.settings).returncode == 0


KILL_AFTER = """
import os, signal
from withearth.history import shelf
from withearth.cli.app import main
seen = 0
sync = os.fsync
def dies(descriptor):
    global seen
    seen += 1
    if seen > {writes}:
        os.kill(os.getpid(), signal.SIGKILL)
    sync(descriptor)
shelf.os.fsync = dies
main()
"""
