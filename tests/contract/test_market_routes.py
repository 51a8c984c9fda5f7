"""The two ways to market data: the official SDK, and plain REST that steps in call by call."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.adapters import BaseAdapter

from tests.builders.installation import Installation
from tests.builders.outside import ADDRESS, KLINES, Network, Outside
from tests.fakes.clock import ManualClock
from withearth.bootstrap import choose_market
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe
from withearth.features.indicators import HISTORY_BARS
from withearth.flow.dispatch import dispatch
from withearth.market.binance import BinanceMarket
from withearth.market.routes import Access, Calls, RestRoute, Route
from withearth.market.sdk_route import SdkRoute
from withearth.market.traffic import Traffic
from withearth.paper.transport import PaperTransport
from withearth.settings import load_settings
from withearth.store.port import Query

SYMBOLS = ("BTCUSDT", "ETHUSDT")
AT = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)


class Ways:
    """An exchange, and the two routes to it, each over a network of its own."""

    def __init__(self) -> None:
        self.clock = ManualClock(AT + timedelta(seconds=2))
        self.outside = Outside.with_symbols(SYMBOLS, self.clock)
        face = self.outside.exchange.face
        self.by_sdk, self.by_rest = Network(PaperTransport(face)), Network(PaperTransport(face))
        self.notes: list[str] = []

    def calls(self, sdk: BaseAdapter | None = None, retries: int = 0) -> Calls:
        """SDK first, over its own network or another one."""
        access = Access(ADDRESS, retries=retries, transport=self.by_rest)
        routes: list[Route] = [SdkRoute(Access(ADDRESS, transport=sdk or self.by_sdk)), RestRoute(access)]
        traffic = Traffic("outside", self.clock)
        return Calls(routes, access, self.clock, traffic, self.notes.append)


@pytest.fixture
def ways() -> Ways:
    """An exchange, and the two routes to it."""
    return Ways()


ASKED: list[tuple[str, dict[str, Any]]] = [
    (KLINES, {"symbol": "BTCUSDT", "interval": "1h", "limit": 7, "endTime": 1767614399999}),
    ("/fapi/v1/depth", {"symbol": "BTCUSDT", "limit": 20}),
    ("/fapi/v1/ticker/bookTicker", {}),
    ("/fapi/v1/ticker/bookTicker", {"symbol": "ETHUSDT"}),
    ("/fapi/v1/premiumIndex", {}),
    ("/fapi/v1/premiumIndex", {"symbol": "ETHUSDT"}),
    ("/fapi/v1/exchangeInfo", {}),
    ("/fapi/v1/ticker/24hr", {}),
    ("/fapi/v1/fundingRate", {"symbol": "BTCUSDT", "startTime": 1767571200000, "endTime": 1767614400000, "limit": 9}),
    ("/fapi/v1/time", {}),
]


@pytest.mark.parametrize(("path", "query"), ASKED)
def test_both_routes_ask_the_same_and_are_answered_the_same(ways: Ways, path: str, query: dict[str, Any]) -> None:
    """Every endpoint of ours, byte for byte, headers included."""
    by_sdk = SdkRoute(Access(ADDRESS, transport=ways.by_sdk)).ask(path, query)
    by_rest = RestRoute(Access(ADDRESS, transport=ways.by_rest)).ask(path, query)

    assert by_sdk.status == by_rest.status == 200
    assert by_sdk.body == by_rest.body
    assert "X-MBX-USED-WEIGHT-1M" in by_sdk.headers
    assert ways.by_sdk.asked == ways.by_rest.asked


class Broken(BaseAdapter):
    """A network on which nothing gets through, or everything fails."""

    def __init__(self, status: int | None = None) -> None:
        super().__init__()
        self._status = status

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:  # type: ignore[override]
        """A failure."""
        if self._status is None:
            raise requests.ConnectionError("broken")
        response = requests.Response()
        response.status_code, response._content = self._status, b"<html>"
        response.request, response.url = request, request.url or ""
        return response

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("broken", [Broken(), Broken(503)])
def test_rest_steps_in_where_the_sdk_s_path_is_broken(ways: Ways, broken: Broken) -> None:
    """Call by call, and each time the reason is told."""
    calls = ways.calls(sdk=broken)
    bodies = [calls.get(KLINES, 1, {"symbol": "BTCUSDT", "interval": "5m", "limit": 3}) for _ in range(2)]

    assert bodies[0] == bodies[1]
    assert ways.by_rest.count(KLINES) == 2
    assert len(ways.notes) == 2
    assert all(told.startswith(f"{KLINES} by REST, after SDK: ") for told in ways.notes)


def test_as_long_as_the_sdk_answers_nobody_else_is_asked(ways: Ways) -> None:
    """SDK first means SDK only."""
    ways.calls().get(KLINES, 1, {"symbol": "BTCUSDT", "interval": "5m", "limit": 3})

    assert (ways.by_sdk.count(KLINES), ways.by_rest.count(KLINES), ways.notes) == (1, 0, [])


@pytest.mark.parametrize(
    ("status", "reason"),
    [(429, Reason.EXCHANGE_LIMITED), (418, Reason.EXCHANGE_BANNED), (403, Reason.MARKET_REFUSED)],
)
def test_a_refusal_is_not_asked_for_twice(ways: Ways, status: int, reason: Reason) -> None:
    """Another way would reach the same exchange, from the same address."""
    calls = ways.calls(sdk=Broken(status), retries=3)
    with pytest.raises(MarketFault) as fault:
        calls.get(KLINES, 1, {"symbol": "BTCUSDT", "interval": "5m", "limit": 3})

    assert fault.value.reason is reason
    assert ways.by_rest.asked == []


def test_a_missing_sdk_is_a_reason_like_any_other(ways: Ways, monkeypatch: pytest.MonkeyPatch) -> None:
    """A function that does not ship with it works by REST."""
    monkeypatch.setitem(__import__("sys").modules, "binance_common.configuration", None)
    ways.calls().get(KLINES, 1, {"symbol": "BTCUSDT", "interval": "5m", "limit": 3})

    assert ways.notes == [f"{KLINES} by REST, after SDK: ModuleNotFoundError"]


def test_what_did_not_come_is_asked_again_with_growing_pauses(ways: Ways) -> None:
    """As often as BINANCE_HTTP_RETRIES says, and never less patiently than BINANCE_HTTP_BACKOFF_MS."""
    access = Access(ADDRESS, retries=2, backoff_ms=400, transport=Broken())
    begun = ways.clock.now()
    with pytest.raises(MarketFault) as fault:
        Calls([RestRoute(access)], access, ways.clock, Traffic("outside", ways.clock)).get(KLINES, 1)

    assert fault.value.reason is Reason.MARKET_UNREACHABLE
    assert ways.clock.now() - begun == timedelta(milliseconds=400 + 800)


def test_the_whole_market_works_by_the_sdk(ways: Ways) -> None:
    """The same windows as by REST."""
    market = BinanceMarket(Access(ADDRESS, transport=ways.by_sdk), ways.clock, sdk_first=True)
    windows = market.windows("BTCUSDT", AT, HISTORY_BARS)
    truth = ways.outside.truth.candles("BTCUSDT", Timeframe.H1, AT, HISTORY_BARS)

    assert windows[Timeframe.H1].open_ms.tolist() == truth.open_ms.tolist()
    assert set(market.quotes(SYMBOLS, AT)) == set(SYMBOLS)


@pytest.fixture
def by_rest_only(ways: Ways, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    """An installation that asks by the SDK first, whose path is broken."""

    def send(_self: object, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        if "X-MBX-APIKEY" in request.headers:  # the SDK sends it always, plain REST never
            raise requests.ConnectionError("only the SDK's path is broken")
        return ways.by_rest.send(request, **options)

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)
    values = {"MARKET": "live", "MARKET_CLIENT": "sdk", "BINANCE_FAPI_BASE": ADDRESS, "MIN_VOL_FRAC": "0"}
    return Installation(tmp_path, now=ways.clock.now(), given=values)


def test_the_journal_tells_when_rest_steps_in(ways: Ways, by_rest_only: Installation) -> None:
    """Once a tick for each way it happens, however many calls it happens to."""
    installation = by_rest_only
    for _ in range(2):
        installation.runtime.market.depth("BTCUSDT", AT)

    (told,) = installation.store.query(Query("events"))
    assert told.data["kind"] == "MARKET_FALLBACK"
    assert told.data["text"] == "/fapi/v1/depth by REST, after SDK: NetworkError"
    assert ways.by_rest.count("/fapi/v1/depth") == 2


def test_a_decision_tells_which_calls_rest_made_for_it(by_rest_only: Installation) -> None:
    """Those for its candles, made side by side, for its book, and for its quote, which came with the message."""
    dispatch(by_rest_only.runtime)
    by_rest_only.cloud().deliver()
    first, *_ = by_rest_only.store.query(Query("decisions"))

    paths = ("depth", "exchangeInfo", "klines", "premiumIndex", "ticker/bookTicker", "time")
    assert [f"/fapi/v1/{path} by REST, after SDK: NetworkError" for path in paths] == first.data["fallbacks"]


def test_a_decision_without_a_fallback_tells_of_none(tmp_path: Path) -> None:
    """The list is there, and empty."""
    installation = Installation(tmp_path)
    dispatch(installation.runtime)
    installation.cloud().deliver()
    first, *_ = installation.store.query(Query("decisions"))

    assert first.data["fallbacks"] == []


OLD_TESTNET = "https://testnet.binancefuture.com"


@pytest.mark.parametrize("client", ["rest", "sdk"])
@pytest.mark.parametrize(
    ("changes", "address"),
    [
        ({}, "https://fapi.binance.com"),
        ({"BINANCE_USE_TESTNET": "true"}, "https://demo-fapi.binance.com"),
        ({"BINANCE_FUTURES_TESTNET": "true"}, "https://demo-fapi.binance.com"),
        ({"BINANCE_USE_TESTNET": "true", "BINANCE_FAPI_TESTNET_BASE": OLD_TESTNET}, OLD_TESTNET),
    ],
)
def test_both_clients_go_where_the_settings_say(
    client: str, changes: dict[str, str], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Live, demo, and the old test network as a value; the same for the SDK and for REST."""
    asked: list[str] = []

    def send(_self: object, request: requests.PreparedRequest, **_options: Any) -> requests.Response:
        asked.append(request.url or "")
        raise requests.ConnectionError("no network here")

    monkeypatch.setattr("requests.adapters.HTTPAdapter.send", send)
    settings = load_settings(
        {"MARKET": "live", "MARKET_CLIENT": client, "BINANCE_HTTP_RETRIES": "0", **changes}, env_file=None
    )
    with pytest.raises(MarketFault):
        choose_market(settings, ManualClock(AT)).depth("BTCUSDT", AT)

    assert len(asked) == (2 if client == "sdk" else 1)
    assert all(url.startswith(f"{address}/fapi/v1/depth?") for url in asked)
