"""`withearth doctor`: would trading be safe with these settings, a verdict a line."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from withearth.bootstrap import choose_secrets
from withearth.cli.console import console
from withearth.doctor.checkup import Practice, checks_of
from withearth.doctor.findings import Finding, Verdict, document, is_safe, sentence
from withearth.doctor.running import run
from withearth.domain.canonical import canonical_json
from withearth.domain.errors import Misconfigured
from withearth.local.clocks import WallClock
from withearth.settings import Settings, load_settings, redact


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON, in a stable shape.")] = False,
) -> None:
    """Look at settings, key, exchange, account, instruments, model, books and machine, and change nothing.

    Exits with 0 only when trading would be safe with these settings.
    """
    clock = WallClock()
    findings = _findings(clock)
    if as_json:
        sys.stdout.write(canonical_json(document(findings, clock.now().isoformat())) + "\n")
    else:
        _print(findings)
    if not is_safe(findings):
        raise typer.Exit(1)


def _findings(clock: WallClock) -> list[Finding]:
    """What every check found; only the settings' own problems where they cannot be loaded."""
    try:
        settings = load_settings(os.environ, Path(".env"))
    except Misconfigured as error:
        return [sentence("settings", line) for line in str(error).splitlines()]
    return [
        _without_secrets(each, settings)
        for each in run(checks_of(Practice(settings, clock, secrets=choose_secrets(settings, clock))))
    ]


def _without_secrets(finding: Finding, settings: Settings) -> Finding:
    text, remedy = (redact(each, settings) for each in (finding.text, finding.remedy))
    return Finding(finding.check, finding.verdict, text, remedy)


def _print(findings: list[Finding]) -> None:
    table = Table("", "check", "verdict", "what", "what to do", show_lines=False)
    for each in findings:
        table.add_row(each.verdict.symbol, each.check, each.verdict.value, each.text, each.remedy)
    console.print(table)
    problems = sum(each.verdict is Verdict.PROBLEM for each in findings)
    if problems:
        console.print(f"Trading would not be safe with these settings: {problems} problems.")
    else:
        console.print("Trading would be safe with these settings.")
