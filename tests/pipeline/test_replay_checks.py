"""What an executed replay is judged by, and whose books it may begin anew."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from tests.builders.installation import START, AlwaysLong, Installation
from withearth.domain.errors import Misconfigured
from withearth.execution.paper_venue import ACCOUNT, PaperVenue
from withearth.local.checks import Checks, Coverage, check
from withearth.local.replay import Period, Timing, replay_period
from withearth.store.port import Query

SECOND = timedelta(seconds=1)
WELL = Checks(Decimal(1), Decimal(1), 0, 0, 10 * SECOND, 10 * SECOND, 0)


@pytest.mark.parametrize(
    ("checks", "holds"),
    [
        (WELL, True),
        (replace(WELL, exchange_net=Decimal("1.00000001")), False),
        (replace(WELL, foreign_orders=1), False),
        (replace(WELL, doubled_entries=1), False),
        (replace(WELL, longest_uncovered=11 * SECOND), False),
        (replace(WELL, still_open=1), False),
    ],
)
def test_each_check_alone_can_fail(checks: Checks, holds: bool) -> None:
    """Books that differ, an order of nobody, an entry twice, a quantity naked too long, a trade without an end."""
    assert holds == checks.hold


def test_what_is_still_uncovered_counts(tmp_path: Path) -> None:
    """A quantity whose stop was lost and never came back."""
    with_stop = Installation(tmp_path, ports={"predictor": AlwaysLong()}, EXECUTE_TRADES="true")
    venue = with_stop.runtime.venue
    assert isinstance(venue, PaperVenue)
    coverage = Coverage(venue, with_stop.clock)
    venue.watch = coverage.sample
    with_stop.run(0)
    account = venue.exchange.account(ACCOUNT)
    (held, *_) = account.held()
    assert timedelta() == coverage.longest
    venue.exchange.cancel_all_algo(account, held.symbol)
    coverage.sample()
    with_stop.clock.sleep(11 * SECOND)

    found = check(venue, with_stop.store, coverage, 10 * SECOND)
    assert 11 * SECOND <= found.longest_uncovered
    assert not found.hold


@pytest.mark.parametrize("fresh", [True, False])
def test_a_replay_leaves_other_books_alone(tmp_path: Path, fresh: bool) -> None:
    """`--state` names the books of an installation: they are neither deleted nor written to."""
    installation = Installation(tmp_path)
    installation.run(0)
    before = installation.books("decisions")
    with pytest.raises(Misconfigured, match="holds books that are no replay's: name another directory"):
        replay_period(
            installation.runtime.settings,
            Period(START, START + timedelta(hours=1)),
            tmp_path,
            timing=Timing(),
            after_tick=lambda _at: None,
            fresh=fresh,
        )

    assert before
    assert before == installation.books("decisions")
    assert 0 == installation.store.count(Query("replay"))
