"""Runs checks side by side. One that fails, or takes too long, is a problem of its own and stops no other.

Impure: starts a thread a check. A check that hangs is left behind; its thread ends with the process.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from withearth.doctor.findings import Finding, problem, sentence
from withearth.domain.errors import Misconfigured, WithEarthError

TIMEOUT_S: Final = 20.0


@dataclass(frozen=True, slots=True)
class Check:
    """Something to look at. `look` reads, and never changes anything; what it raises is told as a problem."""

    name: str
    look: Callable[[], Sequence[Finding]]


def run(checks: Sequence[Check], timeout_s: float = TIMEOUT_S) -> list[Finding]:
    """What all checks found, in their order."""
    found: dict[str, Sequence[Finding]] = {}
    threads = [
        threading.Thread(target=_look, args=(check, found), name=f"doctor-{check.name}", daemon=True)
        for check in checks
    ]
    give_up_at = time.monotonic() + timeout_s
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, give_up_at - time.monotonic()))
    return [finding for check in checks for finding in found.get(check.name) or [_too_long(check, timeout_s)]]


def _look(check: Check, found: dict[str, Sequence[Finding]]) -> None:
    try:
        found[check.name] = check.look()
    except Misconfigured as error:
        found[check.name] = [sentence(check.name, str(error))]
    except WithEarthError as error:
        found[check.name] = [problem(check.name, str(error))]
    except Exception as error:  # noqa: BLE001 - whatever it was, the other checks go on
        found[check.name] = [problem(check.name, f"This could not be checked ({type(error).__name__}: {error}).")]


def _too_long(check: Check, timeout_s: float) -> Finding:
    remedy = "look at the network, and run the doctor again"
    return problem(check.name, f"There was no answer within {timeout_s:g} s.", remedy)
