"""The books a command looks into: those that are named, or the newest ones."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from withearth.bootstrap import choose_store, open_store
from withearth.cli.console import settings_with
from withearth.domain.errors import Misconfigured
from withearth.local.state import latest_books
from withearth.settings import Settings
from withearth.store.port import Document, DocumentStore, Query

PAGE: Final = 1_000

State = Annotated[
    Path | None, typer.Option(help="Directory of the books; without it the newest ones, or those in the cloud.")
]


def books(state: Path | None) -> DocumentStore:
    """The books. Raises Misconfigured where there are none."""
    settings = settings_with({})
    if state is None and settings.store == "cloud":
        return choose_store(settings)
    directory = state or latest_books(settings.state_dir)
    if not (directory / "store.db").is_file():
        raise Misconfigured(f"--state is {directory}, which holds no books: name the directory of a run.")
    return open_store(directory)


def local_books(settings: Settings, state: Path | None = None) -> DocumentStore:
    """The books of this machine that a running system shares, those of no replay. Raises Misconfigured."""
    directory = state or settings.state_dir
    if not (directory / "store.db").is_file():
        raise Misconfigured(f"{directory} holds no books: start `withearth run` first, or name them with --state.")
    return open_store(directory)


def documents(store: DocumentStore, collection: str) -> Iterator[Document]:
    """Every document of a collection in id order, a page at a time."""
    last = ""
    while page := store.query(Query(collection, after=("", last) if last else None, limit=PAGE)):
        yield from (each.data for each in page)
        last = page[-1].ref.id
