"""A clock that stands still until it is told otherwise."""

from datetime import datetime, timedelta
from threading import Lock


class ManualClock:
    """The clock port, moved by hand."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._lock = Lock()

    def now(self) -> datetime:
        """The instant it was last set to."""
        return self._now

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        with self._lock:
            self._now += by

    def set(self, now: datetime) -> None:
        """Jump to an instant."""
        self._now = now

    def sleep(self, time: timedelta) -> None:
        """Let time pass at once."""
        self.advance(time)
