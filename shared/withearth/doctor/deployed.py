"""What only an installation in the cloud has: push subscriptions, schedules, secrets behind references. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from withearth.doctor.findings import Finding, ok, problem, warning
from withearth.local.schedules import Schedule
from withearth.messaging.subscriptions import Subscription

_APPLY: Final = "run `terraform apply`, or correct PROJECT_ID"


def subscriptions(found: Iterable[Mapping[str, Any]], wanted: Sequence[Subscription]) -> list[Finding]:
    """Whether each topic is pushed to somebody, keeps its order where that matters, and buries what fails."""
    by_topic: dict[str, Mapping[str, Any]] = {}
    for each in found:
        if (each.get("pushConfig") or {}).get("pushEndpoint"):
            by_topic.setdefault(str(each.get("topic", "")).rsplit("/", 1)[-1], each)
    return [_subscription(by_topic.get(each.topic), each) for each in wanted]


def _subscription(found: Mapping[str, Any] | None, wanted: Subscription) -> Finding:
    if found is None:
        return problem("bus", f"Nothing pushes the messages of {wanted.topic} to the {wanted.function}.", _APPLY)
    if wanted.ordered and not found.get("enableMessageOrdering"):
        return problem("bus", f"The subscription of {wanted.topic} does not keep the order of a symbol.", _APPLY)
    if not found.get("deadLetterPolicy"):
        return warning("bus", f"The subscription of {wanted.topic} has no dead-letter topic.", _APPLY)
    return ok("bus", f"{wanted.topic} is pushed to the {wanted.function}.")


def schedules(found: Iterable[Schedule], wanted: Sequence[str]) -> list[Finding]:
    """Whether what has to be called is called."""
    by_name = {each.name: each for each in found}
    return [_schedule(by_name.get(name), name) for name in wanted]


def _schedule(found: Schedule | None, name: str) -> Finding:
    if found is None:
        return problem("schedules", f"Nothing calls the {name}.", f"{_APPLY} or REGION")
    if found.paused:
        return warning("schedules", f"The schedule of the {name} is paused.", f"`withearth schedules resume {name}`")
    if "failed" in found.last:
        return warning("schedules", f"The last call of the {name} failed ({found.last}).", "look at its log")
    return ok("schedules", f"The {name} is called at {found.cron} UTC.")
