"""Upgrade and rollback with an open position: an older version leaves alone what a newer one has written."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders.trading import MINUTE, Trading, World, a_long
from tests.builders.trading_stories import assert_booked, assert_over, filled, is_set
from withearth.domain.errors import Contention
from withearth.execution.record import SCHEMA, execution_from, refuse_newer
from withearth.flow.documents import CLAIM_LEASE, book_ref, intent_ref
from withearth.flow.limits import kept
from withearth.store.port import Replace, Stored


def recorded(trading: Trading) -> Stored:
    """The intent's document."""
    stored = trading.store.get(intent_ref(a_long().intent_id))
    assert stored is not None
    return stored


def rewrite(trading: Trading, **changes: Any) -> None:
    """Change the record as another version would have written it."""
    stored = recorded(trading)
    execution = dict(stored.data["execution"]) | changes
    trading.store.commit([Replace(stored.ref, dict(stored.data) | {"execution": execution})])


def test_a_record_says_its_schema_and_an_older_one_is_read() -> None:
    """What was written before there was a schema is schema 1."""
    refuse_newer({"schema": SCHEMA})
    refuse_newer({})
    with pytest.raises(Contention, match=f"in schema {SCHEMA + 1}, this version knows {SCHEMA}"):
        execution_from({"schema": SCHEMA + 1, "phase": "UNHEARD_OF"})


def test_an_older_version_touches_nothing_that_a_newer_one_holds(tmp_path: Path) -> None:
    """Rolled back too early: no order is sent or taken away, the stop stands, nothing is acknowledged or lost."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(a_long())
        assert is_set(world)
        before = (set(world.account.orders), set(world.account.algos), world.guards())
        rewrite(trading, schema=SCHEMA + 1, phase="UNHEARD_OF")
        written = recorded(trading).version
        world.sleep(CLAIM_LEASE + MINUTE)

        assert not trading.deliver(a_long())
        assert not trading.reconcile()
        assert (set(world.account.orders), set(world.account.algos), world.guards()) == before
        assert recorded(trading).version == written
        assert not world.uncovered()


def test_the_newer_version_goes_on_where_it_was(tmp_path: Path) -> None:
    """Deployed again, it brings the trade to its end, booked to the last digit."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(a_long())
        held = recorded(trading).data["execution"]
        rewrite(trading, schema=SCHEMA + 1)
        world.sleep(CLAIM_LEASE + MINUTE)
        trading.reconcile()
        rewrite(trading, schema=held["schema"])
        trading.see_through(a_long(), minutes=90)

        assert_over(world, trading)
        assert_booked(world, trading, a_long())


def test_the_lease_of_a_replaced_executor_is_waited_for(tmp_path: Path) -> None:
    """The instance of before may still be at work: the new one begins when its lease is over, and not before."""
    world = World(*filled(None))
    with Trading(tmp_path, world) as trading:
        trading.deliver(a_long())
        stored = recorded(trading)
        held = dict(stored.data) | {"lease_until": world.now() + CLAIM_LEASE}
        trading.store.commit([Replace(stored.ref, held)])
        calls = len(world.account.orders)

        assert not trading.deliver(a_long())
        assert len(world.account.orders) == calls
        world.sleep(CLAIM_LEASE + timedelta(seconds=1))
        assert trading.deliver(a_long())


def test_a_newer_book_of_limits_stops_entries(tmp_path: Path) -> None:
    """It cannot be read by halves: nothing is entered until the newer version is back."""
    with Trading(tmp_path, World()) as trading:
        mode = trading.runtime.mode
        newer = trading.book().to_document() | {"version": 2, "spare": []}
        trading.store.commit([Replace(book_ref(mode), newer)])
        found = kept(mode, trading.store.get(book_ref(mode)))
        assert found.book is None

        trading.deliver(a_long())
        assert recorded(trading).data["blocked_by"] == "LIMITS_UNREADABLE"
