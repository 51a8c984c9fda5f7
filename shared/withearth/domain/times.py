"""Time as this system counts it: UTC instants, timeframes, and the tick a decision belongs to."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

TICK: Final = timedelta(minutes=5)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK_ID_FORMAT: Final = "%Y%m%dT%H%MZ"


class Timeframe(StrEnum):
    """A candle interval in the exchange's own spelling. Bars open on multiples of it since 1970 UTC."""

    M5 = "5m"
    H1 = "1h"
    H4 = "4h"
    D1 = "1d"

    @property
    def ms(self) -> int:
        """Length of one bar in milliseconds."""
        return _TIMEFRAME_MS[self]

    def last_close(self, at: datetime) -> datetime:
        """The close time of the newest bar that is closed at `at`."""
        return at - (at - _EPOCH) % timedelta(milliseconds=self.ms)


_TIMEFRAME_MS: Final = {
    Timeframe.M5: 300_000,
    Timeframe.H1: 3_600_000,
    Timeframe.H4: 14_400_000,
    Timeframe.D1: 86_400_000,
}


def to_ms(at: datetime) -> int:
    """Milliseconds since 1970 of an aware instant, as the exchange counts them."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def from_ms(ms: int) -> datetime:
    """The UTC instant `ms` milliseconds after 1970."""
    return _EPOCH + timedelta(milliseconds=int(ms))


def floor_to_tick(at: datetime) -> datetime:
    """The close time of the newest 5m bar that is closed at `at`."""
    return Timeframe.M5.last_close(at)


def tick_id(at: datetime) -> str:
    """The id of the tick whose bar closes at `at`, such as `20240101T0005Z`.

    Raises ValueError when `at` is not the close time of a 5m bar.
    """
    if floor_to_tick(at) != at:
        message = f"a tick closes on a multiple of five minutes, was {at.isoformat()}"
        raise ValueError(message)
    return at.astimezone(UTC).strftime(_TICK_ID_FORMAT)


def tick_time(tick: str) -> datetime:
    """The close time of a tick's bar. Raises ValueError when `tick` is not a tick id."""
    at = datetime.strptime(tick, _TICK_ID_FORMAT).replace(tzinfo=UTC)
    if tick_id(at) != tick:
        message = f"not a tick id: {tick}"
        raise ValueError(message)
    return at


def decision_id(symbol: str, tick: str) -> str:
    """The id of the one decision a symbol gets at a tick. At most 32 characters for the exchange's longest symbol."""
    return f"{symbol}-{tick}"
