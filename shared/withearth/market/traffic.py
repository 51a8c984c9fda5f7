"""The account of what we may ask of the exchange: request weight, orders, stops, and its clock.

The exchange counts by the address that asks, and tells the count with every answer: that is how this process learns
what the others have used. What no answer tells is shared by one document a host: that the exchange has stopped us
(429, 418), which every process must obey, and how much is used, for a process that has not asked yet. The document is
read every few seconds and written when a quarter of the limit has gone, so that the account costs next to nothing.

A share is reserved: market data and entries stop before it, protecting and closing may use it. 429 stops data and
entries, 418 everything, until the exchange says.

Used from any thread. Minutes are those of the exchange's clock.
"""

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from withearth.domain.clock import Clock
from withearth.domain.errors import Contention, MarketFault, WithEarthError
from withearth.domain.reasons import Reason
from withearth.domain.times import to_ms
from withearth.flow.documents import exchange_ref
from withearth.signals import Signal, tell
from withearth.store.port import AlreadyExists, DocumentStore, version_of, write_over

SHARED_EVERY: Final = timedelta(seconds=5)
MINUTE_MS: Final = 60_000
HIGH: Final = 0.8
"""The share of a minute's weight from which the owner is told: the reserve for protecting is being used."""
LIMITED: Final = 429
BANNED: Final = 418
_WITHOUT_ADVICE: Final = {LIMITED: timedelta(minutes=1), BANNED: timedelta(minutes=2)}
"""How long a stop lasts that comes without Retry-After: to the next minute at the latest, and the shortest ban."""
_REASONS: Final = {LIMITED: Reason.EXCHANGE_LIMITED, BANNED: Reason.EXCHANGE_BANNED}
_ATTEMPTS: Final = 5
_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the exchange allows: weight a minute by address, orders by account."""

    weight_1m: int = 2_400
    orders_1m: int = 1_200
    orders_10s: int = 300


@dataclass(frozen=True, slots=True)
class Stop:
    """The exchange has told us to stop: by 429 or 418, and until when."""

    status: int
    until: datetime

    @property
    def reason(self) -> Reason:
        """The code for what is not asked meanwhile."""
        return _REASONS[self.status]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the exchange: weight used in this minute, the stop in force, its clock ahead of ours."""

    used: int
    stop: Stop | None
    offset: timedelta | None


