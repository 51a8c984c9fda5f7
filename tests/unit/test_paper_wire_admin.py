import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.builders.wire import BTC, KEY, NOON_MS, Counter, read
from withearth.domain.errors import Misconfigured
from withearth.paper.admin import Admin
from withearth.paper.faults import FaultKind
from withearth.paper.server import serving
from withearth.paper.wire.request import WireRequest


class Ruled(Counter):
    """A counter with its admin face."""

    def __init__(self) -> None:
        super().__init__()
        self.admin = Admin(self.face, self.clock, self.feed, self.faults)

    def rule(self, method: str, path: str, document: object = None) -> Any:
        """What the admin face answers, with the status beside it."""
        body = "" if document is None else json.dumps(document)
        answer = self.admin.answer(WireRequest(method, f"/admin/{path}", body=body))
        return answer.status, read(answer)


def test_a_price_is_set_and_acted_on() -> None:
    """From the next millisecond on the market trades there, and what rests fills."""
    ruled = Ruled()
    ruled.buy()

    status, _ = ruled.rule("POST", "price", {"symbol": BTC, "price": "59000"})
    ruled.rule("POST", "clock", {"advance_ms": 1})

    assert status == 200
    assert [] == ruled.open_orders()
    assert "59000.0" == read(ruled.get("ticker/price", symbol=BTC))["price"]


def test_a_path_is_walked_in_time() -> None:
    """Points stand so many milliseconds from now."""
    ruled = Ruled()
    ruled.rule("POST", "price", {"symbol": BTC, "path": [[1_000, "66000"], [2_000, "67000.5"]]})

    _, moved = ruled.rule("POST", "clock", {"to": NOON_MS + 1_500})

    assert NOON_MS + 1_500 == moved["now"]
    assert "66000.0" == ruled.rule("GET", "state")[1]["prices"][BTC] + ".0"
    ruled.rule("POST", "clock", {"advance_ms": 500})
    assert "67000.5" == read(ruled.get("premiumIndex", symbol=BTC))["markPrice"].removesuffix("0000000")


def test_faults_are_queued_listed_and_forgotten() -> None:
    """By JSON, one or several at a time."""
    ruled = Ruled()
    ruled.rule("POST", "faults", {"kind": "reset_after", "path": "/order"})
    _, listed = ruled.rule("POST", "faults", {"faults": [{"kind": "banned"}, {"kind": "throttled", "times": 2}]})

    assert ["reset_after", "banned", "throttled"] == [each["kind"] for each in listed["pending"]]
    ruled.buy()
    assert ["reset_after"] == [each["fault"]["kind"] for each in ruled.rule("GET", "faults")[1]["fired"]]
    assert [] == ruled.rule("DELETE", "faults")[1]["pending"]


def test_an_account_is_opened() -> None:
    """With a key of its own and what it paid in."""
    ruled = Ruled()

    assert 200 == ruled.rule("POST", "accounts", {"key": "other", "secret": "x", "deposits": {"USDT": "5.5"}})[0]
    assert ["other"] == [key for key in ruled.rule("GET", "state")[1]["accounts"] if key != KEY]
    assert 400 == ruled.rule("POST", "accounts", {"key": "other", "secret": "x", "deposits": {"USDT": "5.5"}})[0]


def test_the_state_is_taken_and_given_back() -> None:
    """Orders placed since are gone, those from before stand."""
    ruled = Ruled()
    ruled.buy(newClientOrderId="kept")
    _, snapshot = ruled.rule("GET", "snapshot")
    ruled.buy(newClientOrderId="lost")

    assert 200 == ruled.rule("POST", "snapshot", snapshot)[0]
    assert ["kept"] == [row["clientOrderId"] for row in ruled.open_orders()]


