"""What every use case is given: the settings and the ports, chosen once in `bootstrap`."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, cast

from withearth.domain.clock import Timer
from withearth.execution.venue import Venue
from withearth.market.traffic import Traffic
from withearth.messaging.port import Publisher
from withearth.settings import Settings
from withearth.store.blobs import Archive, Blobs
from withearth.store.port import DocumentStore, Stored
from withearth.views.contract import Mode

if TYPE_CHECKING:  # a runtime holds them whatever they are: numpy and pydantic models come with who is chosen
    from withearth.decision.prediction import Predictor
    from withearth.decision.sentiment import SentimentSource
    from withearth.market.port import Market

SHADOW: Final[Mode] = "SHADOW"
"""The mode without a venue: no limit stops its trades, for they risk nothing."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """The ports of one installation. Without a venue no order is ever sent: intents become shadow trades."""

    settings: Settings
    clock: Timer
    market: "Market"
    store: DocumentStore
    publisher: Publisher
    predictor: "Predictor"
    payloads: Blobs | None = None
    sentiment: "SentimentSource | None" = None
    venue: Venue | None = None
    traffic: Traffic | None = None
    """The account of what may be asked of the market, where that is limited."""
    venue_traffic: Traffic | None = None
    """The same for where orders go; one and the same account when both are one host."""
    archive: Archive | None = None
    """Where each day's journal and balance are copied to."""

    @property
    def mode(self) -> Mode:
        """What kind of trades these are, in the word that stands beside every number of theirs."""
        return SHADOW if self.venue is None else cast("Mode", self.venue.kind)


def is_of(runtime: Runtime, document: Stored) -> bool:
    """Whether an intent, a trade or a position belongs to this kind of trades; one that does not say it does."""
    return bool(document.data.get("mode", runtime.mode) == runtime.mode)
