import base64
from urllib.parse import quote

import pytest
from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC, RSA
from Crypto.Signature import eddsa, pkcs1_15

from tests.builders.wire import KEY, SECRET, Counter, refusal, signed_query
from withearth.domain.errors import Misconfigured
from withearth.paper.wire.request import WireRequest
from withearth.paper.wire.security import ApiKey, Gate
from withearth.paper.wire.signatures import split_payload, verifier_of

PATH = "/fapi/v1/accountConfig"


def _request(query: str = "", body: str = "", key: str | None = KEY, method: str = "GET") -> WireRequest:
    return WireRequest(method, PATH, query, body, key)


def test_a_signed_request_reaches_its_account() -> None:
    """The query is signed as it is sent, the signature last."""
    counter = Counter()

    answer = counter.ask("GET", "accountConfig", recvWindow=5000)

    assert answer.status == 200


@pytest.mark.parametrize("query_part", [True, False])
def test_a_body_is_signed_like_a_query(query_part: bool) -> None:
    """Clients put parameters into the body as a form, or partly into both: query and body are signed as one text."""
    counter = Counter()
    whole = signed_query({"symbol": "BTCUSDT", "leverage": 5, "timestamp": counter.face.now_ms()})
    first, _, rest = whole.partition("&leverage")
    halves = (first, f"&leverage{rest}") if query_part else ("", whole)

    answer = counter.face.answer(WireRequest("POST", "/fapi/v1/leverage", *halves, api_key=KEY))

    assert answer.status == 200


def test_what_was_signed_is_what_was_sent() -> None:
    """Percent-encoding belongs to the payload, and the signature is decoded."""
    assert split_payload("a=%E2%82%BF&signature=x%2By%3D", "") == ("a=%E2%82%BF", "x+y=")
    assert split_payload("a=1", "b=2&signature=z") == ("a=1b=2", "z")
    assert split_payload("a=1&signature=z", "b=2") == ("a=1b=2", "z")
    assert split_payload("a=1", "") == ("a=1", None)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda q: q.replace("recvWindow=5000", "recvWindow=5001"), (400, -1022)),
        (lambda q: q[:-1] + ("0" if q[-1] != "0" else "1"), (400, -1022)),
        (lambda q: q.partition("&signature")[0], (400, -1102)),
        (lambda q: f"{q}&later=1", (400, -1022)),
        (lambda q: q.replace("timestamp", "timestemp"), (400, -1102)),
        (lambda q: q.partition("&signature")[0] + "&signature=%E2%82%BF", (400, -1022)),
    ],
)
def test_a_changed_request_is_refused(change: object, expected: tuple[int, int]) -> None:
    """One letter more, less or other than was signed."""
    counter = Counter()
    query = signed_query({"recvWindow": 5000, "timestamp": counter.face.now_ms()})
    assert callable(change)

    answer = counter.face.answer(_request(change(query)))

    assert expected == refusal(answer)


@pytest.mark.parametrize(
    ("key", "expected"),
    [(None, (401, -2014)), ("with blank", (401, -2014)), ("x" * 200, (401, -2014)), ("x" * 64, (401, -2015))],
)
def test_a_key_has_to_be_known(key: str | None, expected: tuple[int, int]) -> None:
    """Without a key that could be one it is -2014, with a foreign one -2015."""
    counter = Counter()
    query = signed_query({"timestamp": counter.face.now_ms()})

    assert expected == refusal(counter.face.answer(_request(query, key=key)))


@pytest.mark.parametrize(
    ("age_ms", "window", "code"),
    [
        (0, {}, None),
        (5000, {}, None),
        (5001, {}, -1021),
        (-999, {}, None),
        (-1000, {}, -1021),
        (30_000, {"recvWindow": 30_000}, None),
        (30_001, {"recvWindow": 30_000}, -1021),
        (1, {"recvWindow": 0}, -1021),
        (0, {"recvWindow": 60_001}, -1130),
    ],
)
def test_a_timestamp_is_held_to_its_window(age_ms: int, window: dict[str, int], code: int | None) -> None:
    """Accepted while timestamp < now + 1000 and now − timestamp ≤ recvWindow."""
    counter = Counter()

    answer = counter.ask("GET", "accountConfig", **window, timestamp=counter.face.now_ms() - age_ms)

    if code is None:
        assert answer.status == 200
    else:
        assert (400, code) == refusal(answer)


