"""A key that its owner has replaced in Secret Manager while functions run."""

from pathlib import Path

import pytest

from tests.builders.installation import settings_of
from tests.builders.trading import KEY, SYMBOL, World
from tests.pipeline.execution.test_live_venue import LIVE, Overheard
from withearth.domain.errors import Misconfigured, Unavailable
from withearth.execution.binance import open_binance_venue
from withearth.paper.face import Face
from withearth.paper.transport import PaperTransport
from withearth.paper.wire.security import ApiKey

REFERENCES = {"BINANCE_API_KEY": "secret://key", "BINANCE_API_SECRET": "secret://secret"}


class Vault:
    """Hands out a key the exchange does not know, and once it was told so, the newer one."""

    def __init__(self, *, newer: str) -> None:
        self.value = KEY
        self._newer = newer

    def resolve(self, name: str) -> str:
        """The value there is."""
        return self.value

    def forget(self, name: str) -> None:
        """It was refused."""
        self.value = self._newer


def test_a_refused_key_is_fetched_anew(tmp_path: Path) -> None:
    """The refused call stays refused, the next one goes out with the newer key: no instance has to be started anew."""
    world, vault = World(), Vault(newer=KEY)
    vault.value = "replaced"
    settings = settings_of(tmp_path, **LIVE | REFERENCES)
    with pytest.raises(Misconfigured, match="-2015"):
        open_binance_venue(settings, world, Overheard(world), vault)

    venue = open_binance_venue(settings, world, Overheard(world), vault)
    assert 0 == venue.truth(SYMBOL).position.qty


def test_a_running_venue_takes_up_the_newer_key(tmp_path: Path) -> None:
    """The key is refused in the middle of its life; its line is built anew with what is stored now."""
    world, vault = World(), Vault(newer="newer")
    line = Overheard(world)
    venue = open_binance_venue(settings_of(tmp_path, **LIVE | REFERENCES), world, line, vault)
    line._way = PaperTransport(Face(world.exchange, world, [ApiKey("newer", "newer", KEY)]))
    with pytest.raises(Unavailable, match="-2015"):
        venue.truth(SYMBOL)

    assert 0 == venue.truth(SYMBOL).position.qty
