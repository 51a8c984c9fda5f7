"""Dispatch on the live market: a tick that costs more than a minute allows goes out in portions."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.builders.installation import Installation
from withearth.deployment import SIZES
from withearth.flow.dispatch import TO_DECIDE, dispatch
from withearth.market.port import MarketOrigin
from withearth.market.traffic import Limits, Traffic
from withearth.messaging.events import MarketTick, decode
from withearth.messaging.port import Message

MIDNIGHT = datetime(2026, 1, 6, tzinfo=UTC)
SYMBOLS = ",".join(f"C{number:03}USDT" for number in range(8))


class Silent:
    """A market of which nobody has quotes: what a tick costs does not depend on them."""

    origin = MarketOrigin.LIVE

    def quotes(self, _symbols: object, _as_of: datetime) -> dict[str, object]:
        """None."""
        return {}


class Outbox:
    """A publisher that remembers what was published when."""

    def __init__(self, runtime_clock: object) -> None:
        self._clock = runtime_clock
        self.portions: list[tuple[datetime, list[str]]] = []

    def publish(self, _topic: str, messages: list[Message]) -> None:
        """Remember."""
        symbols = [decode(MarketTick, each.data).symbol for each in messages]
        self.portions.append((self._clock.now(), symbols))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("at", "weight_1m", "sizes"),
    [
        (MIDNIGHT + timedelta(minutes=5), 2400, [8]),
        (MIDNIGHT, 2400, [8]),
        (MIDNIGHT, 32, [5, 3]),
        (MIDNIGHT + timedelta(minutes=5), 8, [3, 5]),
        (MIDNIGHT, 12, [1, 7]),
        (MIDNIGHT, 1, [8]),
    ],
)
def test_no_minute_gets_more_than_it_allows(tmp_path: Path, at: datetime, weight_1m: int, sizes: list[int]) -> None:
    """Portions a minute apart, each as large as the open share; what would come too late goes with the last in time."""
    installation = Installation(tmp_path, now=at + timedelta(seconds=1), SYMBOLS=SYMBOLS)
    outbox = Outbox(installation.clock)
    traffic = Traffic("outside", installation.clock, reserved_pct=25)
    traffic.limits = Limits(weight_1m=weight_1m)
    runtime = replace(installation.runtime, market=Silent(), traffic=traffic, publisher=outbox)  # type: ignore[arg-type]
    document = dispatch(runtime)

    assert sizes == [len(symbols) for _, symbols in outbox.portions]
    assert [symbol for _, symbols in outbox.portions for symbol in symbols] == document["symbols"]
    minutes = [instant.minute for instant, _ in outbox.portions]
    assert len(set(minutes)) == len(minutes)
    assert all(instant < at + timedelta(seconds=120) for instant, _ in outbox.portions)


def test_while_the_exchange_stops_us_everybody_is_told_at_once(tmp_path: Path) -> None:
    """Waiting would not help, and each decision says why it is none."""
    installation = Installation(tmp_path, now=MIDNIGHT + timedelta(seconds=1), SYMBOLS=SYMBOLS)
    outbox = Outbox(installation.clock)
    traffic = Traffic("outside", installation.clock)
    traffic.heard(429, {"Retry-After": "50"})
    dispatch(replace(installation.runtime, market=Silent(), traffic=traffic, publisher=outbox))  # type: ignore[arg-type]

    assert [len(symbols) for _, symbols in outbox.portions] == [8]
    assert installation.clock.now() == MIDNIGHT + timedelta(seconds=1)


def test_the_last_portion_goes_out_before_the_function_is_ended(tmp_path: Path) -> None:
    """Whoever waits for a minute with weight is not killed while it waits, or while it publishes."""
    latest = timedelta(seconds=Installation(tmp_path).runtime.settings.max_tick_age_sec) - TO_DECIDE

    assert latest < timedelta(seconds=SIZES["dispatcher"].timeout_s) - timedelta(seconds=20)
