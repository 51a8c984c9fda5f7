"""Compares the shape of two JSON answers: keys and their order, types, and how decimal numbers are written.

Values are nobody's business here. Pure. What two answers of different accounts, symbols and times must share is what
a client's parser sees: which keys, in which order, of which JSON type; and of a number in a string, whether zero is
`0` or `0.000000`, whether a fraction is padded, and whether it is money with eight places.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from itertools import chain
from typing import Any, Final

# Fields of money have eight places whatever the symbol; everything below may depend on a symbol's own precision.
MONEY_SCALE: Final = 8

_DECIMAL: Final = re.compile(r"-?\d+(\.\d+)?")


class Strictness(StrEnum):
    """How far two answers have to agree: it depends on where the one to compare with comes from."""

    DOCUMENTED = "documented"  # keys and types; an example has its keys in any order and its numbers at any scale
    RECORDED = "recorded"  # also the order of keys, and how zeros, padded numbers and money are written
    SAME_PRECISION = "same precision"  # recorded of an instrument with as many places: also the number of places


@dataclass(frozen=True, slots=True)
class _At:
    path: str
    strictness: Strictness

    def __truediv__(self, name: str) -> "_At":
        return _At(self.path + name, self.strictness)


def differences(
    recorded: Any,
    answered: Any,
    strictness: Strictness = Strictness.RECORDED,
    *,
    allowed: Mapping[str, str] | None = None,
) -> list[str]:
    """What is different, one sentence each, starting with its path: `$.rows[].price: ...`.

    `allowed` maps a path to the reason why its differences do not count; one that was not needed is itself reported,
    so that the list cannot outlive its reasons.
    """
    allowed = allowed or {}
    found = list(dict.fromkeys(_compare(recorded, answered, _At("$", strictness))))
    paths = {each.split(": ", 1)[0] for each in found}
    return [each for each in found if each.split(": ", 1)[0] not in allowed] + [
        f"{path}: allowed to differ, and does not" for path in sorted(allowed.keys() - paths)
    ]


def _compare(recorded: Any, answered: Any, at: _At) -> Iterator[str]:
    if type(recorded) is not type(answered):
        yield f"{at.path}: {_kind(recorded)} was recorded, {_kind(answered)} answered: {answered!r:.60}"
    elif isinstance(recorded, dict):
        yield from _compare_objects(recorded, answered, at)
    elif isinstance(recorded, list):
        yield from _compare_lists(recorded, answered, at / "[]")
    elif isinstance(recorded, str):
        yield from _compare_texts(recorded, answered, at)


def _kind(value: Any) -> str:
    return "null" if value is None else type(value).__name__


def _compare_objects(recorded: dict[str, Any], answered: dict[str, Any], at: _At) -> Iterator[str]:
    for key in recorded.keys() - answered.keys():
        yield f"{at.path}.{key}: recorded, not answered"
    for key in answered.keys() - recorded.keys():
        yield f"{at.path}.{key}: answered, not recorded"
    theirs = [key for key in recorded if key in answered]
    ours = [key for key in answered if key in recorded]
    if at.strictness is not Strictness.DOCUMENTED and theirs != ours:
        yield f"{at.path}: keys come as {','.join(ours)}, recorded as {','.join(theirs)}"
    for key in theirs:
        yield from _compare(recorded[key], answered[key], at / f".{key}")


def _compare_lists(recorded: list[Any], answered: list[Any], at: _At) -> Iterator[str]:
    """Every element has to be like one of the recorded ones; a row (a list in a list) is compared place by place."""
    if recorded and not answered:
        yield f"{at.path}: nothing was answered, so nothing is known"
    elif recorded:
        yield from chain.from_iterable(_nearest(recorded, each, at) for each in answered)


def _nearest(recorded: list[Any], element: Any, at: _At) -> list[str]:
    compare = _compare_rows if isinstance(element, list) and isinstance(recorded[0], list) else _compare
    return min((list(compare(each, element, at)) for each in recorded[:20]), key=len)


def _compare_rows(recorded: list[Any], answered: list[Any], at: _At) -> Iterator[str]:
    if len(recorded) != len(answered):
        yield f"{at.path}: a row of {len(recorded)} was recorded, one of {len(answered)} answered"
        return
    for place, (theirs, ours) in enumerate(zip(recorded, answered, strict=True)):
        yield from _compare(theirs, ours, at / f"[{place}]")


def _compare_texts(recorded: str, answered: str, at: _At) -> Iterator[str]:
    if not _DECIMAL.fullmatch(recorded):
        if recorded and not answered:
            yield f"{at.path}: {recorded!r} was recorded, an empty text answered"
    elif not _DECIMAL.fullmatch(answered):
        yield f"{at.path}: the decimal {recorded!r} was recorded, {answered!r} answered"
    elif not _written_alike(recorded, answered, at.strictness):
        yield f"{at.path}: {recorded!r} was recorded, {answered!r} answered"


def _written_alike(recorded: str, answered: str, strictness: Strictness) -> bool:
    if strictness is Strictness.DOCUMENTED:
        return True
    theirs, ours = _scale(recorded), _scale(answered)
    if theirs == MONEY_SCALE:
        return ours == MONEY_SCALE
    if theirs == 0:  # a bare zero is bare; of another bare number nothing is known
        return ours == 0 or Decimal(recorded) != 0 or Decimal(answered) != 0
    if not recorded.endswith("0"):
        return True
    return theirs == ours if strictness is Strictness.SAME_PRECISION else ours > 0


def _scale(text: str) -> int:
    return len(text.partition(".")[2])
