"""cloudbuild.yaml: the file is valid, and its steps are those of the deployment by hand."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from ruamel.yaml import YAML

ROOT: Final = Path(__file__).resolve().parents[2]
FILE: Final = ROOT / "cloudbuild.yaml"
SCRIPT: Final = ROOT / "deploy" / "deploy.sh"
BUILT_IN: Final = {"PROJECT_ID"}


@pytest.fixture(scope="module")
def build() -> Any:
    """The file's contents."""
    return YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))


def test_the_file_passes_cloud_build_s_schema() -> None:
    """The schema that the project check-jsonschema carries."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.cloudbuild", str(FILE)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_substitution_is_known(build: Any) -> None:
    """One that nobody fills would be refused by Cloud Build, or be empty."""
    used = set(re.findall(r"\$\{(\w+)\}", FILE.read_text(encoding="utf-8")))

    assert used <= BUILT_IN | set(build["substitutions"])


def test_every_step_waits_for_steps_that_come_before(build: Any) -> None:
    """A name that is misspelt would wait for nothing."""
    before: set[str] = set()
    for step in build["steps"]:
        assert set(step.get("waitFor", [])) <= before
        before.add(step["id"])


def test_the_steps_are_those_of_the_script_and_in_its_order(build: Any) -> None:
    """What Cloud Build leaves out is what a person's machine has to do once."""
    steps = re.search(r'^STEPS="(.+)"$', SCRIPT.read_text(encoding="utf-8"), re.MULTILINE)
    assert steps is not None
    known = steps.group(1).split()
    arguments = " ".join(str(arg) for step in build["steps"] for arg in step["args"])
    called = re.findall(r"--only[, ]+\"?([\w,]+)", arguments)
    given = [name for names in called for name in names.split(",")]
    named = [*given, "doctor"]

    assert set(known) - set(named) == {"check", "state", "keep"}
    assert named.index("plan") < named.index("apply") < named.index("hosting")
    assert set(named) <= set(known)


def test_nothing_is_applied_before_the_tests_have_passed(build: Any) -> None:
    """Every step but the first comes, at some distance, after the tests."""
    waits = {step["id"]: step.get("waitFor") for step in build["steps"]}

    def after_tests(name: str) -> bool:
        if name == "test":
            return True
        return waits[name] is None or any(after_tests(each) for each in waits[name])

    assert all(after_tests(name) for name in waits)
    assert waits["test"] is None
