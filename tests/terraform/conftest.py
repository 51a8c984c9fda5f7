"""The plans that the tests read: each is made once, also where several processes run the tests."""

import os

import pytest

from tests.terraform.plans import EVERYTHING, Plan, held, planned, read


@pytest.fixture(scope="session")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Everything switched on: no other choice makes more, or grants more."""
    return _once(tmp_path_factory, "everything", EVERYTHING)


@pytest.fixture(scope="session")
def default_plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Nothing chosen."""
    return _once(tmp_path_factory, "defaults", {})


def _once(tmp_path_factory: pytest.TempPathFactory, name: str, chosen: dict[str, object]) -> Plan:
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    with held(shared / f"{name}.lock"):
        file = shared / f"{name}.json"
        if not file.exists():
            planned(chosen, file)
    return read(file)
