from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

import pytest

from tests.builders.wire import BTC, NOON_MS, Counter, read
from withearth.domain.times import from_ms, to_ms
from withearth.market.synthetic import SyntheticMarket
from withearth.paper.assembly import PaperAccount, assemble_exchange, invented_listing
from withearth.paper.clocks import SteeredClock
from withearth.paper.wire.bars import INTERVALS
from withearth.paper.wire.request import WireRequest

START = datetime(2026, 3, 4, 10, 17, 33, tzinfo=UTC)
FIRST = START - timedelta(days=120)


@pytest.fixture(scope="module")
def market() -> SyntheticMarket:
    """Four months of one symbol."""
    return SyntheticMarket(7, [BTC], start=START, spread_bps=Decimal(1))


def _klines(market: SyntheticMarket, **sent: object) -> Any:
    clock = SteeredClock(_Still())
    assembled = assemble_exchange(market, invented_listing(market, [BTC]), clock, [PaperAccount("k", "s", Decimal(1))])
    query = "&".join(f"{name}={value}" for name, value in {"symbol": BTC, **sent}.items())
    return read(assembled.face.answer(WireRequest("GET", "/fapi/v1/klines", query)))


class _Still:
    def now(self) -> datetime:
        return START


@pytest.mark.parametrize("interval", INTERVALS)
def test_every_interval_ends_with_the_forming_bar(market: SyntheticMarket, interval: str) -> None:
    """Bars stand on the interval's grid without a gap, and only the last one is still open."""
    rows = _klines(market, interval=interval, limit=3)

    assert 3 == len(rows)
    assert rows[-1][0] <= to_ms(START) <= rows[-1][6]
    for before, after in pairwise(rows):
        assert before[6] + 1 == after[0]
    for _, opened, high, low, close, *_ in rows:
        assert Decimal(low) <= min(Decimal(opened), Decimal(close))
        assert Decimal(high) >= max(Decimal(opened), Decimal(close))


@pytest.mark.parametrize(
    ("interval", "opens"),
    [
        ("5m", "2026-03-04T10:15"),
        ("4h", "2026-03-04T08:00"),
        ("1d", "2026-03-04T00:00"),
        ("1w", "2026-03-02T00:00"),
        ("1M", "2026-03-01T00:00"),
    ],
)
def test_bars_begin_where_the_exchange_begins_them(market: SyntheticMarket, interval: str, opens: str) -> None:
    """Weeks on Mondays, months on their first day."""
    (row,) = _klines(market, interval=interval, limit=1)

    assert to_ms(datetime.fromisoformat(f"{opens}+00:00")) == row[0]


@pytest.mark.parametrize(("interval", "inside", "count"), [("15m", "5m", 3), ("1w", "1d", 7), ("8h", "1h", 8)])
def test_a_longer_bar_is_its_shorter_ones(market: SyntheticMarket, interval: str, inside: str, count: int) -> None:
    """Open of the first, close of the last, the extremes and the volume of all."""
    bar = _klines(market, interval=interval, limit=2)[0]
    parts = _klines(market, interval=inside, startTime=bar[0], endTime=bar[6])

    assert count == len(parts)
    assert (parts[0][1], parts[-1][4]) == (bar[1], bar[4])
    assert max(Decimal(part[2]) for part in parts) == Decimal(bar[2])
    assert min(Decimal(part[3]) for part in parts) == Decimal(bar[3])
    assert abs(sum(Decimal(part[5]) for part in parts) - Decimal(bar[5])) < Decimal("0.01")


def test_the_forming_bar_is_made_of_what_has_been(market: SyntheticMarket) -> None:
    """The day so far has the open of its first hour, the extremes of all, and the last price as its close."""
    (today,) = _klines(market, interval="1d", limit=1)
    hours = _klines(market, interval="1h", startTime=today[0])

    assert (hours[0][1], hours[-1][4]) == (today[1], today[4])
    assert max(Decimal(hour[2]) for hour in hours) == Decimal(today[2])


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"startTime": "S", "limit": 2}, ["10:00", "10:05"]),
        ({"endTime": "S", "limit": 2}, ["09:55", "10:00"]),
        ({"startTime": "S", "endTime": "E"}, ["10:00", "10:05", "10:10"]),
        ({"startTime": "S1"}, ["10:05", "10:10", "10:15"]),
        ({"startTime": "F"}, []),
    ],
)
def test_a_window_is_what_was_asked_for(market: SyntheticMarket, sent: dict[str, object], expected: list[str]) -> None:
    """From `startTime` the first bars, without it the newest, never one that has not begun."""
    at = to_ms(START.replace(minute=0, second=0))
    instants = {"S": at, "S1": at + 1, "E": at + 600_000, "F": at + 86_400_000}
    rows = _klines(market, interval="5m", **{name: instants.get(str(value), value) for name, value in sent.items()})

    assert expected == [from_ms(row[0]).strftime("%H:%M") for row in rows]


def test_history_begins_where_it_begins(market: SyntheticMarket) -> None:
    """What was before is absent, and the first bar is whole."""
    days, weeks = (_klines(market, interval=interval, limit=1500) for interval in ("1d", "1w"))

    assert to_ms(FIRST.replace(hour=0, minute=0, second=0)) == days[0][0]
    assert 121 == len(days)
    assert (days[0][1], 18) == (weeks[0][1], len(weeks))


def test_bars_follow_a_price_that_was_set() -> None:
    """Closed and forming bars are those of the path, as orders met it."""
    counter = Counter()
    counter.feed.steer(BTC, [(NOON_MS + 60_000, Decimal(70_000)), (NOON_MS + 120_000, Decimal(64_000))])
    counter.clock.advance(360_000)

    closed, forming = read(counter.get("klines", symbol=BTC, interval="5m", limit=2))

    assert ["65000.0", "70000.0", "64000.0", "64000.0"] == closed[1:5]
    assert ["64000.0"] * 4 == forming[1:5]
    assert "64000.0" == read(counter.get("ticker/price", symbol=BTC))["price"]
