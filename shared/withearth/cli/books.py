"""The books a command looks into: those that are named, or the newest ones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from withearth.bootstrap import open_store
from withearth.cli.console import settings_with
from withearth.domain.errors import Misconfigured
from withearth.local.state import latest_books
from withearth.store.port import Document, DocumentStore, Query

PAGE: Final = 1_000

State = Annotated[Path | None, typer.Option(help="Directory of the books; without it the newest ones.")]


def books(state: Path | None) -> DocumentStore:
    """The books. Raises Misconfigured where there are none."""
    directory = state or latest_books(settings_with({}).state_dir)
    if not (directory / "store.db").is_file():
        raise Misconfigured(f"--state is {directory}, which holds no books: name the directory of a run.")
    return open_store(directory)


def documents(store: DocumentStore, collection: str) -> Iterator[Document]:
    """Every document of a collection in id order, a page at a time."""
    last = ""
    while page := store.query(Query(collection, after=("", last) if last else None, limit=PAGE)):
        yield from (each.data for each in page)
        last = page[-1].ref.id