@pytest.mark.parametrize(
    ("method", "path", "document", "status"),
    [
        ("GET", "nothing", None, 404),
        ("POST", "price", {"symbol": "NOPE", "price": "1"}, 400),
        ("POST", "price", {"symbol": BTC, "price": "1.23456"}, 400),
        ("POST", "price", {"symbol": BTC, "price": "NaN"}, 400),
        ("POST", "price", {"symbol": BTC, "price": "-1"}, 400),
        ("POST", "price", {"symbol": BTC, "path": [[5, "1"], [5, "2"]]}, 400),
        ("POST", "price", {"price": "1"}, 400),
        ("POST", "price", [1], 400),
        ("POST", "clock", {"advance_ms": -1}, 400),
        ("POST", "clock", {}, 400),
        ("POST", "faults", {"kind": "sabotage"}, 400),
    ],
)
def test_nonsense_is_refused(method: str, path: str, document: object, status: int) -> None:
    """With a sentence, and nothing has changed."""
    ruled = Ruled()
    before = ruled.rule("GET", "state")

    answer = ruled.rule(method, path, document)

    assert status == answer[0]
    assert answer[1]["error"]
    assert before == ruled.rule("GET", "state")


@pytest.fixture
def ruled() -> Ruled:
    """An exchange at noon."""
    return Ruled()


@pytest.fixture
def address(ruled: Ruled) -> Iterator[str]:
    """Where it listens, its admin face included."""
    with serving(ruled.line, 0, admin=ruled.admin) as url:
        yield url


def test_it_answers_over_http(ruled: Ruled, address: str) -> None:
    """With the exchange's status, body and headers; a body is a form, a query is a query."""
    query = ruled.signed("POST", "", symbol=BTC, leverage=3).query
    with requests.Session() as session:
        session.trust_env = False
        session.headers["X-MBX-APIKEY"] = KEY
        asked = session.get(f"{address}/fapi/v1/time")
        posted = session.post(f"{address}/fapi/v1/leverage", data=query)
        denied = session.get(f"{address}/fapi/v1/depth?symbol=NOPE")
        unknown = session.get(f"{address}/fapi/v9/time")

    assert {"serverTime": NOON_MS} == asked.json()
    assert ("application/json", "1") == (asked.headers["Content-Type"], asked.headers["x-mbx-used-weight-1m"])
    assert 3 == posted.json()["leverage"]
    assert (400, -1121) == (denied.status_code, denied.json()["code"])
    assert 404 == unknown.status_code


def test_a_lost_answer_is_lost_on_the_wire(ruled: Ruled, address: str) -> None:
    """The connection closes without a byte, or stays silent until the client gives up; the order stands."""
    with requests.Session() as session:
        session.trust_env = False
        session.headers["X-MBX-APIKEY"] = KEY
        session.post(f"{address}/admin/faults", json={"kind": FaultKind.RESET_AFTER, "path": "/order"})
        with pytest.raises(requests.exceptions.ConnectionError):
            session.post(f"{address}/fapi/v1/order", data=_order(ruled))
        session.post(f"{address}/admin/faults", json={"kind": FaultKind.TIMEOUT_AFTER, "path": "/order"})
        with pytest.raises(requests.exceptions.ReadTimeout):
            session.post(f"{address}/fapi/v1/order", data=_order(ruled), timeout=0.5)

    assert 2 == len(ruled.open_orders())


def _order(ruled: Ruled) -> str:
    sent = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "60000", "timeInForce": "GTC"}
    return ruled.signed("POST", "order", **sent).query


def test_nobody_rules_an_exchange_without_an_admin_face() -> None:
    """Its paths are unknown unless they were asked for."""
    counter = Counter()
    with serving(counter.line, 0) as url, requests.Session() as session:
        session.trust_env = False

        assert 404 == session.get(f"{url}/admin/state").status_code


def test_a_taken_port_is_one_sentence(address: str) -> None:
    """And nothing is left running."""
    port = int(address.rpartition(":")[2])

    with pytest.raises(Misconfigured, match=f"{port} is taken"), serving(Counter().line, port):
        pass
