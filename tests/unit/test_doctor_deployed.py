"""Each verdict of the doctor on what only the cloud has."""

from typing import Any

import pytest

from tests.builders.deployment import Site, deployed
from withearth.cloud.pubsub_admin import push_subscriptions
from withearth.doctor.deployed import schedules, subscriptions
from withearth.doctor.findings import Verdict
from withearth.local.schedules import Schedule
from withearth.local.state import SUBSCRIPTIONS

OK, WARNING, PROBLEM = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM
INTENTS = SUBSCRIPTIONS[1]


def pushed(**changed: Any) -> dict[str, Any]:
    """A sound subscription of the intents."""
    return {
        "topic": "projects/p/topics/trade-intents",
        "pushConfig": {"pushEndpoint": "https://executor"},
        "enableMessageOrdering": True,
        "deadLetterPolicy": {"deadLetterTopic": "x"},
    } | changed


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ([pushed()], OK),
        ([], PROBLEM),
        ([pushed(pushConfig={})], PROBLEM),
        ([pushed(topic="projects/p/topics/other")], PROBLEM),
        ([pushed(enableMessageOrdering=False)], PROBLEM),
        ([pushed(deadLetterPolicy=None)], WARNING),
    ],
)
def test_intents_must_reach_the_executor_in_order(found: list[dict[str, Any]], verdict: Verdict) -> None:
    """A subscription that is missing, pulls, or forgets the order is a problem."""
    (finding,) = subscriptions(found, [INTENTS])

    assert verdict is finding.verdict
    assert finding.remedy or verdict is OK


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (Schedule("dispatcher", "*/5 * * * *", paused=False, next_at="", last="now called"), OK),
        (Schedule("dispatcher", "*/5 * * * *", paused=True, next_at=""), WARNING),
        (Schedule("dispatcher", "*/5 * * * *", paused=False, next_at="", last="now failed: 13"), WARNING),
        (Schedule("other", "*/5 * * * *", paused=False, next_at=""), PROBLEM),
    ],
)
def test_what_has_to_be_called_is_called(found: Schedule, verdict: Verdict) -> None:
    """A schedule that is missing is a problem, a paused one is worth knowing."""
    (finding,) = schedules([found], ["dispatcher"])

    assert verdict is finding.verdict
    assert finding.remedy or verdict is OK


def test_the_subscriptions_are_read_as_pubsub_tells_them(project: str, pubsub_emulator: str) -> None:
    """From Google's own emulator, in the shape that is judged here."""
    with deployed(pubsub_emulator, project, Site()):
        found = push_subscriptions(project, pubsub_emulator)

    assert [WARNING, WARNING] == [each.verdict for each in subscriptions(found, SUBSCRIPTIONS)]