class Traffic:
    """One account for one host. Without a store it is this process's own."""

    def __init__(self, host: str, clock: Clock, store: DocumentStore | None = None, *, reserved_pct: int = 25) -> None:
        self.host = host
        self.limits = Limits()
        self.offset: timedelta | None = None
        """What the exchange's clock is ahead of ours, once it is measured."""
        self._clock = clock
        self._store = store
        self._open_share = 1 - reserved_pct / 100
        self._lock = threading.Lock()
        self._minute, self._used, self._published = 0, 0, 0
        self._orders: tuple[datetime, int, int] = (_LONG_AGO, 0, 0)
        self._told_high_in = 0
        self._stop: Stop | None = None
        self._shared_at = _LONG_AGO
        self._told_offset: timedelta | None = None

    def exchange_now(self) -> datetime:
        """The exchange's present."""
        return self._clock.now() + (self.offset or timedelta())

    def admit(self, weight: int) -> None:
        """Count a request for market data that is about to be made. Raises MarketFault when it may not be."""
        self._learn_from_others()
        stop = self.stop
        if stop is not None:
            raise MarketFault(stop.reason, f"until {stop.until:%Y-%m-%d %H:%M:%S} UTC")
        with self._lock:
            self._turn_page()
            if weight and self._used + weight > self._open_weight:
                raise MarketFault(Reason.WEIGHT_SPENT, f"{self._used} of {self.limits.weight_1m} are used")
            self._used += weight

    def room(self) -> int:
        """The weight that market data may still use in this minute."""
        self._learn_from_others()
        with self._lock:
            self._turn_page()
            return 0 if self.stop is not None else max(0, int(self._open_weight) - self._used)

    def until_next_minute(self) -> timedelta:
        """How long it takes until the exchange counts from zero again."""
        return timedelta(milliseconds=MINUTE_MS - to_ms(self.exchange_now()) % MINUTE_MS)

    @property
    def stop(self) -> Stop | None:
        """The stop that is in force, as far as this process knows."""
        stop = self._stop
        return stop if stop is not None and self._clock.now() < stop.until else None

    def known(self) -> Known:
        """What this process and the others know."""
        self._learn_from_others()
        with self._lock:
            self._turn_page()
            return Known(self._used, self.stop, self.offset if self._told_offset is None else self._told_offset)

    def banned(self) -> Stop | None:
        """The ban that is in force. Asks what others know, and never raises: protection depends on it."""
        try:
            self._learn_from_others()
        except WithEarthError as error:
            log.warning("traffic_unshared: %s", error)
        stop = self.stop
        return stop if stop is not None and stop.status == BANNED else None

    def no_entry(self) -> Reason | None:
        """Why nothing may be entered now, if the exchange's limits speak against it."""
        self._learn_from_others()
        stop = self.stop
        if stop is not None:
            return stop.reason
        with self._lock:
            self._turn_page()
            at, in_10s, in_1m = self._orders
            age = self._clock.now() - at
            spent = (
                self._used >= self._open_weight
                or (age < timedelta(seconds=10) and in_10s >= self.limits.orders_10s * self._open_share)
                or (age < timedelta(minutes=1) and in_1m >= self.limits.orders_1m * self._open_share)
            )
        return Reason.WEIGHT_SPENT if spent else None

    def heard(self, status: int, headers: Mapping[str, str], asked_at: datetime | None = None) -> None:
        """Learn from an answer. `asked_at` is the exchange's time of the request: its count is of that minute."""
        used, orders = _number(headers, "X-MBX-USED-WEIGHT-1M"), _number(headers, "X-MBX-ORDER-COUNT-1M")
        with self._lock:
            self._turn_page()
            of_this_minute = asked_at is None or to_ms(asked_at) // MINUTE_MS == self._minute
            if used is not None and of_this_minute:
                self._used = max(self._used, used)
            counted = self._used
            becomes_high = counted >= HIGH * self.limits.weight_1m and self._told_high_in != self._minute
            if becomes_high:
                self._told_high_in = self._minute
            if orders is not None:
                self._orders = (self._clock.now(), _number(headers, "X-MBX-ORDER-COUNT-10S") or 0, orders)
        if becomes_high:
            tell(Signal.WEIGHT_HIGH, logging.WARNING, host=self.host, used=counted, limit=self.limits.weight_1m)
        if status in _REASONS:
            self._stopped(status, _number(headers, "Retry-After"))
        elif self._store is not None and self._used - self._published >= self.limits.weight_1m / 4:
            self._publish()

    def learn_limits(self, rate_limits: object) -> None:
        """Take the limits as `exchangeInfo` announces them; what it does not announce stays as it was."""
        rows = [row for row in rate_limits if isinstance(row, dict)] if isinstance(rate_limits, list) else []
        told = {
            (row.get("rateLimitType"), row.get("interval"), row.get("intervalNum")): row.get("limit") for row in rows
        }
        named = {
            "weight_1m": told.get(("REQUEST_WEIGHT", "MINUTE", 1)),
            "orders_1m": told.get(("ORDERS", "MINUTE", 1)),
            "orders_10s": told.get(("ORDERS", "SECOND", 10)),
        }
        known = {name: value for name, value in named.items() if isinstance(value, int) and value > 0}
        self.limits = Limits(**{name: known.get(name, getattr(self.limits, name)) for name in named})

    def measured(self, offset: timedelta) -> None:
        """Take over a measured difference of the clocks, and let the dashboard know of it."""
        self.offset = offset
        self._publish()

    @property
    def _open_weight(self) -> float:
        return self.limits.weight_1m * self._open_share

    def _turn_page(self) -> None:
        minute = to_ms(self.exchange_now()) // MINUTE_MS
        if minute != self._minute:
            self._minute, self._used, self._published = minute, 0, 0

    def _stopped(self, status: int, retry_after: int | None) -> None:
        advised = _WITHOUT_ADVICE[status] if retry_after is None else timedelta(seconds=max(1, retry_after))
        stop = Stop(status, self._clock.now() + advised)
        log.warning("exchange_stopped_us HTTP %s until %s", status, stop.until.isoformat())
        self._stop = _stronger(self._stop, stop, self._clock.now())
        self._publish()

    def _learn_from_others(self) -> None:
        now = self._clock.now()
        if self._store is None or now - self._shared_at < SHARED_EVERY:
            return
        self._shared_at = now
        stored = self._store.get(exchange_ref(self.host))
        if stored is None:
            return
        self._stop = _stronger(self._stop, _stop_in(stored.data), now)
        offset_ms = stored.data["offset_ms"]
        self._told_offset = None if offset_ms is None else timedelta(milliseconds=offset_ms)
        with self._lock:
            self._turn_page()
            if stored.data["minute"] == self._minute:
                self._used = max(self._used, stored.data["used"])
                self._published = max(self._published, stored.data["used"])

    def _publish(self) -> None:
        """Put what we know to what is known, by compare-and-set. A failure is logged: the next answer tells again."""
        if self._store is None:
            return
        self._published = self._used
        for _ in range(_ATTEMPTS):
            try:
                stored = self._store.get(exchange_ref(self.host))
                document = self._document({} if stored is None else stored.data)
                self._store.commit([write_over(exchange_ref(self.host), document, version_of(stored))])
            except (Contention, AlreadyExists):
                continue
            except WithEarthError as error:
                log.warning("traffic_unpublished: %s", error)
            return

    def _document(self, before: Mapping[str, Any]) -> dict[str, Any]:
        others = before.get("used", 0) if before.get("minute") == self._minute else 0
        stop = _stronger(self._stop, _stop_in(before), self._clock.now())
        offset_ms = before.get("offset_ms") if self.offset is None else self.offset // timedelta(milliseconds=1)
        return {
            "host": self.host,
            "minute": self._minute,
            "used": max(self._used, others),
            "limit": self.limits.weight_1m,
            "offset_ms": offset_ms,
            "stop": None if stop is None else stop.status,
            "stopped_until": None if stop is None else stop.until,
            "at": self._clock.now(),
        }


def _stop_in(document: Mapping[str, Any]) -> Stop | None:
    status, until = document.get("stop"), document.get("stopped_until")
    return Stop(status, until) if status in _REASONS and isinstance(until, datetime) else None


def _stronger(one: Stop | None, other: Stop | None, now: datetime) -> Stop | None:
    """Of two stops the one to obey: a ban before a limit, and the one that lasts longer."""
    running = [stop for stop in (one, other) if stop is not None and now < stop.until]
    return max(running, key=lambda stop: (stop.status == BANNED, stop.until), default=None)


def _number(headers: Mapping[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() else None
