import pytest

from tests.builders.wire import BTC, NOON_MS, Counter, read, refusal
from withearth.paper.wire.limits import Limits
from withearth.paper.wire.request import WireRequest

TIGHT = Limits(weight_1m=10, orders_1m=4, orders_10s=2, funding_5m=2)


def _spend(counter: Counter, times: int) -> list[int]:
    return [counter.get("ping").status for _ in range(times)]


def test_weight_is_counted_and_told() -> None:
    """Every answer says what the minute has cost so far, refusals included."""
    counter = Counter()

    answers = [counter.get("time"), counter.get("depth", symbol=BTC, limit=20), counter.get("depth", symbol="NOPE")]

    assert ["1", "3", "13"] == [answer.headers["X-MBX-USED-WEIGHT-1M"] for answer in answers]


@pytest.mark.parametrize(
    ("path", "sent", "weight"),
    [
        ("klines", {"symbol": BTC, "interval": "5m", "limit": 99}, 1),
        ("klines", {"symbol": BTC, "interval": "5m", "limit": 100}, 2),
        ("klines", {"symbol": BTC, "interval": "5m"}, 5),
        ("klines", {"symbol": BTC, "interval": "5m", "limit": 1001}, 10),
        ("depth", {"symbol": BTC, "limit": 100}, 5),
        ("depth", {"symbol": BTC, "limit": 1000}, 20),
        ("premiumIndex", {}, 10),
        ("ticker/24hr", {}, 40),
        ("ticker/24hr", {"symbol": BTC}, 1),
    ],
)
def test_a_request_costs_what_the_exchange_charges(path: str, sent: dict[str, object], weight: int) -> None:
    """By limit, and by one symbol or all."""
    assert str(weight) == Counter().get(path, **sent).headers["X-MBX-USED-WEIGHT-1M"]


def test_above_the_limit_comes_429_until_the_minute_ends() -> None:
    """With the seconds that are left in Retry-After."""
    counter = Counter(limits=TIGHT)
    counter.clock.advance(15_000)
    assert [200] * 10 == _spend(counter, 10)

    refused = counter.get("ping")

    assert (429, -1003) == refusal(refused)
    assert "45" == refused.headers["Retry-After"]
    assert "current limit is 10 requests per minute" in read(refused)["msg"]
    counter.clock.advance(45_000)
    assert [200] == _spend(counter, 1)


def test_who_goes_on_is_banned_and_longer_each_time() -> None:
    """418 after the tenth refusal of a minute; two minutes first, then twice as long."""
    counter = Counter(limits=TIGHT)

    assert [200] * 10 + [429] * 9 + [418] == _spend(counter, 20)

    banned = counter.get("ping")
    assert (418, -1003) == refusal(banned)
    assert "120" == banned.headers["Retry-After"]
    assert str(NOON_MS + 120_000) in read(banned)["msg"]
    counter.clock.advance(120_000)
    assert [200] * 10 + [429] * 9 + [418] == _spend(counter, 20)
    assert "240" == counter.get("ping").headers["Retry-After"]


def test_addresses_are_counted_apart() -> None:
    """Who shares an address shares the limit, and nobody else."""
    counter = Counter(limits=TIGHT)
    _spend(counter, 11)

    other = counter.face.answer(WireRequest("GET", "/fapi/v1/ping", address="10.0.0.2"))

    assert other.status == 200


def test_orders_are_counted_by_account_in_two_windows() -> None:
    """-1015 under 429, with Retry-After; other signed requests go on."""
    counter = Counter(limits=Limits(orders_10s=2, orders_1m=3))
    first, second = (counter.buy().answer for _ in range(2))
    assert first is not None
    assert second is not None
    assert ("2", "2") == (second.headers["X-MBX-ORDER-COUNT-10S"], second.headers["X-MBX-ORDER-COUNT-1M"])

    refused = counter.buy().answer
    assert (429, -1015) == refusal(refused)
    assert "300" not in read(refused)["msg"]
    assert "2 orders per 10 SECOND" in read(refused)["msg"]
    assert refused is not None
    assert "10" == refused.headers["Retry-After"]
    assert 2 == len(counter.open_orders())
    counter.clock.advance(10_000)
    assert read(counter.buy().answer)["status"] == "NEW"
    assert "3 orders per 1 MINUTE" in read(counter.buy().answer)["msg"]


def test_funding_has_a_pool_of_its_own() -> None:
    """Rates and terms of funding weigh nothing, and share 500 requests in five minutes."""
    counter = Counter(limits=TIGHT)
    assert counter.get("fundingRate", symbol=BTC).status == counter.get("fundingInfo").status == 200

    refused = counter.get("fundingInfo")

    assert (429, -1003) == refusal(refused)
    assert "0" == refused.headers.get("X-MBX-USED-WEIGHT-1M")
    counter.clock.advance(300_000)
    assert counter.get("fundingInfo").status == 200


def test_the_limits_are_announced() -> None:
    """In exchangeInfo and rateLimit/order, with the numbers that hold."""
    counter = Counter(limits=TIGHT)

    announced = {
        (row["rateLimitType"], row["interval"]): row["limit"] for row in read(counter.get("exchangeInfo"))["rateLimits"]
    }

    assert {("REQUEST_WEIGHT", "MINUTE"): 10, ("ORDERS", "MINUTE"): 4, ("ORDERS", "SECOND"): 2} == announced
    assert [2, 4] == [row["limit"] for row in read(counter.ask("GET", "rateLimit/order"))]
