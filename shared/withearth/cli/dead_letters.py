"""`withearth dead-letters`: the messages of the local bus that no attempt could deliver, and another try for them."""

from contextlib import closing
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from withearth.cli.console import console, settings_with
from withearth.domain.errors import Misconfigured
from withearth.local.clocks import WallClock
from withearth.local.state import open_bus
from withearth.messaging.subscriptions import DeadLetter

SHOWN: Final = 100
"""Most characters of a message that are shown."""
_ATTEMPTS: Final = "CloudPubSubDeadLetterSourceDeliveryCount"
_PUBLISHED: Final = "CloudPubSubDeadLetterSourceTopicPublishTime"


def dead_letters(
    revive: Annotated[list[int] | None, typer.Option(help="Deliver the one with this id again; repeatable.")] = None,
    revive_all: Annotated[bool, typer.Option("--revive-all", help="Deliver all of them again.")] = False,
    state: Annotated[Path | None, typer.Option(help="Directory of the bus; without it STATE_DIR.")] = None,
) -> None:
    """List the messages that no attempt could deliver, or give them another five attempts.

    A revived message is delivered by a running `withearth run`. One that is too late trades nothing: an intent expires.
    """
    settings = settings_with({})
    if settings.store == "cloud" and state is None:
        raise Misconfigured("STORE is cloud: the dead letters lie in Pub/Sub, in the dead-letter topic's subscription.")
    directory = state or settings.state_dir
    if not (directory / "bus.db").is_file():
        raise Misconfigured(
            f"{directory} holds no bus: start `withearth run` first, or name its directory with --state."
        )
    with closing(open_bus(directory, WallClock())) as bus:
        found = bus.dead_letters()
        wanted = [each.id for each in found] if revive_all else revive or []
        for letter_id in wanted:
            message_id = bus.revive_dead_letter(letter_id)
            console.print(f"Dead letter {letter_id} is to be delivered again, as message {message_id}.")
    if not wanted:
        _print(found)


def _print(found: list[DeadLetter]) -> None:
    if not found:
        console.print("No message is left undelivered.")
        return
    table = Table("id", "subscription", "published", "died (UTC)", "attempts", "message")
    for each in found:
        attributes = each.message.attributes
        died_at = f"{each.died_at:%Y-%m-%d %H:%M:%S}"
        text = each.message.data[:SHOWN].decode("utf-8", "replace")
        told = escape("".join(sign if sign.isprintable() else "·" for sign in text))
        table.add_row(str(each.id), each.subscription, attributes[_PUBLISHED], died_at, attributes[_ATTEMPTS], told)
    console.print(table)
