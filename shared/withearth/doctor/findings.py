"""What the doctor says: one finding a line, each with a verdict, a sentence and, where something is to do, a remedy."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

SHAPE_VERSION: Final = 1


class Verdict(StrEnum):
    """How it is. Only a problem makes trading unsafe."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"

    @property
    def symbol(self) -> str:
        """A sign that says the same without colour."""
        return _SYMBOLS[self]


_SYMBOLS: Final = {Verdict.OK: "✓", Verdict.WARNING: "!", Verdict.PROBLEM: "✗"}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's screen."""

    check: str
    verdict: Verdict
    text: str
    remedy: str = ""


def ok(check: str, text: str) -> Finding:
    """As it should be."""
    return Finding(check, Verdict.OK, text)


def warning(check: str, text: str, remedy: str = "") -> Finding:
    """Worth knowing, and not unsafe."""
    return Finding(check, Verdict.WARNING, text, remedy)


def problem(check: str, text: str, remedy: str = "") -> Finding:
    """Trading would not be safe, or would not work."""
    return Finding(check, Verdict.PROBLEM, text, remedy)


def sentence(check: str, told: str) -> Finding:
    """A problem that was told as `what is wrong: what to do`, as that of a setting is."""
    text, _, remedy = told.partition(": ")
    return problem(check, text, remedy)


def is_safe(findings: Iterable[Finding]) -> bool:
    """Whether trading would be safe with these settings."""
    return all(finding.verdict is not Verdict.PROBLEM for finding in findings)


def document(findings: Iterable[Finding], at: str) -> dict[str, Any]:
    """The findings as `--json` prints them. A field is added at most; `version` changes when one is changed."""
    listed = list(findings)
    return {
        "version": SHAPE_VERSION,
        "at": at,
        "safe": is_safe(listed),
        "checks": [
            {"check": each.check, "verdict": each.verdict.value, "text": each.text, "remedy": each.remedy}
            for each in listed
        ],
    }
