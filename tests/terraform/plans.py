"""Plans the Terraform configuration with the genuine Terraform and a stand-in for Google's provider.

The stand-in (`tfcheck`) has the provider's real schema and reaches nothing. It is found through TFCHECK, the directory
it lies in, or beside the repository; without it, or without a Terraform, the tests are skipped and say so.
"""

import fcntl
import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir
from typing import Any, Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
CONFIGURATION: Final = ROOT / "terraform"
PROJECT: Final = "demo-project"
OWNER: Final = "owner@example.com"
FUNCTIONS: Final = ("dispatcher", "worker", "executor", "reconciler", "sentiment", "api")
EVERYTHING: Final = {
    "execute_trades": True,
    "predictor": "gemini",
    "vertex": True,
    "sentiment": True,
    "static_egress": True,
    "workers_behind_static_egress": True,
    "max_instances": {"worker": 100, "executor": 10, "api": 100},
    "billing_account": "012345-6789AB-CDEF01",
    "budget_currency": "KRW",
    "monthly_budget": 42000,
    "repository": {"owner": "somebody", "name": "withearth"},
    "packages": dict.fromkeys(FUNCTIONS, "0" * 64),
}
"""Every variable that adds resources."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What Terraform would make."""

    document: dict[str, Any]

    def resources(self, kind: str = "") -> Iterator[dict[str, Any]]:
        """Every resource of a type, as it would be after the apply."""
        for change in self.document["resource_changes"]:
            if change["mode"] == "managed" and (not kind or change["type"] == kind):
                yield change["change"]["after"] | {"address": change["address"], "kind": change["type"]}

    def one(self, kind: str, name: str) -> dict[str, Any]:
        """The resource of this type and name."""
        (found,) = (each for each in self.resources(kind) if each["name"] == name)
        return found


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run tfcheck on the configuration. Skips the test, aloud, where there is no tfcheck or no Terraform."""
    command = [sys.executable, str(_tool()), *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Nobody else's while the block lasts, in this process or another."""
    with path.open("w", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@functools.cache
def _tool() -> Path:
    beside = ROOT.parent / "shared" / "tools" / "tfcheck"
    tool = Path(os.environ.get("TFCHECK", beside)) / "tfcheck.py"
    if not tool.is_file():
        _without(f"there is no {tool}: set TFCHECK to the directory that holds tfcheck.py")
    command = [sys.executable, str(tool), "tf", str(CONFIGURATION), "--", "version"]
    # The first call lays the providers out for all others, and must not be met at it.
    with held(Path(gettempdir()) / "withearth-tfcheck.lock"):
        found = subprocess.run(command, capture_output=True, text=True, check=False)
    if found.returncode:
        _without((found.stdout + found.stderr).strip())
    return tool


def _without(why: str) -> None:
    if os.environ.get("REQUIRE_TERRAFORM"):
        pytest.fail(f"REQUIRE_TERRAFORM is set, and {why}")
    pytest.skip(f"Terraform's plan is not tested: {why}")


def planned(chosen: Mapping[str, object], file: Path) -> None:
    """Plan with these variables beside the required ones, into a file of JSON."""
    with TemporaryDirectory() as directory:
        variables = Path(directory) / "chosen.tfvars.json"
        variables.write_text(json.dumps({"project_id": PROJECT, "owner_email": OWNER, **chosen}), encoding="utf-8")
        made = Path(directory) / "plan.json"
        done = run("check", str(CONFIGURATION), "--plan", "--plan-json", str(made), "--var-file", str(variables))
        assert done.returncode == 0, done.stdout + done.stderr
        shutil.copy(made, file)


def read(file: Path) -> Plan:
    """A plan in a file."""
    return Plan(json.loads(file.read_text(encoding="utf-8")))
