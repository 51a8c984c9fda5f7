"""The requirements, and where the tests are that keep them. A test says so in name (`test_r07_…`) or docstring."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

REQUIREMENTS: Final[Mapping[int, str]] = {
    1: "Stops and targets go to the conditional-order endpoints only; an unknown order type halts entries; a stop is "
    "tried every day.",
    2: "From the first fill to a standing stop the time is bounded; beyond it the quantity leaves at the market.",
    3: "A symbol without a position keeps no order of ours, in either book of orders.",
    4: "Whatever is open is covered by a stop of at least its size; the new one stands before the old one goes.",
    5: "Our own orders never block the way out.",
    6: "Orders that close a whole position carry no quantity, and are read as what they are.",
    7: "Fills belong to a trade by the ids of its orders, never by a window of time.",
    8: "An order's id is a function of its decision, written down first; what is unclear is asked about, not resent.",
    9: "Every invocation starts from what the exchange holds; what is not ours is reported, and not entered on.",
    10: "An unknown answer is a state of its own, and neither a yes nor a no.",
    11: "A protective stop is a market order, and one that fills in part only escalates.",
    12: "The stop is held against tick, distance and price band before anything is entered.",
    13: "All processes share one account of the exchange's limits, of which a part belongs to protection.",
    14: "A region that the exchange refuses is told with its remedy.",
    15: "The exchange's clock is measured, also when it says that ours is off.",
    16: "Position mode, margin type and assets mode are read first, and refused or set as the settings say.",
    17: "The model never sizes: risk, free margin, step and smallest order do.",
    18: "A model's answer is exactly the schema, or a HOLD.",
    19: "One schema writes the question, the validator and the docs.",
    20: "A truncated or blocked answer is told by its finish reason; retries and tokens are bounded.",
    21: "Stored answers replay to the same orders, byte for byte; decision stability is measured.",
    22: "Edge after fees and funding, cool-downs and entries per hour stand outside the model.",
    23: "Net pnl is the exchange's own records, and is held against them every day.",
    24: "Nothing after its instant reaches a decision; what a model may remember is stamped.",
    25: "Live, paper, replay and backtest are one code.",
    26: "A day's budget for models is reserved before the question, and fails closed.",
    27: "Every input has an age; a stale one leads to no decision.",
    28: "Every limit has the test in which it stops an order, and is told at the start.",
    29: "Windows roll, nothing resets at midnight, and exits are always allowed.",
    30: "No outside text reaches a question that trades.",
    31: "What is delivered twice is done once.",
    32: "Protection has the size of what was filled; what becomes of the rest is a setting.",
    33: "Stored decisions replay over history, from the first release on.",
    34: "Releases are signed, and there is one way to install them.",
}
_IN_NAME: Final = re.compile(r"(?:^|_)r(\d\d)(?=_)")
_IN_DOCSTRING: Final = re.compile(r"\bR(\d{1,2})\b")


def modules_by_requirement(tests: Path) -> dict[int, set[Path]]:
    """The modules below a directory that hold tests of each requirement."""
    found: dict[int, set[Path]] = {number: set() for number in REQUIREMENTS}
    for path in sorted(tests.rglob("test_*.py")):
        for number in _kept_in(path):
            found.setdefault(number, set()).add(path.relative_to(tests))
    return found


def _kept_in(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield from map(int, _IN_NAME.findall(node.name))
            yield from map(int, _IN_DOCSTRING.findall(ast.get_docstring(node) or ""))


def requirements_table(tests: Path) -> str:
    """Every requirement with the modules whose tests keep it."""
    kept = modules_by_requirement(tests)
    rows = [f"| R{number} | {text} | {_told(kept[number])} |" for number, text in REQUIREMENTS.items()]
    return "\n".join(["| # | Requirement | Tests in `tests/` |", "|---|---|---|", *rows])


def _told(modules: Iterable[Path]) -> str:
    return "<br>".join(f"`{path.with_suffix('').as_posix()}`" for path in sorted(modules))
