"""The phases of an execution, and what leads from one to the next: everything that affects them stands here.

An execution begins when the intent is claimed and ends when the exchange holds nothing of it any more. The diagram in
the docs is made from the table.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """Where an execution stands."""

    ARMING = "ARMING"
    ENTERING = "ENTERING"
    PROTECTING = "PROTECTING"
    HOLDING = "HOLDING"
    CLOSING = "CLOSING"
    CLEANING = "CLEANING"
    ENDED = "ENDED"


class Event(StrEnum):
    """What was learnt from the exchange, the clock or the owner."""

    ARMED = "ARMED"
    STOP_NEEDS_POSITION = "STOP_NEEDS_POSITION"
    REFUSED = "REFUSED"
    FILLED = "FILLED"
    NOT_FILLED = "NOT_FILLED"
    PROTECTED = "PROTECTED"
    CANNOT_PROTECT = "CANNOT_PROTECT"
    UNPROTECTED = "UNPROTECTED"
    TIGHTEN = "TIGHTEN"
    TIME_UP = "TIME_UP"
    FLATTEN = "FLATTEN"
    FLAT = "FLAT"
    CLEAN = "CLEAN"


TRANSITIONS: Final[Mapping[tuple[Phase, Event], Phase]] = {
    (Phase.ARMING, Event.ARMED): Phase.ENTERING,
    (Phase.ARMING, Event.STOP_NEEDS_POSITION): Phase.ENTERING,
    (Phase.ARMING, Event.REFUSED): Phase.CLEANING,
    (Phase.ENTERING, Event.FILLED): Phase.PROTECTING,
    (Phase.ENTERING, Event.NOT_FILLED): Phase.CLEANING,
    (Phase.ENTERING, Event.CANNOT_PROTECT): Phase.CLOSING,
    (Phase.PROTECTING, Event.PROTECTED): Phase.HOLDING,
    (Phase.PROTECTING, Event.CANNOT_PROTECT): Phase.CLOSING,
    (Phase.PROTECTING, Event.FLATTEN): Phase.CLOSING,
    (Phase.PROTECTING, Event.FLAT): Phase.CLEANING,
    (Phase.HOLDING, Event.UNPROTECTED): Phase.PROTECTING,
    (Phase.HOLDING, Event.TIGHTEN): Phase.PROTECTING,
    (Phase.HOLDING, Event.TIME_UP): Phase.CLOSING,
    (Phase.HOLDING, Event.FLATTEN): Phase.CLOSING,
    (Phase.HOLDING, Event.FLAT): Phase.CLEANING,
    (Phase.CLOSING, Event.FLAT): Phase.CLEANING,
    (Phase.CLEANING, Event.CLEAN): Phase.ENDED,
}


def following(phase: Phase, event: Event) -> Phase:
    """The phase that follows. Raises ValueError for a pair the table does not have."""
    found = TRANSITIONS.get((phase, event))
    if found is None:
        raise ValueError(f"{event} cannot happen while {phase}")
    return found


def diagram() -> str:
    """The table as a Mermaid state diagram."""
    arrows = (f"    {phase} --> {then}: {event}" for (phase, event), then in TRANSITIONS.items())
    ends = (f"    [*] --> {Phase.ARMING}", f"    {Phase.ENDED} --> [*]")
    return "\n".join(["```mermaid", "stateDiagram-v2", *ends, *arrows, "```"])
