"""The machine: disk space and versions. Pure over what was read."""

from collections.abc import Mapping
from typing import Final

from withearth.doctor.findings import Finding, ok, problem, warning

DISK_LEAST: Final = 100_000_000
DISK_LITTLE: Final = 1_000_000_000
PYTHON_MIN: Final = (3, 11)
SQLITE_MIN: Final = (3, 38, 0)
SDK: Final = "binance-sdk-derivatives-trading-usds-futures"
PINNED: Final[Mapping[str, str]] = {SDK: "18.1.0", "binance-common": "4.7.0"}
"""The versions that the exchange's adapter was measured with; the SDK is looked into for its session."""


def disk(setting: str, path: str, free: int) -> Finding:
    """Whether there is room for books and logs, in bytes."""
    text = f"{free / 1e9:.1f} GB are free for {setting} ({path})"
    if free < DISK_LEAST:
        return problem("disk", f"{text}, needed are {DISK_LEAST / 1e9:.1f}.", "free some space, or choose another disk")
    if free < DISK_LITTLE:
        return warning("disk", f"{text}, which fills within weeks.", "free some space")
    return ok("disk", f"{text}.")


def versions(
    ours: str, python: tuple[int, int], sqlite: tuple[int, int, int], installed: Mapping[str, str | None]
) -> list[Finding]:
    """Python, SQLite and the pinned packages. `installed` has None for a package that is absent."""
    found = []
    if python < PYTHON_MIN:
        found.append(problem("versions", f"Python is {_text(python)}.", f"use Python {_text(PYTHON_MIN)} or newer"))
    if sqlite < SQLITE_MIN:
        found.append(problem("versions", f"SQLite is {_text(sqlite)}.", "use a newer Python"))
    for package, pinned in PINNED.items():
        present = installed.get(package)
        if present != pinned:
            state = f"is {present}" if present else "is not installed"
            found.append(
                problem("versions", f"{package} {state}, tested is {pinned}.", "run `make lint`, or install it")
            )
    told = f"withearth {ours}, Python {_text(python)}, SQLite {_text(sqlite)}"
    return [*found, ok("versions", f"{told}, Binance SDK {installed.get(SDK) or '–'}.")]


def _text(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))
