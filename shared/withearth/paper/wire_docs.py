"""What docs/paper-exchange.md says about endpoints, limits and faults, written from the tables in the code.

`python -m withearth.paper.wire_docs` writes the page's tables below the current directory, and with `--check` only
tells whether they differ from the code.
"""

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from withearth.paper.faults import FaultKind
from withearth.paper.wire.endpoints import ENDPOINTS
from withearth.paper.wire.limits import FREE, OrderCost
from withearth.paper.wire.table import Endpoint

PAGE: Final = Path("docs/paper-exchange.md")


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


def page(text: str) -> str:
    """The page with its tables as the code has them now. What stands outside the markers stays."""
    for name, table in (("endpoints", endpoints_table()), ("faults", faults_table())):
        before, begin, rest = text.partition(f"<!-- {name}:begin -->")
        _, end, after = rest.partition(f"<!-- {name}:end -->")
        text = f"{before}{begin}\n{table}\n{end}{after}" if begin and end else text
    return text


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables, or check them; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m withearth.paper.wire_docs", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when the page is out of date")
    check = parser.parse_args(arguments).check
    written = PAGE.read_text(encoding="utf-8")
    wanted = page(written)
    if wanted == written:
        return 0
    sys.stdout.write(f"{PAGE} is out of date\n" if check else f"{PAGE} written\n")
    if not check:
        PAGE.write_text(wanted, encoding="utf-8")
    return 1 if check else 0


if __name__ == "__main__":
    sys.exit(main())