def test_a_replayed_request_grows_too_old() -> None:
    """The same signed request is good for as long as its window, on the exchange's clock."""
    counter = Counter()
    request = counter.signed("GET", "accountConfig")
    counter.clock.advance(5_000)
    assert counter.face.answer(request).status == 200

    counter.clock.advance(1)

    assert (400, -1021) == refusal(counter.face.answer(request))


@pytest.mark.parametrize("timestamp", ["now", "-1", "1.5", "9" * 21])
def test_a_timestamp_is_a_whole_number(timestamp: str) -> None:
    """Anything else is refused as what it is."""
    assert (400, -1100) == refusal(Counter().ask("GET", "accountConfig", timestamp=timestamp))


def test_an_exchange_may_be_told_not_to_look_at_the_time() -> None:
    """For clients that live in another time than the exchange."""
    gate = Gate([ApiKey(KEY, SECRET, KEY)], check_time=False)
    counter = Counter()
    counter.face.gate = gate

    assert counter.ask("GET", "accountConfig", timestamp=1).status == 200


def _rsa() -> tuple[str, object]:
    key = RSA.generate(2048)
    return key.public_key().export_key().decode(), lambda text: pkcs1_15.new(key).sign(SHA256.new(text))


def _ed25519() -> tuple[str, object]:
    key = ECC.generate(curve="Ed25519")
    return key.public_key().export_key(format="PEM"), eddsa.new(key, "rfc8032").sign


@pytest.mark.parametrize("kind", [_rsa, _ed25519])
def test_a_public_key_verifies_what_its_private_key_signed(kind: object) -> None:
    """RSA and Ed25519, base64, escaped or not; tampered payloads are refused."""
    assert callable(kind)
    public, sign = kind()
    counter = Counter(keys=[ApiKey(KEY, public, KEY)])
    payload = f"timestamp={counter.face.now_ms()}"
    signature = base64.b64encode(sign(payload.encode())).decode()

    for written in (quote(signature, safe=""), signature):
        assert counter.face.answer(_request(f"{payload}&signature={written}")).status == 200
    tampered = f"recvWindow=1&{payload}&signature={quote(signature, safe='')}"
    assert (400, -1022) == refusal(counter.face.answer(_request(tampered)))
    assert (400, -1022) == refusal(counter.face.answer(_request(f"{payload}&signature=%")))


def test_a_key_that_is_none_is_told_at_once() -> None:
    """A PEM text that is neither an RSA nor an Ed25519 public key."""
    with pytest.raises(Misconfigured, match="neither an RSA nor an Ed25519"):
        verifier_of("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----")


def test_a_public_endpoint_needs_nobody() -> None:
    """Neither key nor signature, and a signature that comes along does no harm."""
    counter = Counter()

    assert counter.get("ping").status == 200
    assert counter.get("time", signature="whatever", timestamp=1).status == 200


def test_a_listen_key_needs_a_key_and_no_signature() -> None:
    """POST gives it, PUT prolongs it for an hour, and without one PUT is -1125."""
    counter = Counter()
    started = counter.face.answer(WireRequest("POST", "/fapi/v1/listenKey", api_key=KEY))
    counter.clock.advance(3_599_999)
    kept = counter.face.answer(WireRequest("PUT", "/fapi/v1/listenKey", api_key=KEY))
    counter.clock.advance(3_600_000)

    assert started.body == kept.body
    assert (400, -1125) == refusal(counter.face.answer(WireRequest("PUT", "/fapi/v1/listenKey", api_key=KEY)))
    assert (401, -2014) == refusal(counter.face.answer(WireRequest("POST", "/fapi/v1/listenKey")))
