import json
from typing import Any

import pytest

from withearth.execution.binance_answers import Heard, classify, parsed
from withearth.execution.orders import Accepted, Rejected, Unknown

ID = "BTCUSDT-20260105T0005Z-e0"
FIELD = "clientOrderId"


def heard(status: int | None, payload: Any, *, sent: bool = True) -> Heard:
    """An answer with a JSON body."""
    return Heard(status, json.dumps(payload), sent)


def test_a_good_answer_names_our_order() -> None:
    """Accepted is what repeats our client id, with the exchange's own id."""
    assert Accepted(ID, "42") == classify(ID, heard(200, {FIELD: ID, "orderId": 42}), FIELD)
    assert Accepted(ID, "7") == classify(ID, heard(200, {"clientAlgoId": ID, "algoId": 7}), "clientAlgoId")


@pytest.mark.parametrize(
    "body",
    ["", "<html>Please log in</html>", "{", "[]", "null", "42", json.dumps({}), json.dumps({FIELD: "somebody-else"})],
)
def test_a_200_that_does_not_name_our_order_is_unknown(body: str) -> None:
    """A proxy on the way can answer 200, too: with a page, with half an answer, or with one to another question."""
    assert isinstance(classify(ID, Heard(200, body), FIELD), Unknown)


@pytest.mark.parametrize("code", [-1000, -1001, -1006, -1007])
@pytest.mark.parametrize("status", [400, 408, 500, 502, 503, 504])
def test_what_the_exchange_does_not_know_itself_is_unknown(status: int, code: int) -> None:
    """Internal error, disconnected, unexpected answer and timeout never count as a no, under whatever status."""
    assert isinstance(classify(ID, heard(status, {"code": code, "msg": ""}), FIELD), Unknown)


@pytest.mark.parametrize(
    "answer",
    [
        Heard(None, ""),
        Heard(502, "<html>Bad Gateway</html>"),
        Heard(504, ""),
        Heard(403, "<html>WAF</html>"),
        heard(503, {"code": 0, "msg": "Service Unavailable."}),
        heard(500, {"msg": "no code"}),
        heard(400, {"code": "-2019", "msg": "a code that is text"}),
        heard(451, {"msg": "Service unavailable from a restricted location"}),
    ],
)
def test_an_answer_without_a_meaning_is_unknown(answer: Heard) -> None:
    """No answer, a page instead of one, or a body without a code: nobody knows whether it was executed."""
    assert isinstance(classify(ID, answer, FIELD), Unknown)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, -2019),
        (400, -2021),
        (400, -2022),
        (400, -4116),
        (400, -1021),
        (400, -2011),
        (401, -2015),
        (418, -1003),
        (429, -1015),
        (503, -1008),
    ],
)
def test_a_refusal_is_a_refusal(status: int, code: int) -> None:
    """A code of the exchange is its no: it did not happen. -1008 is the one 503 that says so."""
    assert Rejected(ID, code, "why") == classify(ID, heard(status, {"code": code, "msg": "why"}), FIELD)


@pytest.mark.parametrize("code", [-4046, -4059, -4171, -5027])
def test_what_is_so_already_is_done(code: int) -> None:
    """A change to what is there already counts as made."""
    assert Accepted(ID) == classify(ID, heard(400, {"code": code, "msg": ""}), FIELD)


def test_what_never_left_us_did_not_happen() -> None:
    """A request that could not be sent is the only silence that is a no."""
    assert isinstance(classify(ID, Heard(None, "", sent=False), FIELD), Rejected)


@pytest.mark.parametrize("body", ["", "nonsense", "[1]", '"text"', "NaN"])
def test_only_an_object_is_an_answer(body: str) -> None:
    """Everything but a JSON object is no answer."""
    assert parsed(body) is None
