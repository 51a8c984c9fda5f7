from itertools import product

import pytest

from withearth.execution.phases import TRANSITIONS, Event, Phase, diagram, following


@pytest.mark.parametrize(("phase", "event"), list(product(Phase, Event)))
def test_only_the_table_leads_on(phase: Phase, event: Event) -> None:
    """A pair that the table has leads where it says; any other is an error, never a guess."""
    if (phase, event) in TRANSITIONS:
        assert TRANSITIONS[phase, event] == following(phase, event)
    else:
        with pytest.raises(ValueError, match="cannot happen"):
            following(phase, event)


def test_every_phase_leads_to_the_end() -> None:
    """From every phase the end can be reached, and only the end leads nowhere."""
    reaches = {Phase.ENDED}
    for _ in Phase:
        reaches |= {phase for (phase, _), then in TRANSITIONS.items() if then in reaches}

    assert set(Phase) == reaches
    assert {Phase.ENDED} == set(Phase) - {phase for phase, _ in TRANSITIONS}


def test_nothing_ends_without_being_cleaned_up() -> None:
    """The only way to the end is a clean symbol."""
    assert [(Phase.CLEANING, Event.CLEAN)] == [pair for pair, then in TRANSITIONS.items() if then is Phase.ENDED]


def test_the_diagram_is_the_table() -> None:
    """The drawn diagram has one arrow for each line of the table, and no other."""
    drawn = {line.strip() for line in diagram().splitlines() if "-->" in line and "[*]" not in line}

    assert {f"{phase} --> {then}: {event}" for (phase, event), then in TRANSITIONS.items()} == drawn
