"""What the dashboard is told about the exchange: its clock against ours, and the weight of the minute."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.builders.installation import Installation
from withearth.flow.documents import view_ref
from withearth.flow.reconcile import reconcile
from withearth.market.traffic import Traffic


@pytest.mark.parametrize(
    ("ahead_ms", "level"), [(-501, "watch"), (0, "ok"), (500, "ok"), (501, "watch"), (6000, "alarm")]
)
def test_r15_a_skewed_clock_is_a_health_problem(tmp_path: Path, ahead_ms: int, level: str) -> None:
    """R15: measured by any process, told by the reconciler, and no longer well beyond half a second."""
    installation = Installation(tmp_path)
    installation.clock.sleep(timedelta(seconds=30))
    worker, own = (Traffic("outside", installation.clock, installation.store) for _ in range(2))
    worker.measured(timedelta(milliseconds=ahead_ms))
    worker.heard(200, {"X-MBX-USED-WEIGHT-1M": "1300"})
    reconcile(replace(installation.runtime, traffic=own))

    stored = installation.store.get(view_ref("overview"))
    assert stored is not None
    assert stored.data["clock_skew_ms"] == -ahead_ms
    assert (stored.data["weight"]["used"], stored.data["weight"]["limit"]) == (1300, 2400)
    assert [check["level"] for check in stored.data["health"] if check["check"] == "CLOCK"] == [level]
