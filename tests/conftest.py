"""For all tests: a property is never judged by how busy the machine is, and what needs an emulator says so."""

import os
from collections.abc import Iterator
from itertools import count

import pytest
from hypothesis import settings

from tests.emulators import FIRESTORE, PUBSUB, Emulator, NotFound, command_of, running

# The same commit has the same verdict: properties repeat their examples. `make search` looks for new ones.
settings.register_profile("repeated", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None)
settings.load_profile("repeated")

_numbers = count(1)


def pytest_report_header() -> list[str]:
    """Say before anything runs which emulators were found, and what their absence means."""
    return [_found(emulator) for emulator in (FIRESTORE, PUBSUB)]


def _found(emulator: Emulator) -> str:
    if not os.environ.get(emulator.host_variable):
        try:
            command_of(emulator, os.environ)
        except NotFound as error:
            return f"SKIPPED without it: {error}"
    return f"{emulator.title} emulator: found"


def _emulator(emulator: Emulator) -> Iterator[str]:
    try:
        with running(emulator) as address:
            yield address
    except NotFound as error:
        if os.environ.get("REQUIRE_EMULATORS") == "1":
            pytest.fail(f"REQUIRE_EMULATORS is 1. {error}")
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def firestore_emulator() -> Iterator[str]:
    """The host:port of a Firestore emulator, started once for all tests."""
    yield from _emulator(FIRESTORE)


@pytest.fixture(scope="session")
def pubsub_emulator() -> Iterator[str]:
    """The host:port of a Pub/Sub emulator, started once for all tests."""
    yield from _emulator(PUBSUB)


@pytest.fixture
def project() -> str:
    """A project that no other test has: an emulator knows every project, and each begins empty."""
    return f"demo-{os.getpid()}-{next(_numbers)}"
