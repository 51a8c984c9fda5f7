"""Killed at every single write, and started again: the books end as if nothing had happened."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.builders.installation import START, AlwaysLong, Installation, Killed
from withearth.bootstrap import SYNTHETIC_START
from withearth.domain.times import TICK
from withearth.market.port import Market
from withearth.market.synthetic import SyntheticMarket

HOURS = 0.5
BOOKS = ("ticks", "decisions", "intents", "trades", "positions", "risk", "events")
"""Everything but the views, whose heartbeat is the moment of the last pass."""


@pytest.fixture(scope="module")
def market() -> Market:
    """One market for all runs: it holds no state but its prices."""
    return SyntheticMarket(7, ("BTCUSDT", "ETHUSDT"), start=SYNTHETIC_START, spread_bps=Decimal(1))


class Counter:
    """Counts the writes of all files, and kills the process before or after the chosen one."""

    def __init__(self, kill_at: int | None = None, *, after: bool = False) -> None:
        self.writes = 0
        self._kill_at = kill_at
        self._after = after

    def around(self, writing: Callable[[], Any]) -> Callable[[], Any]:
        """The file's write transaction, counted."""

        @contextmanager
        def counted() -> Iterator[Any]:
            self.writes += 1
            if self.writes == self._kill_at and not self._after:
                raise Killed
            with writing() as connection:
                yield connection
            if self.writes == self._kill_at:
                raise Killed

        return counted


def opened(directory: Path, market: Market, counter: Counter) -> Installation:
    """An installation that enters at every chance, with its writes counted."""
    ports = {"market": market, "predictor": AlwaysLong()}
    installation = Installation(directory, ports=ports, HORIZON_MIN="10", MIN_VOL_FRAC="0")
    for file in (installation.store._file, installation.bus._file):
        file.writing = counter.around(file.writing)  # type: ignore[method-assign]
    return installation


def run(directory: Path, market: Market, counter: Counter, done: list[datetime]) -> Installation:
    """Run from the tick after the last one that is known to be done."""
    installation = opened(directory, market, counter)
    try:
        installation.run(HOURS, start=done[-1] + TICK if done else START, after_tick=done.append)
    except Killed:
        installation.close()
        raise
    return installation


def books(installation: Installation) -> dict[str, Sequence[str]]:
    """All books as text."""
    return {collection: installation.books(collection) for collection in BOOKS}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_any_write_changes_nothing(tmp_path: Path, market: Market, *, after: bool) -> None:
    """For every write of a run with entries and exits: killed there, started again, the same books."""
    counter = Counter()
    undisturbed = run(tmp_path / "calm", market, counter, [])
    expected = books(undisturbed)
    assert len(expected["trades"]) > 4

    for kill_at in range(1, counter.writes + 1):
        directory, done = tmp_path / f"killed-{kill_at}", list[datetime]()
        with pytest.raises(Killed):
            run(directory, market, Counter(kill_at, after=after), done)
        survivor = run(directory, market, Counter(), done)
        assert books(survivor) == expected, f"killed {'after' if after else 'before'} write {kill_at}"
        survivor.close()
