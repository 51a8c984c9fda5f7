"""A venue that takes no reduce-only stop without a position: asked once, remembered, and protected after the fill."""

from dataclasses import replace
from pathlib import Path

from tests.builders.installation import AlwaysLong, Installation
from withearth.domain.errors import Misconfigured
from withearth.execution.paper_venue import ACCOUNT, PaperVenue
from withearth.flow.documents import stop_needs_position_ref
from withearth.flow.execute import execute
from withearth.flow.trader import decision_now
from withearth.messaging.events import TradeIntent
from withearth.store.port import Document


def refusing(installation: Installation) -> PaperVenue:
    """Its exchange, from now on without bare stops."""
    venue = installation.runtime.venue
    if not isinstance(venue, PaperVenue):
        raise Misconfigured("the test needs the paper exchange")
    books = venue.exchange._venue
    books.switches = replace(books.switches, reduce_only_without_position=False)
    return venue


def entered(installation: Installation, symbol: str) -> Document:
    """The execution of an intent of the newest tick."""
    intent = decision_now(replace(installation.runtime, predictor=AlwaysLong()), symbol)["intent"]
    return dict(execute(installation.runtime, TradeIntent.model_validate(intent))["execution"])


def test_the_refusal_is_remembered(tmp_path: Path) -> None:
    """The first trade learns it and is protected after its fill; the second does not ask again."""
    installation = Installation(tmp_path, EXECUTE_TRADES="true", MIN_VOL_FRAC="0", ENTRY_MODE="MARKET")
    venue = refusing(installation)

    first, second = entered(installation, "BTCUSDT"), entered(installation, "ETHUSDT")

    assert installation.store.get(stop_needs_position_ref()) is not None
    assert ["REJECTED", "LIVE"] == [first["sent"][f"BTCUSDT-20260105T0005Z-s{each}"]["outcome"] for each in (0, 1)]
    assert {"e0": "OVER", "s0": "LIVE", "t0": "LIVE"} == {
        key[-2:]: each["outcome"] for key, each in second["sent"].items()
    }
    assert ("HOLDING", "HOLDING") == (first["phase"], second["phase"])
    stops = venue.exchange.open_algo_orders(venue.exchange.account(ACCOUNT))
    assert {"BTCUSDT", "ETHUSDT"} == {each.symbol for each in stops}
