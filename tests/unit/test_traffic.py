"""One account of the exchange's limits for all processes: R13, and what 429 and 418 stop."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes.clock import ManualClock
from withearth.domain.errors import MarketFault, Unavailable
from withearth.domain.reasons import Reason
from withearth.flow.documents import exchange_ref
from withearth.market.traffic import SHARED_EVERY, Limits, Traffic
from withearth.store.port import Ref, Stored
from withearth.store.sqlite import SqliteStore

HOST = "fapi.example"
NOW = datetime(2026, 1, 5, 12, 0, 5, tzinfo=UTC)
USED = "X-MBX-USED-WEIGHT-1M"


class Two:
    """Two processes behind one address."""

    def __init__(self, directory: Path) -> None:
        self.clock, self.store = ManualClock(NOW), SqliteStore(directory / "store.db")
        self.one = Traffic(HOST, self.clock, self.store, reserved_pct=25)
        self.other = Traffic(HOST, self.clock, self.store, reserved_pct=25)


@pytest.fixture
def two(tmp_path: Path) -> Two:
    """Two processes behind one address."""
    return Two(tmp_path)


def refusal(traffic: Traffic, weight: int = 1) -> Reason | None:
    """Why a request for data may not be made, None when it may."""
    try:
        traffic.admit(weight)
    except MarketFault as fault:
        return fault.reason
    return None


def test_r13_data_stop_before_the_reserved_share(two: Two) -> None:
    """R13: a quarter of the minute's weight is left for protection, whoever else used the address."""
    two.one.heard(200, {USED: "1700"})

    assert refusal(two.one, 100) is None
    assert refusal(two.one, 1) is Reason.WEIGHT_SPENT
    assert two.one.banned() is None


def test_r13_a_process_that_has_not_asked_yet_knows_what_is_used(two: Two) -> None:
    """R13: the count is shared before it matters."""
    two.one.heard(200, {USED: "1790"})

    assert refusal(two.other, 20) is Reason.WEIGHT_SPENT


def test_every_minute_begins_from_zero(two: Two) -> None:
    """The exchange counts by whole minutes of its clock."""
    two.one.heard(200, {USED: "2400"})
    two.clock.advance(two.one.until_next_minute())

    assert two.one.room() == 1800
    assert refusal(two.one, 1800) is None


def test_the_count_of_a_minute_that_is_over_says_nothing(two: Two) -> None:
    """An answer that comes after the turn of the minute tells the old one's count."""
    asked_at = two.one.exchange_now()
    two.clock.advance(timedelta(minutes=1))
    two.one.heard(200, {USED: "2399"}, asked_at)

    assert refusal(two.one) is None


def test_minutes_are_those_of_the_exchange(two: Two) -> None:
    """A clock that is behind must not spend the same minute twice."""
    two.one.measured(timedelta(seconds=50))
    two.one.heard(200, {USED: "2400"})
    two.clock.advance(timedelta(seconds=10))

    assert refusal(two.one) is None


@pytest.mark.parametrize(("status", "reason"), [(429, Reason.EXCHANGE_LIMITED), (418, Reason.EXCHANGE_BANNED)])
def test_a_stop_is_obeyed_everywhere_until_it_is_over(two: Two, status: int, reason: Reason) -> None:
    """Not only by the process that was told."""
    assert refusal(two.other) is None
    two.one.heard(status, {"Retry-After": "40"})
    two.clock.advance(SHARED_EVERY)

    for traffic in (two.one, two.other):
        assert refusal(traffic) is reason
        assert traffic.room() == 0
        assert traffic.no_entry() is reason
    two.clock.advance(timedelta(seconds=40))
    assert refusal(two.one) is None
    assert two.other.no_entry() is None


def test_protection_goes_on_when_limited_and_stops_when_banned(two: Two) -> None:
    """429 leaves the exchange reachable for what protects; 418 leaves nothing."""
    two.one.heard(429, {"Retry-After": "40"})
    assert two.one.banned() is None
    two.one.heard(418, {})
    assert two.one.banned() is not None
    two.clock.advance(timedelta(minutes=2))
    assert two.one.banned() is None


def test_a_ban_is_not_shortened_by_a_limit(two: Two) -> None:
    """Of two stops the harder one counts, in whatever order they were told."""
    two.one.heard(418, {"Retry-After": "600"})
    two.other.heard(429, {"Retry-After": "5"})
    two.clock.advance(timedelta(seconds=30))

    assert two.other.banned() is not None


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({"X-MBX-ORDER-COUNT-10S": "224", "X-MBX-ORDER-COUNT-1M": "300"}, False),
        ({"X-MBX-ORDER-COUNT-10S": "225", "X-MBX-ORDER-COUNT-1M": "300"}, True),
        ({"X-MBX-ORDER-COUNT-10S": "10", "X-MBX-ORDER-COUNT-1M": "900"}, True),
    ],
)
def test_entries_stop_before_the_reserved_share_of_orders(two: Two, headers: dict[str, str], refused: bool) -> None:
    """What is left of the account's orders belongs to stops and exits."""
    two.one.heard(200, headers)

    assert (two.one.no_entry() is Reason.WEIGHT_SPENT) is refused
    two.clock.advance(timedelta(minutes=1))
    assert two.one.no_entry() is None


def test_entries_stop_with_the_data(two: Two) -> None:
    """A minute in which no data may be asked for is none in which to enter."""
    two.one.heard(200, {USED: "1800"})

    assert two.one.no_entry() is Reason.WEIGHT_SPENT


def test_the_account_costs_next_to_nothing(two: Two) -> None:
    """Thousands of answers write a handful of times: when a quarter of the limit has gone."""
    versions = set()
    for used in range(1, 2400):
        two.one.heard(200, {USED: str(used)})
        stored = two.store.get(exchange_ref(HOST))
        versions.add(None if stored is None else stored.version)

    assert len(versions - {None}) == 3


def test_the_announced_limits_are_taken(two: Two) -> None:
    """What exchangeInfo says counts; what it does not say stays."""
    row = {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 1200}
    two.one.learn_limits([row, "nonsense", {"limit": "7"}])

    assert Limits(weight_1m=1200) == two.one.limits
    assert refusal(two.one, 901) is Reason.WEIGHT_SPENT


class Broken(SqliteStore):
    """A store that does not answer."""

    def get(self, ref: Ref) -> Stored | None:
        """Nothing."""
        raise Unavailable(f"{ref} cannot be read")


def test_protection_does_not_depend_on_the_shared_account(tmp_path: Path) -> None:
    """When nobody can say what others know, what this process knows has to do; data wait."""
    traffic = Traffic(HOST, ManualClock(NOW), Broken(tmp_path / "store.db"))

    assert traffic.banned() is None
    traffic.heard(418, {"Retry-After": "9"})
    assert traffic.banned() is not None
    with pytest.raises(Unavailable):
        Traffic(HOST, ManualClock(NOW), Broken(tmp_path / "store.db")).admit(1)
