"""Clocks of one machine: the wall's, a virtual one that is set, and one that runs faster than the wall."""

import threading
import time as wall
from datetime import UTC, datetime, timedelta


class WallClock:
    """The machine's own clock. The only place in this project that reads it."""

    def now(self) -> datetime:
        """The present instant in UTC."""
        return datetime.now(UTC)  # noqa: TID251 - this is the clock everybody else reads

    def sleep(self, time: timedelta) -> None:
        """Wait."""
        wall.sleep(time.total_seconds())


class VirtualClock:
    """Stands still until it is set. Only ever moves forward."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The instant it was last set to."""
        return self._now

    def set(self, now: datetime) -> None:
        """Move to `now`. Raises ValueError when that lies in the past."""
        with self._lock:
            if now < self._now:
                raise ValueError(f"a clock does not go back, was {self._now.isoformat()}, asked {now.isoformat()}")
            self._now = now

    def sleep(self, time: timedelta) -> None:
        """Let this much time pass at once."""
        self.set(self._now + time)


class FastClock:
    """Starts at a chosen instant and runs `speed` times as fast as the wall."""

    def __init__(self, start: datetime, speed: float) -> None:
        self._start = start
        self._speed = speed
        self._wall = WallClock()
        self._started = self._wall.now()

    def now(self) -> datetime:
        """The present instant of the faster time."""
        return self._start + timedelta(seconds=(self._wall.now() - self._started).total_seconds() * self._speed)

    def sleep(self, time: timedelta) -> None:
        """Wait for the shorter time that this is on the wall."""
        wall.sleep(time.total_seconds() / self._speed)
