"""What an endpoint is: one row of the table that dispatches requests, and that the documentation is written from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from withearth.paper.wire.limits import FREE, OrderCost
from withearth.paper.wire.params import Params
from withearth.paper.wire.security import Security

_SIGNED: Final = frozenset({"timestamp", "recvWindow", "signature"})
_DEFAULT_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class Weight:
    """What a request costs of the minute's weight, and how the documentation says it."""

    of: Callable[[Params], int]
    text: str


def fixed(weight: int) -> Weight:
    """The same for every request."""
    return Weight(lambda _: weight, str(weight))


def one_or_all(one: int, every: int) -> Weight:
    """Cheap for one symbol, dear for all."""
    return Weight(lambda params: one if "symbol" in params else every, f"{one}; all symbols {every}")


def by_limit(*steps: tuple[int, int]) -> Weight:
    """By the number of rows asked for: the weight of the first step whose limit is not exceeded."""

    def of(params: Params) -> int:
        asked = params.integer("limit") or _DEFAULT_LIMIT
        return next((weight for most, weight in steps if asked <= most), steps[-1][1])

    return Weight(of, "; ".join(f"≤{most}: {weight}" for most, weight in steps))


_ONE: Final = fixed(1)


@dataclass(frozen=True)
class Endpoint:
    """One method of one path. `parameters` names them all, separated by blanks; a star marks the mandatory ones."""

    method: str
    path: str
    parameters: str
    handler: Callable[..., Any]
    security: Security = Security.SIGNED
    weight: Weight = _ONE
    orders: OrderCost = FREE
    pool: str | None = None
    note: str = ""

    @cached_property
    def mandatory(self) -> tuple[str, ...]:
        """The names of what has to be sent."""
        return tuple(name[:-1] for name in self.parameters.split() if name.endswith("*"))

    @cached_property
    def known(self) -> frozenset[str]:
        """The names of what can be sent."""
        names = frozenset(name.rstrip("*") for name in self.parameters.split())
        # Clients that sign everything do so on public endpoints too, and are served.
        return names | _SIGNED
