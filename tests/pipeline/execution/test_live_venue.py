"""VENUE=live and VENUE=demo with their guards; the paper exchange stands in for Binance behind both addresses."""

from pathlib import Path
from typing import Any, Final

import pytest
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from tests.builders.installation import settings_of
from tests.builders.trading import KEY, Trading, World, live_settings
from tests.builders.trading_stories import BEYOND_TARGET, an_intent, assert_booked, assert_over, filled
from withearth.domain.errors import Misconfigured
from withearth.execution.binance import BinanceVenue, open_binance_venue
from withearth.execution.lineage import Leg
from withearth.flow.documents import control_request_ref, intent_ref, trading_ref, view_ref
from withearth.flow.trading_state import AT_FIRST, Standing, TradingState, set_state, standing
from withearth.paper.faults import Fault, FaultKind
from withearth.paper.transport import PaperTransport
from withearth.settings import Settings
from withearth.store.port import Replace

LIVE: Final = live_settings(KEY)
DEMO: Final = LIVE | {"VENUE": "demo", "BINANCE_KEY_ENVIRONMENT": "demo"}


class Overheard(BaseAdapter):
    """The way to the exchange, and every address that was asked on it."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._way = PaperTransport(world.face, faults=world.faults)
        self.asked: list[str] = []

    def send(self, request: PreparedRequest, *_: Any, **options: Any) -> Response:
        """Pass it on."""
        self.asked.append(str(request.url))
        return self._way.send(request, **options)

    def close(self) -> None:
        """Nothing to close."""


def opened(settings: Settings, world: World) -> tuple[BinanceVenue, list[str]]:
    """The venue that the settings name, and every address it has asked."""
    line = Overheard(world)
    return open_binance_venue(settings, world, line), line.asked


@pytest.mark.parametrize(
    ("given", "address"), [(LIVE, "https://fapi.binance.com/"), (DEMO, "https://demo-fapi.binance.com/")]
)
def test_each_venue_has_its_own_address_and_name(tmp_path: Path, given: dict[str, str], address: str) -> None:
    """Every request goes to the address of the venue, and what comes of it bears its name."""
    venue, asked = opened(settings_of(tmp_path, **given), World())

    assert given["VENUE"].upper() == venue.kind
    assert asked
    assert all(url.startswith(address) for url in asked)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"BINANCE_KEY_ENVIRONMENT": "demo"}, "BINANCE_KEY_ENVIRONMENT is demo, and VENUE is live: "),
        ({"VENUE": "demo"}, "BINANCE_KEY_ENVIRONMENT is live, and VENUE is demo: "),
        (
            {"BINANCE_FAPI_BASE": "https://demo-fapi.binance.com"},
            "BINANCE_FAPI_BASE is https://demo-fapi.binance.com, and VENUE is live: ",
        ),
        (
            {"BINANCE_FAPI_BASE": "https://relay.example"},
            "BINANCE_FAPI_BASE is https://relay.example, and VENUE is live",
        ),
        (
            {
                "VENUE": "demo",
                "BINANCE_KEY_ENVIRONMENT": "demo",
                "BINANCE_FAPI_TESTNET_BASE": "https://fapi.binance.com",
            },
            "BINANCE_FAPI_TESTNET_BASE is https://fapi.binance.com, and VENUE is demo: ",
        ),
    ],
)
def test_nothing_is_asked_where_settings_disagree(tmp_path: Path, changed: dict[str, str], told: str) -> None:
    """Keys of one environment and the address of another: a sentence, before a single request goes out."""
    line = Overheard(World())
    with pytest.raises(Misconfigured) as refused:
        open_binance_venue(settings_of(tmp_path, **LIVE | changed), World(), line)

    assert str(refused.value).startswith(told)
    assert [] == line.asked


@pytest.mark.parametrize(
    ("given", "code"), [({"BINANCE_API_KEY": "other"}, -2015), ({"BINANCE_API_SECRET": "other"}, -1022)]
)
@pytest.mark.parametrize("venue", [LIVE, DEMO], ids=["live", "demo"])
def test_a_key_of_another_exchange_is_refused_with_a_sentence(
    tmp_path: Path, venue: dict[str, str], given: dict[str, str], code: int
) -> None:
    """The first signed call tells: the process does not start, and says which key is meant and what would help."""
    with pytest.raises(Misconfigured) as refused:
        opened(settings_of(tmp_path, **venue | given), World())

    told = str(refused.value)
    assert told.startswith(f"Binance's {venue['VENUE'].upper()} exchange refuses the key with {code}: ")
    assert "other" not in told.split()


def test_an_exchange_that_does_not_answer_is_no_wrong_key(tmp_path: Path) -> None:
    """What may be better in a minute is not told as a mistake of the owner."""
    world = World()
    world.faults.add(Fault(kind=FaultKind.UNAVAILABLE, method="GET", path="/accountConfig"))
    with pytest.raises(Exception, match="did not answer the first signed call"):
        opened(settings_of(tmp_path, **LIVE), world)


def live(directory: Path, world: World) -> Trading:
    """An installation that trades real money, as far as it knows."""
    world.kind = "LIVE"
    return Trading(directory, world)


def test_real_money_begins_halted_until_a_person_resumes(tmp_path: Path) -> None:
    """Even where trading was ACTIVE on another venue before: no entry before the owner has looked at it on live."""
    world = World(*filled(BEYOND_TARGET))
    with live(tmp_path, world) as trading:
        set_state(trading.store, Standing(TradingState.ACTIVE, "me", "the demo goes well"), world.now())
        trading.deliver(an_intent())
        refused = trading.store.get(intent_ref(an_intent().intent_id))
        trading.reconcile()
        found = standing(trading.store.get(trading_ref()))

        assert refused is not None
        assert "TRADING_HALTED" == refused.data["blocked_by"]
        assert (TradingState.HALTED, AT_FIRST) == (found.state, found.why)
        assert world.is_untouched()
        view = trading.store.get(view_ref("limits"))
        assert view is not None
        assert AT_FIRST == view.data["trading"]["why"]


def test_real_money_is_not_resumed_before_it_has_begun(tmp_path: Path) -> None:
    """A resume that stands when the first pass comes is refused, and told; the one after it is obeyed."""
    with live(tmp_path, World()) as trading:
        request = {"id": "r-1", "action": "resume", "word": None, "why": "go", "who": "me", "at": trading.world.now()}
        for id_ in ("r-1", "r-2"):
            trading.store.commit([Replace(control_request_ref(), request | {"id": id_})])
            trading.reconcile()
        view = trading.store.get(view_ref("control"))
        found = standing(trading.store.get(trading_ref()))

        assert view is not None
        told = {each["id"]: (each["outcome"], each["code"], each["state"]) for each in view.data["answers"]}
        assert {"r-1": ("REFUSED", "CONTROL_NOT_BEGUN", "HALTED"), "r-2": ("OBEYED", None, "ACTIVE")} == told
        assert (TradingState.ACTIVE, "go") == (found.state, found.why)


def test_real_money_is_traded_once_resumed(tmp_path: Path) -> None:
    """Resumed by hand, one story to its end: protected, closed, booked, and named LIVE everywhere."""
    world = World(*filled(BEYOND_TARGET))
    with live(tmp_path, world) as trading:
        trading.reconcile()
        set_state(trading.store, Standing(TradingState.ACTIVE, "me", "looked at it"), world.now())
        trading.see_through(an_intent())

        assert_over(world, trading)
        assert_booked(world, trading, an_intent())
        assert 1 == len(world.orders(Leg.ENTRY))
        assert "LIVE" == trading.trade(an_intent())["mode"]
        assert {"LIVE"} == {view.data["mode"] for view in [trading.store.get(view_ref("overview"))] if view}
        trading.reconcile()
        assert TradingState.ACTIVE == standing(trading.store.get(trading_ref())).state
