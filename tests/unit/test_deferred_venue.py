"""What a function in the cloud has of the exchange before it trades: the name of the place, and nothing else."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from tests.fakes.clock import ManualClock
from withearth.bootstrap import choose_venue
from withearth.domain.errors import Misconfigured
from withearth.execution.deferred_venue import DeferredVenue
from withearth.execution.venue import Venue
from withearth.market.port import Market
from withearth.settings import load_settings

NOW = datetime(2026, 1, 5, tzinfo=UTC)
IN_THE_CLOUD = {
    "STORE": "cloud",
    "PROJECT_ID": "demo-project",
    "EXECUTE_TRADES": "true",
    "VENUE": "demo",
    "MARKET": "live",
}


class Opened:
    """A venue that counts how often it was made."""

    made = 0

    def __init__(self) -> None:
        type(self).made += 1

    def touch_it(self, symbol: str) -> str:
        """What was asked."""
        return symbol


def test_worker_and_dispatcher_need_no_key_of_the_exchange() -> None:
    """In the cloud the venue is there with its mode, though nobody could open it here: there is no key."""
    venue = choose_venue(load_settings(IN_THE_CLOUD, env_file=None), cast(Market, None), ManualClock(NOW))

    assert venue is not None
    assert venue.kind == "DEMO"
    with pytest.raises(Misconfigured, match="BINANCE_API_KEY is not set"):
        venue.everything()


def test_on_one_machine_a_missing_key_is_told_at_once() -> None:
    """Nothing is put off where one process does everything."""
    settings = load_settings({**IN_THE_CLOUD, "STORE": "local"}, env_file=None)

    with pytest.raises(Misconfigured, match="BINANCE_API_KEY is not set"):
        choose_venue(settings, cast(Market, None), ManualClock(NOW))


def test_it_is_opened_once_for_many_threads() -> None:
    """The first call opens it, and every call reaches it."""
    Opened.made = 0
    venue = cast(Venue, DeferredVenue("DEMO", lambda: cast(Venue, Opened())))
    assert Opened.made == 0

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(cast(Any, venue).touch_it, "ABCDEFGH")) == list("ABCDEFGH")
    assert Opened.made == 1


def test_what_could_not_be_opened_is_tried_again() -> None:
    """A key that is stored later works from then on."""
    faults = [Misconfigured("no key yet")]

    def open_it() -> Venue:
        if faults:
            raise faults.pop()
        return cast(Venue, Opened())

    venue = cast(Venue, DeferredVenue("DEMO", open_it))
    with pytest.raises(Misconfigured):
        cast(Any, venue).touch_it("A")
    assert cast(Any, venue).touch_it("A") == "A"
