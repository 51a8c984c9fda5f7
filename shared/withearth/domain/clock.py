"""The clock ports: the only way this system learns what time it is, and waits."""

from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """A source of the present instant."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...


class Timer(Clock, Protocol):
    """A clock that can be waited on."""

    def sleep(self, time: timedelta) -> None:
        """Return once this much of the clock's own time has passed."""
        ...
