"""Each verdict of the doctor on what only the cloud has."""

from typing import Any

import pytest

from tests.builders.deployment import Site, deployed
from tests.builders.documents import NOON
from tests.fakes.clock import ManualClock
from withearth.cloud.pubsub_admin import push_subscriptions
from withearth.doctor.checkup import Practice, checks_of
from withearth.doctor.deployed import schedules, subscriptions
from withearth.doctor.findings import Verdict
from withearth.doctor.running import run
from withearth.domain.errors import Misconfigured
from withearth.local.schedules import Schedule
from withearth.local.state import SUBSCRIPTIONS
from withearth.settings import load_settings

OK, WARNING, PROBLEM = Verdict.OK, Verdict.WARNING, Verdict.PROBLEM
INTENTS = SUBSCRIPTIONS[1]
REFERENCES = {
    "BINANCE_API_KEY": "secret://binance-api-key",
    "BINANCE_API_SECRET": "secret://binance-api-secret",
    "GOOGLE_API_KEY": "secret://gemini-api-key",
    "XAI_API_KEY": "secret://xai-api-key",
}
"""What Terraform tells every function."""


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


class Stored:
    """Secret Manager with values for some secrets."""

    def __init__(self, *names: str) -> None:
        self._names = names

    def resolve(self, name: str) -> str:
        """The value. Raises Misconfigured where none is stored."""
        if name not in self._names:
            raise Misconfigured(f"There is no secret {name} with a value.")
        return "value"

    def forget(self, name: str) -> None:
        """Nothing is kept."""


TRADING = ("binance-api-key", "binance-api-secret")
ASKING = {"PREDICTOR": "gemini"}
SENDING = {"EXECUTE_TRADES": "true", "VENUE": "demo", "MARKET": "live"}


@pytest.mark.parametrize(
    ("chosen", "needed"),
    [
        ({}, ()),
        (ASKING, ("gemini-api-key",)),
        (ASKING | {"VERTEX_PROJECT": "demo-project"}, ()),
        ({"PREDICTOR": "ensemble", "ENSEMBLE_MEMBERS": "baseline"}, ()),
        ({"SENTIMENT": "grok"}, ("xai-api-key",)),
        (SENDING, TRADING),
        (SENDING | ASKING, (*TRADING, "gemini-api-key")),
    ],
)
def test_only_secrets_that_are_needed_have_to_be_there(chosen: dict[str, str], needed: tuple[str, ...]) -> None:
    """Every function is told of all of them, and nobody stores a key for what was never switched on."""
    settings = load_settings({"STORE": "cloud", "PROJECT_ID": "demo-project", **REFERENCES, **chosen}, env_file=None)

    def looked(*stored: str) -> Verdict:
        practice = Practice(settings, ManualClock(NOON), secrets=Stored(*stored))
        (check,) = (each for each in checks_of(practice) if each.name == "secrets")
        (finding,) = run([check])
        return finding.verdict

    assert looked(*needed) is OK
    for name in needed:
        assert looked(*(each for each in needed if each != name)) is PROBLEM
