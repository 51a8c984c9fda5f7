import hashlib
import hmac
import json

import pytest

from tests.builders.wire import BTC, KEY, NO_LIMITS, SECRET, Counter, read, refusal
from withearth.paper.wire.endpoints import ENDPOINTS
from withearth.paper.wire.request import WireRequest
from withearth.paper.wire.security import Security
from withearth.paper.wire.table import Endpoint


@pytest.mark.parametrize(
    ("path", "sent", "code"),
    [
        ("klines", {"interval": "5m"}, -1102),
        ("klines", {"symbol": "", "interval": "5m"}, -1102),
        ("klines", {"symbol": BTC, "interval": "1s"}, -1120),
        ("klines", {"symbol": BTC, "interval": "7m"}, -1120),
        ("klines", {"symbol": "NOPE", "interval": "5m"}, -1121),
        ("klines", {"symbol": "btcusdt", "interval": "5m"}, -1121),
        ("klines", {"symbol": BTC, "interval": "5m", "limit": "ten"}, -1100),
        ("klines", {"symbol": BTC, "interval": "5m", "limit": 0}, -1130),
        ("klines", {"symbol": BTC, "interval": "5m", "limit": ""}, -1105),
        ("klines", {"symbol": BTC, "interval": "5m", "startTime": 2, "endTime": 1}, -1023),
        ("klines", {"symbol": BTC, "interval": "5m", "colour": "red"}, -1104),
        ("continuousKlines", {"pair": BTC, "contractType": "NEXT_QUARTER", "interval": "5m"}, -1130),
        ("depth", {"symbol": BTC, "limit": 7}, -4021),
    ],
)
def test_a_public_request_is_refused_in_the_exchanges_words(path: str, sent: dict[str, object], code: int) -> None:
    """400 with the code that belongs to what is wrong."""
    assert (400, code) == refusal(Counter().get(path, **sent))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": "NOPE"}, -1121),
        ({"side": "LONG"}, -1117),
        ({"type": "ICEBERG"}, -1116),
        ({"type": "STOP_MARKET"}, -4120),
        ({"type": "TRAILING_STOP_MARKET"}, -4120),
        ({"timeInForce": "DAY"}, -1115),
        ({"positionSide": "UP"}, -4060),
        ({"newOrderRespType": "FULL"}, -1136),
        ({"reduceOnly": "yes"}, -1130),
        ({"quantity": "NaN"}, -1100),
        ({"quantity": "1e-05"}, -1100),
        ({"quantity": "0"}, -4003),
        ({"quantity": "-1"}, -4003),
        ({"quantity": "9" * 21}, -1100),
        ({"quantity": "99999999999"}, -4005),
        ({"quantity": "0.00001"}, -1111),
        ({"price": "60000.123456"}, -1111),
        ({"price": "-1"}, -4001),
        ({"newClientOrderId": "with blank"}, -4015),
        ({"newClientOrderId": "x" * 37}, -4015),
        ({"stopPrice": "1"}, -1106),
        ({"closePosition": "true"}, -1106),
        ({"priceMatch": "BEST"}, -5037),
        ({"selfTradePreventionMode": "NEVER"}, -5039),
        ({"unknown": "1"}, -1104),
    ],
)
def test_an_order_is_refused_in_the_exchanges_words(changes: dict[str, object], code: int) -> None:
    """And nothing is placed."""
    counter = Counter()

    refused = counter.buy(**changes).answer

    assert (400, code) == refusal(refused)
    assert [] == counter.open_orders()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"algoType": "TWAP"}, -1130),
        ({"type": "LIMIT"}, -1116),
        ({"side": "UP"}, -1117),
        ({"workingType": "INDEX"}, -4031),
        ({"triggerPrice": "1e5"}, -1100),
        ({"triggerPrice": "66000"}, -2021),
    ],
)
def test_a_conditional_order_is_refused_in_the_exchanges_words(changes: dict[str, object], code: int) -> None:
    """And none is left behind."""
    counter = Counter()
    stop = {"algoType": "CONDITIONAL", "symbol": BTC, "side": "SELL", "type": "STOP_MARKET", "quantity": "0.01"}

    refused = counter.ask("POST", "algoOrder", **{**stop, "triggerPrice": "60000", **changes})

    assert (400, code) == refusal(refused)
    assert [] == read(counter.ask("GET", "openAlgoOrders"))


def test_a_parameter_sent_twice_is_refused() -> None:
    """-1101, before anything else is looked at."""
    query = f"symbol={BTC}&symbol={BTC}"

    assert (400, -1101) == refusal(Counter().face.answer(WireRequest("GET", "/fapi/v1/ticker/price", query)))


def test_the_query_counts_where_both_parts_have_a_parameter() -> None:
    """As the exchange documents it."""
    counter = Counter()
    query, body = f"symbol={BTC}&leverage=3", f"leverage=4&timestamp={counter.face.now_ms()}"
    signature = hmac.new(SECRET.encode(), (query + body).encode(), hashlib.sha256).hexdigest()

    answer = counter.face.answer(WireRequest("POST", "/fapi/v1/leverage", query, f"{body}&signature={signature}", KEY))

    assert 3 == read(answer)["leverage"]


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_an_unknown_path_is_not_found(method: str) -> None:
    """404, with the path and the method in its message."""
    answer = Counter().face.answer(WireRequest(method, "/fapi/v1/nothing"))

    assert (404, -5000) == refusal(answer)


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda each: f"{each.method} {each.path}")
def test_every_endpoint_misses_its_mandatory_parameters(endpoint: Endpoint) -> None:
    """An empty request gets -1102 for the first of them, or an answer where there is none; never anything else."""
    counter = Counter(limits=NO_LIMITS)
    query = "" if endpoint.security is Security.NONE else counter.signed(endpoint.method, "").query

    answer = counter.face.answer(WireRequest(endpoint.method, endpoint.path, query, api_key=KEY))

    if endpoint.mandatory:
        assert (400, -1102) == refusal(answer)
    else:
        assert answer.status == 200 or read(answer)["code"] in {-1102, -1125}


def test_batches_answer_each_order_on_its_own() -> None:
    """Orders and refusals side by side, in the order they were sent; more than five are none."""
    counter = Counter()
    order = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": 60_000, "reduceOnly": False}
    good = json.dumps({**order, "timeInForce": "GTC"})
    bad = good.replace("LIMIT", "STOP")

    rows = read(counter.ask("POST", "batchOrders", batchOrders=f"[{good},{bad}]"))

    assert ["NEW", -4120] == [rows[0]["status"], rows[1]["code"]]
    assert (400, -4082) == refusal(counter.ask("POST", "batchOrders", batchOrders=f"[{','.join([good] * 6)}]"))
    assert (400, -1130) == refusal(counter.ask("POST", "batchOrders", batchOrders="{}"))
    gone = read(counter.ask("DELETE", "batchOrders", symbol=BTC, orderIdList=f"[{rows[0]['orderId']},1]"))
    assert ["CANCELED", -2011] == [gone[0]["status"], gone[1]["code"]]
