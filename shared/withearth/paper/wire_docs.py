"""What docs/paper-exchange.md says about endpoints, limits and faults, made from the tables in the code."""

from collections.abc import Iterable

from withearth.paper.faults import FaultKind
from withearth.paper.wire.endpoints import ENDPOINTS
from withearth.paper.wire.limits import FREE, OrderCost
from withearth.paper.wire.table import Endpoint


def endpoints_table() -> str:
    """Every endpoint: what it costs, who may call it, what it takes."""
    rows = (_endpoint_row(each) for each in ENDPOINTS)
    return _table("| Endpoint | Security | Weight | Orders 10 s / 1 min | Parameters | Remark |", rows)


def _endpoint_row(endpoint: Endpoint) -> str:
    parameters = " ".join(f"`{name}`" for name in endpoint.parameters.split())
    cells = (
        f"`{endpoint.method} {endpoint.path}`",
        endpoint.security.value,
        endpoint.weight.text,
        _orders(endpoint.orders),
        parameters,
        endpoint.note,
    )
    return f"| {' | '.join(cells)} |"


def _orders(cost: OrderCost) -> str:
    return "" if cost == FREE else f"{cost.in_10s} / {cost.in_1m}"


def faults_table() -> str:
    """Every fault that can be injected."""
    return _table("| Kind | What happens |", (f"| `{kind.value}` | {kind.sentence} |" for kind in FaultKind))


def _table(head: str, rows: Iterable[str]) -> str:
    rule = "|" + "---|" * (head.count("|") - 1)
    return "\n".join([head, rule, *rows])
