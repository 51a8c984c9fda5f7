"""The options by which a command is told who predicts."""

from pathlib import Path
from typing import Annotated

import typer

from withearth.domain.errors import Misconfigured

Who = Annotated[
    str | None,
    typer.Option("--predictor", help="baseline, gemini, ensemble or recorded; without it PREDICTOR decides."),
]
Answers = Annotated[
    str | None, typer.Option("--decisions", help="`recorded`: give the stored answers of --from-run again.")
]
FromRun = Annotated[
    Path | None,
    typer.Option("--from-run", help="Directory of a run, or file of exported decisions, to take answers from."),
]


def predictor_options(who: str | None, answers: str | None, from_run: Path | None) -> dict[str, str | None]:
    """The settings these options stand for. Raises Misconfigured when they contradict each other."""
    if answers not in {None, "recorded"}:
        raise Misconfigured(f"--decisions is {answers}, allowed is recorded: leave it out to have decisions made anew.")
    if answers == "recorded" and from_run is None:
        raise Misconfigured("--decisions is recorded, and --from-run is missing: name the run to take answers from.")
    if from_run is not None and who not in {None, "recorded"}:
        raise Misconfigured(f"--from-run gives recorded answers, and --predictor is {who}: leave one of them out.")
    recorded = from_run is not None
    return {
        "PREDICTOR": "recorded" if recorded else who,
        "RECORDED_DECISIONS": None if from_run is None else str(from_run),
    }


def refuse_own_answers(directory: Path, from_run: Path | None) -> None:
    """Raise Misconfigured when a run would write over the very books it takes its answers from."""
    if from_run is not None and from_run.resolve() == directory.resolve():
        raise Misconfigured(f"--from-run and --state are both {directory}: give the new run a directory of its own.")
