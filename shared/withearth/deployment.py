"""What Terraform is told by the code, so that nothing is written down twice: one file, generated and tested.

Sizes stand here because the estimate of costs needs them too. Times are seconds, memory is MiB, cpu is vCPUs.

What a plan cannot check by this file, the rules between two settings, `python -m withearth.deployment PLAN.json` checks
before it is applied: otherwise no function would start, and nobody would look after what is open.
"""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, get_args

from pydantic import SecretStr

from withearth import signals
from withearth.domain.errors import Misconfigured
from withearth.flow.documents import EXPIRE_AT, EXPIRING
from withearth.local.scheduler import CLOUD_JOBS, SLOW_JOBS
from withearth.messaging.port import MARKET_TICKS, TRADE_INTENTS
from withearth.settings import KEYS, load_settings
from withearth.settings.wording import bounds, field_of
from withearth.store.indexes import INDEXES, Index

FILE: Final = Path("terraform/generated.json")
FUNCTION: Final = "google_cloudfunctions2_function"
ONE_MACHINE: Final = frozenset(
    {"DATA_DIR", "FIRESTORE_EMULATOR_HOST", "PORT", "PUBSUB_EMULATOR_HOST", "RECORDED_DECISIONS"}
)
"""Settings that a function cannot be given: the platform sets PORT itself, and the others lead to nothing there."""


@dataclass(frozen=True, slots=True)
class Size:
    """What one function gets. `concurrency` requests share an instance; a whole vCPU is needed for more than one."""

    memory_mib: int
    cpu: float
    timeout_s: int
    concurrency: int
    max_instances: int


# Who works under a lease of 120 s may not outlive it; an execution works for up to 100 s, and a model may take 60. The
# dispatcher has no lease: with many symbols it waits for the minutes in which it may go on. Workers keep candles in
# memory, so a few with many requests each ask the exchange for less than many with a few.
SIZES: Final = {
    "dispatcher": Size(memory_mib=512, cpu=0.333, timeout_s=290, concurrency=1, max_instances=1),
    "worker": Size(memory_mib=1024, cpu=1, timeout_s=115, concurrency=16, max_instances=4),
    "executor": Size(memory_mib=512, cpu=1, timeout_s=115, concurrency=1, max_instances=4),
    "reconciler": Size(memory_mib=512, cpu=0.333, timeout_s=115, concurrency=1, max_instances=1),
    "sentiment": Size(memory_mib=512, cpu=0.333, timeout_s=600, concurrency=1, max_instances=1),
    "api": Size(memory_mib=512, cpu=0.333, timeout_s=60, concurrency=1, max_instances=2),
}


def generated() -> str:
    """The text of the file."""
    content = {
        "functions": {name: asdict(size) for name, size in SIZES.items()},
        "schedules": {job.function: job.cron for job in (*CLOUD_JOBS, *SLOW_JOBS)},
        "topics": [MARKET_TICKS, TRADE_INTENTS],
        "indexes": [_index(each) for each in INDEXES if each.composite],
        "expiring": {"collections": sorted(EXPIRING), "field": EXPIRE_AT},
        "signals": {
            "field": signals.FIELD,
            "codes": {each.value: each.sentence for each in signals.Signal},
            "apart": {each.value: signals.APART.get(each, ()) for each in signals.Signal},
        },
        "settings": {key: _allowed(key) for key in sorted(KEYS) if _may_be_told(key)},
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _index(index: Index) -> dict[str, Any]:
    """A composite index as Firestore takes it: the equal fields first, then the one that orders."""
    fields = [(name, "ASCENDING") for name in index.equal]
    if index.order_by is not None:
        fields.append((index.order_by, index.direction.upper()))
    return {"collection": index.collection, "fields": [{"field": name, "order": order} for name, order in fields]}


def _may_be_told(key: str) -> bool:
    """Whether a plan may hand this to the functions: no secret, and nothing of one machine."""
    return key not in ONE_MACHINE and field_of(key).annotation is not SecretStr


def _allowed(key: str) -> dict[str, Any]:
    """What a plan can check of a value: `min` and `max` of a number, or the `choices`; nothing for free text."""
    ends = bounds(key)
    if ends is not None:
        return {"min": _number(ends[0]), "max": _number(ends[1])}
    annotation = field_of(key).annotation
    choices = ("true", "false") if annotation is bool else get_args(annotation)
    plain = [each for each in choices if isinstance(each, str)]
    return {"choices": plain} if plain and len(plain) == len(choices) else {}


def _number(value: float | Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)


def check(plan: Mapping[str, Any]) -> None:
    """Raise Misconfigured, a sentence a line, unless every function of a plan in Terraform's JSON starts as planned."""
    for change in plan["resource_changes"]:
        planned = change["change"]["after"]
        if change["type"] == FUNCTION and planned is not None:
            load_settings(planned["service_config"][0]["environment_variables"], env_file=None)


def main(file: str) -> int:
    """Check the plan in a file; return the exit status."""
    try:
        check(json.loads(Path(file).read_text(encoding="utf-8")))
    except Misconfigured as error:
        sys.stderr.write(f"The plan must not be applied. {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
