"""Rate limits as the exchange counts them: request weight by address, orders by account, in windows of its own clock.

What is documented: the limits, the headers, 429 and then 418, a ban from two minutes up to three days. Assumed here:
a ban follows the tenth refusal inside one minute, each ban doubles the one before, and a refused request is counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.wire.errors import Limited

SECOND_MS: Final = 1_000
MINUTE_MS: Final = 60_000
FUNDING_POOL: Final = "funding"
_TEN_SECONDS_MS: Final = 10_000
_POOL_MS: Final = 300_000
_REFUSALS_BEFORE_BAN: Final = 10
_FIRST_BAN_MS: Final = 120_000
_LONGEST_BAN_MS: Final = 3 * 86_400_000


@dataclass(frozen=True, slots=True)
class Limits:
    """The numbers `exchangeInfo` announces. `funding_5m` is shared by fundingRate and fundingInfo."""

    weight_1m: int = 2_400
    orders_1m: int = 1_200
    orders_10s: int = 300
    funding_5m: int = 500


@dataclass(frozen=True, slots=True)
class OrderCost:
    """What a request takes from the account's two order counters."""

    in_10s: int = 0
    in_1m: int = 0


FREE: Final = OrderCost()
ONE_ORDER: Final = OrderCost(1, 1)
BATCH: Final = OrderCost(5, 1)


@dataclass(slots=True)
class _Window:
    """A counter that begins anew with every period of the exchange's clock."""

    period_ms: int
    index: int = -1
    used: int = 0
    refusals: int = 0

    def at(self, now_ms: int) -> "_Window":
        index = now_ms // self.period_ms
        if index != self.index:
            self.index, self.used, self.refusals = index, 0, 0
        return self

    def rest_s(self, now_ms: int) -> int:
        return -((now_ms - (self.index + 1) * self.period_ms) // SECOND_MS)


@dataclass(slots=True)
class _Address:
    weight: _Window
    pool: _Window
    banned_until_ms: int = 0
    bans: int = 0


class Meter:
    """Counts what addresses and accounts use. Time is passed in."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._addresses: dict[str, _Address] = {}
        self._accounts: dict[str, tuple[_Window, _Window]] = {}

    def charge(self, address: str, weight: int, now_ms: int, pool: str | None = None) -> None:
        """Take a request's weight from its address. Raises VenueError: 429 above the limit, 418 for who goes on."""
        known = self._address(address)
        if now_ms < known.banned_until_ms:
            raise _ban(known.banned_until_ms, now_ms)
        window = known.weight.at(now_ms)
        window.used += weight
        if window.used > self.limits.weight_1m:
            self._refuse(known, window, self.limits.weight_1m, now_ms)
        if pool is not None:
            shared = known.pool.at(now_ms)
            shared.used += 1
            if shared.used > self.limits.funding_5m:
                self._refuse(known, shared, self.limits.funding_5m, now_ms)

    def charge_orders(self, account: str, cost: OrderCost, now_ms: int) -> None:
        """Take a request's orders from its account. Raises VenueError with -1015."""
        short, long = (window.at(now_ms) for window in self._account(account))
        for window, count, limit, period in (
            (short, cost.in_10s, self.limits.orders_10s, "10 SECOND"),
            (long, cost.in_1m, self.limits.orders_1m, "1 MINUTE"),
        ):
            if window.used + count > limit:
                raise Limited(Refusal.TOO_MANY_ORDERS, limit, period, retry_after_s=window.rest_s(now_ms))
        short.used += cost.in_10s
        long.used += cost.in_1m

    def weight_header(self, address: str, now_ms: int) -> Mapping[str, str]:
        """The weight that an address used in the present minute."""
        return {"X-MBX-USED-WEIGHT-1M": str(self._address(address).weight.at(now_ms).used)}

    def order_headers(self, account: str, now_ms: int) -> Mapping[str, str]:
        """The orders that an account placed in the present windows."""
        short, long = (window.at(now_ms) for window in self._account(account))
        return {"X-MBX-ORDER-COUNT-10S": str(short.used), "X-MBX-ORDER-COUNT-1M": str(long.used)}

    def exhaust(self, address: str, now_ms: int) -> None:
        """Use up an address's weight of the present minute, as other programs behind it would."""
        self._address(address).weight.at(now_ms).used = self.limits.weight_1m + 1

    def ban(self, address: str, now_ms: int) -> VenueError:
        """Ban an address, twice as long as the last time. Gives the refusal that says so."""
        return self._banned(self._address(address), now_ms)

    def _refuse(self, known: _Address, window: _Window, limit: int, now_ms: int) -> None:
        window.refusals += 1
        if window.refusals >= _REFUSALS_BEFORE_BAN:
            raise self._banned(known, now_ms)
        raise Limited(Refusal.TOO_MANY_REQUESTS, limit, retry_after_s=window.rest_s(now_ms))

    @staticmethod
    def _banned(known: _Address, now_ms: int) -> VenueError:
        known.banned_until_ms = now_ms + min(_FIRST_BAN_MS << min(known.bans, 20), _LONGEST_BAN_MS)
        known.bans += 1
        return _ban(known.banned_until_ms, now_ms)

    def _address(self, address: str) -> _Address:
        known = self._addresses.get(address)
        if known is None:
            known = self._addresses[address] = _Address(_Window(MINUTE_MS), _Window(_POOL_MS))
        return known

    def _account(self, account: str) -> tuple[_Window, _Window]:
        known = self._accounts.get(account)
        if known is None:
            known = self._accounts[account] = (_Window(_TEN_SECONDS_MS), _Window(MINUTE_MS))
        return known


def _ban(until_ms: int, now_ms: int) -> VenueError:
    return Limited(Refusal.IP_BANNED, until_ms, retry_after_s=-((now_ms - until_ms) // SECOND_MS))
