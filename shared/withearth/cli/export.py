"""`withearth export`: decisions, trades and the rest of the books as text, one document a line."""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from withearth.cli.books import State, books, documents
from withearth.domain.canonical import canonical_json
from withearth.flow.documents import DECISIONS, EVENTS, INTENTS, TRADES
from withearth.flow.journal_csv import write_journal
from withearth.store.port import Document

app = typer.Typer(help="Write the books out, one document a line.", no_args_is_help=True)

Json = Annotated[bool, typer.Option("--json", help="Canonical JSON, one document a line (the default).")]


@app.command()
def decisions(state: State = None, _json: Json = True) -> None:
    """Decisions with their whole audit, by id."""
    _print_documents(state, DECISIONS)


@app.command()
def intents(state: State = None, _json: Json = True) -> None:
    """Intents and what became of them, by id."""
    _print_documents(state, INTENTS)


@app.command()
def events(state: State = None, _json: Json = True) -> None:
    """Operational events, by id."""
    _print_documents(state, EVENTS)


@app.command()
def trades(
    state: State = None,
    _json: Json = True,
    as_csv: Annotated[bool, typer.Option("--csv", help="The classic journal columns, then the net figures.")] = False,
) -> None:
    """The journal, by id."""
    if not as_csv:
        _print_documents(state, TRADES)
        return
    write_journal(sys.stdout, documents(books(state), TRADES))


def _print_documents(state: Path | None, collection: str) -> None:
    sys.stdout.writelines(_lines(documents(books(state), collection)))


def _lines(documents: Iterable[Document]) -> Iterator[str]:
    return (f"{canonical_json(each)}\n" for each in documents)
