"""The exchange's clock when somebody may move it: any other clock, and a jump forward that grows."""

from datetime import datetime, timedelta

from withearth.domain.clock import Clock


class SteeredClock:
    """Runs as `inner` does, and can be moved forward. Over a clock that stands still, only `advance` moves it."""

    def __init__(self, inner: Clock) -> None:
        self._inner = inner
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The present instant of the steered time."""
        return self._inner.now() + self._ahead

    def advance(self, ms: int) -> None:
        """Move forward. Raises ValueError for a move back."""
        if ms < 0:
            raise ValueError(f"a clock does not go back, was asked for {ms} ms")
        self._ahead += timedelta(milliseconds=ms)
