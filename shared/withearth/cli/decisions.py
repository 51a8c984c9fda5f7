"""`withearth decisions`: tell one decision's story, measure how stable answers are, and how far to believe them."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from withearth.bootstrap import assemble
from withearth.cli.books import State, books, documents
from withearth.cli.console import console, settings_with
from withearth.cli.predicting import Who
from withearth.cli.story_page import print_story
from withearth.decision.calibration import CalibrationMap
from withearth.decision.calibration_fit import SAMPLES_MIN, FittedMethod, Improvement, fit, improvement
from withearth.decision.reliability import Sample, Scores, by_symbol_and_regime, reliability, sample_of, scores
from withearth.decision.spend import usd
from withearth.domain.canonical import canonical_json
from withearth.domain.errors import Misconfigured
from withearth.flow.calibrations import keep_map
from withearth.flow.documents import DECISIONS, LABELS
from withearth.flow.stability import Stability, measure
from withearth.flow.story import story
from withearth.local.clocks import WallClock
from withearth.local.state import open_bus
from withearth.store.port import Document, DocumentStore, Query

NEWEST_LOOKED_AT: Final = 500

app = typer.Typer(help="Look into decisions.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Print canonical JSON.")]


@app.command()
def show(
    decision_id: Annotated[str, typer.Argument(help="Such as BTCUSDT-20240101T0005Z.")],
    state: State = None,
    as_json: Json = False,
) -> None:
    """Print the whole story of one decision, from its features to its exit."""
    found = story(books(state), decision_id)
    if as_json:
        sys.stdout.write(canonical_json(found) + "\n")
    else:
        print_story(console, found)


@app.command()
def stability(
    repeat: Annotated[int, typer.Option(help="How often each question is put.", min=2, max=100)] = 5,
    last: Annotated[int, typer.Option(help="How many of the newest decisions are asked about.", min=1, max=100)] = 5,
    symbol: Annotated[str | None, typer.Option(help="Only this symbol's decisions.")] = None,
    predictor: Who = None,
    state: State = None,
    as_json: Json = False,
) -> None:
    """Put the questions of stored decisions again and again, and report how far the answers agree.

    Every question is paid for, from the same day's budget as decisions are.
    """
    store = books(state)
    chosen = _askable(store, symbol, last)
    settings, clock = settings_with({"PREDICTOR": predictor}), WallClock()
    with TemporaryDirectory(prefix="withearth-") as passing:
        runtime = assemble(settings, clock, store, open_bus(Path(passing), clock))
        measured = [measure(replace(runtime, payloads=None), decision, repeat) for decision in chosen]
    _print_stability(measured, runtime.predictor.name, as_json=as_json)


def _askable(store: DocumentStore, symbol: str | None, last: int) -> list[Document]:
    """The newest decisions that came as far as a question. Raises Misconfigured when there is none."""
    where: Mapping[str, str | int | bool] = {} if symbol is None else {"symbol": symbol.upper()}
    query = Query(DECISIONS, where=where, order_by="decided_at", direction="descending", limit=NEWEST_LOOKED_AT)
    found = [each.data for each in store.query(query) if each.data.get("snapshot_hash") is not None]
    if not found:
        raise Misconfigured("None of these decisions came as far as a predictor: name other books, or another symbol.")
    return found[:last]


def _print_stability(measured: Sequence[Stability], predictor: str, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(
            canonical_json({"predictor": predictor, "decisions": [asdict(each) for each in measured]}) + "\n"
        )
        return
    table = Table("decision", "asked", "directions", "agreement", "prob", "spread", "refused", "USD", title=predictor)
    for each in measured:
        prob, spread = ("–" if value is None else f"{value:.3f}" for value in (each.prob_mean, each.prob_spread))
        directions, refused = (_counts(counts) for counts in (each.directions, each.refused))
        cells = (str(each.asked), directions, f"{each.agreement:.0%}", prob, spread, refused, usd(each.cost_micro_usd))
        table.add_row(each.decision_id, *cells)
    console.print(table)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items())) or "–"


@app.command()
def calibrate(
    predictor: Annotated[
        str | None, typer.Option(help="Whose probabilities; without it the only one there is.")
    ] = None,
    method: Annotated[str, typer.Option(help="isotonic or platt.")] = "isotonic",
    min_samples: Annotated[
        int, typer.Option(help="Fewer labelled decisions leave everything as said.", min=10)
    ] = SAMPLES_MIN,
    state: State = None,
    into: Annotated[Path | None, typer.Option(help="Books that get the map; without it those of the labels.")] = None,
    as_json: Json = False,
) -> None:
    """Hold probabilities against what happened, and keep the map that corrects them."""
    if method not in {"isotonic", "platt"}:
        raise Misconfigured(f"--method is {method}, allowed are isotonic and platt.")
    chosen: FittedMethod = "isotonic" if method == "isotonic" else "platt"
    source = books(state)
    name, samples = _samples(source, predictor)
    fitted = fit(name, samples, chosen, min_samples)
    better = improvement(name, samples, chosen, min_samples)
    keep_map(source if into is None else books(into), fitted)
    if as_json:
        sys.stdout.write(canonical_json(_calibration_document(fitted, better, samples)) + "\n")
    else:
        _print_calibration(fitted, better, samples)


def _samples(store: DocumentStore, predictor: str | None) -> tuple[str, list[Sample]]:
    """The predictor and its labelled decisions. Raises Misconfigured when it is not clear which, or there are none."""
    labelled = [each for each in map(sample_of, documents(store, LABELS)) if each is not None]
    names = sorted({each.predictor for each in labelled})
    if not names:
        raise Misconfigured("There are no labelled decisions in these books yet: run longer than HORIZON_MIN first.")
    if predictor is None and len(names) > 1:
        raise Misconfigured(f"--predictor is missing, and these books know {', '.join(names)}: choose one.")
    chosen = predictor or names[0]
    if chosen not in names:
        raise Misconfigured(f"--predictor is {chosen}, and these books know {', '.join(names)}: choose one of them.")
    return chosen, [each for each in labelled if each.predictor == chosen]


def _calibration_document(
    fitted: CalibrationMap, better: Improvement | None, samples: Sequence[Sample]
) -> dict[str, Any]:
    pairs = [(each.prob, each.hit) for each in samples]
    return {
        "map": fitted.to_document(),
        "scores": asdict(scores(pairs)),
        "reliability": [asdict(each) for each in reliability(pairs)],
        "by_symbol_and_regime": {" ".join(key): asdict(each) for key, each in by_symbol_and_regime(samples).items()},
        "on_unseen_samples": None if better is None else asdict(better),
    }


def _print_calibration(fitted: CalibrationMap, better: Improvement | None, samples: Sequence[Sample]) -> None:
    pairs = [(each.prob, each.hit) for each in samples]
    table = Table("probability", "samples", "said", "happened", title=f"Reliability of {fitted.predictor}")
    for each in reliability(pairs):
        table.add_row(
            f"{each.low:.1f} to {each.high:.1f}", str(each.samples), f"{each.said:.3f}", f"{each.happened:.3f}"
        )
    console.print(table)
    rows = {"all": scores(pairs)} | {" ".join(key): each for key, each in by_symbol_and_regime(samples).items()}
    if better is not None:
        rows |= {"unseen, as said": better.raw, "unseen, calibrated": better.calibrated}
    console.print(_score_table(rows))
    if fitted.method == "identity":
        console.print(f"{fitted.samples} samples are too few, or all alike: probabilities are left as they are said.")
    else:
        console.print(f"Kept: a map by {fitted.method} regression over {fitted.samples} samples up to {fitted.until}.")


def _score_table(rows: Mapping[str, Scores]) -> Table:
    table = Table("symbol and regime", "samples", "said", "happened", "Brier", "log loss")
    for name, each in rows.items():
        numbers = (each.said, each.happened, each.brier, each.log_loss)
        table.add_row(name, str(each.samples), *(f"{number:.3f}" for number in numbers))
    return table
