"""An execution whose books are in Firestore, on a line that is cut at every single write: nothing comes of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from tests.builders.installation import Killed
from tests.builders.trading import Books, Process, Trading, World
from tests.builders.trading_stories import (
    BEYOND_STOP,
    BEYOND_TARGET,
    an_intent,
    assert_booked,
    assert_covered,
    assert_entered_once,
    assert_over,
    filled,
    partly_filled,
)
from tests.fakes.cut_line import Cut, Line, cut_line
from withearth.cloud.patience import Patience
from withearth.domain.errors import Retryable
from withearth.messaging.events import TradeIntent
from withearth.store.firestore import FirestoreStore
from withearth.store.port import Write

WRITES_AT_LEAST: Final = 15


def hang_on(_: Line) -> None:
    """Nothing happens."""


def cut_before_and_after(line: Line) -> None:
    """The write does not get there; made again it does, and its answer does not come back."""
    line.break_next(Cut.BEFORE, Cut.AFTER)


def die(_: Line) -> None:
    """The process ends before the write."""
    raise Killed


class Counted(FirestoreStore):
    """Firestore behind a line that something happens to at the commit of a chosen number."""

    def __init__(self, project: str, line: Line, cloud: "Cloud") -> None:
        super().__init__(project, emulator=line.address, patience=cloud.patience)
        self._cloud = cloud

    def commit(self, writes: Sequence[Write]) -> str:
        """Write, counted."""
        self._cloud.commits += 1
        due = self._cloud.commits == self._cloud.at
        if due:
            self._cloud.strike()
        version = super().commit(writes)
        if due and self._cloud.dies:
            raise Killed
        return version


class Cloud:
    """A project on the emulator, on a line to which something happens at commit number `at`."""

    def __init__(
        self, project: str, line: Line, at: int = 0, strike: Callable[[Line], None] = hang_on, *, dies: bool = False
    ) -> None:
        """`dies` says that the process ends right after that commit."""
        self.patience = Patience(attempts=20, attempt_s=30.0, first_s=0.06, most_s=0.5, sleep=self._pause)
        self.dies = dies
        self.project = project
        self.line = line
        self.at = at
        self.commits = 0
        self._strike = strike

    def _pause(self, seconds: float) -> None:
        """Ride a cut out, however busy the machine is; who waits for a line that is down waits in vain."""
        if not self.line.down:
            time.sleep(seconds)

    def strike(self) -> None:
        """Let it happen."""
        self._strike(self.line)

    def open(self) -> FirestoreStore:
        """The books as a process opens them."""
        return Counted(self.project, self.line, self)


class CloudTrading(Trading):
    """Trading with its books in Firestore. What takes the line down is over when the call is."""

    def __init__(self, directory: Path, world: World, cloud: Cloud, /, **changes: str) -> None:
        self._cloud = cloud
        self.refusals = 0
        super().__init__(directory, world, **changes)

    def _open(self, process: Process) -> Books:
        return self._cloud.open()

    def deliver(self, intent: TradeIntent) -> bool:
        """Push an intent to the executor, and say whether it was acknowledged."""
        return self._mended(super().deliver(intent))

    def reconcile(self) -> bool:
        """Call the reconciler, and say whether it came to its end."""
        return self._mended(super().reconcile())

    def _mended(self, done: bool) -> bool:
        if self._cloud.line.down:
            self.refusals += not done
            self._cloud.line.down = False
        return done


@pytest.fixture
def line(firestore_emulator: str) -> Iterator[Line]:
    """A line to the emulator."""
    with cut_line(firestore_emulator) as opened:
        yield opened


def told(directory: Path, cloud: Cloud, *acts: Any) -> tuple[dict[str, Any], CloudTrading]:
    """The journal of an execution, with everything that holds of every one."""
    world, intent = World(*acts), an_intent()
    with CloudTrading(directory, world, cloud) as trading:
        document = trading.see_through(intent)

        assert "EXECUTED" == document["state"]
        assert_over(world, trading)
        assert_entered_once(world, intent)
        assert_booked(world, trading, intent)
        assert_covered(world, trading.settings)
        return trading.journal(intent), trading


def differences(
    directory: Path,
    project: str,
    line: Line,
    strike: Callable[[Line], None],
    every: int,
    *acts: Any,
    dies: bool = False,
) -> tuple[str, int]:
    """Run the story in peace, then with something happening at each, or every so many, of its commits.

    Returns what ended otherwise, and how often a call had to be made again, or a process started anew.
    """
    calm = Cloud(f"{project}-calm", line)
    expected, _ = told(directory / "calm", calm, *acts)
    found, refusals = "", 0
    for at in range(1, calm.commits + 1, every):
        try:
            journal, trading = told(directory / f"{at}", Cloud(f"{project}-{at}", line, at, strike, dies=dies), *acts)
        except (AssertionError, Retryable) as error:
            found += f"at {at} of {calm.commits}: {type(error).__name__} {error}\n"
            continue
        refusals += trading.refusals + trading.deaths
        if journal != expected:
            found += f"at {at} of {calm.commits}: {journal}\n"
    return found, refusals


def test_a_line_cut_at_any_write_changes_nothing(tmp_path: Path, project: str, line: Line) -> None:
    """Cut before the write got there, and again before its answer came back: nobody but the line notices."""
    story = filled(BEYOND_TARGET)
    found, refusals = differences(tmp_path, project, line, cut_before_and_after, 1, *story)

    assert ("", 0) == (found, refusals)
    assert line.cuts >= 2 * WRITES_AT_LEAST


def test_books_out_of_reach_at_any_write_lose_nothing(tmp_path: Path, project: str, line: Line) -> None:
    """The line is down for longer than patience lasts: the message comes again, or the reconciler, and goes on."""
    found, refusals = differences(tmp_path, project, line, Line.take_down, 5, *filled(BEYOND_STOP))

    assert "" == found
    assert refusals


@pytest.mark.parametrize("strike", [die, hang_on], ids=["before", "after"])
def test_a_process_that_dies_at_a_write_is_replaced(
    tmp_path: Path, project: str, line: Line, strike: Callable[[Line], None]
) -> None:
    """Another one opens the books and goes on, once the dead one's lease is over."""
    found, deaths = differences(
        tmp_path, project, line, strike, 5, *partly_filled(BEYOND_TARGET), dies=strike is hang_on
    )

    assert "" == found
    assert deaths
