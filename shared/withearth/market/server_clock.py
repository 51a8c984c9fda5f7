"""How far the exchange's clock is from ours, measured by its own answers.

An answer was made somewhere between its request and its arrival, so the middle of the two is compared, and of several
samples the one that took the shortest is believed: the error is at most half of its way. A sample that was asked for
several times, or came slowly, could be further off than is allowed, and is no measurement.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from withearth.domain.clock import Clock
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import from_ms
from withearth.market.traffic import Traffic

SAMPLES: Final = 3
VALID_FOR: Final = timedelta(minutes=10)
SKEW_MAX: Final = timedelta(milliseconds=500)
"""Above this the clock is a health problem: the exchange takes requests of the last five seconds only."""
TOOK_MAX: Final = 2 * SKEW_MAX
"""How long the quickest sample may take: half of it is how far off it may be."""


class ServerClock:
    """Measures the exchange's clock when that is due. `ask` brings the answer of its time endpoint."""

    def __init__(self, clock: Clock, traffic: Traffic, ask: Callable[[], Any]) -> None:
        self._clock = clock
        self._traffic = traffic
        self._ask = ask
        self._measured_at: datetime | None = None
        self._measuring = threading.Lock()

    def keep(self) -> None:
        """Measure, unless that was done a short while ago.

        Raises MarketFault as long as no measurement has succeeded: without one nobody knows which bar is closed.
        """
        with self._measuring:
            now = self._clock.now()
            if self._measured_at is not None and now - self._measured_at < VALID_FOR:
                return
            try:
                self._traffic.measured(self._offset())
            except MarketFault:
                if self._measured_at is None:
                    raise
            self._measured_at = now

    def _offset(self) -> timedelta:
        took, offset = min(self._sample() for _ in range(SAMPLES))
        if took > TOOK_MAX:
            raise MarketFault(
                Reason.MARKET_UNREACHABLE, f"the exchange's time took {took.total_seconds():.1f} s to come"
            )
        return offset

    def _sample(self) -> tuple[timedelta, timedelta]:
        """How long one request took, and the difference it shows."""
        before = self._clock.now()
        answer = self._ask()
        after = self._clock.now()
        try:
            told = from_ms(int(answer["serverTime"]))
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise MarketFault(Reason.DATA_UNREADABLE, f"the exchange's time: {error!r}") from error
        return after - before, told - (before + (after - before) / 2)
