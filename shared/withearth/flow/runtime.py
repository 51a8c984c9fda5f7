"""What every use case is given: the settings and the ports, chosen once in `bootstrap`."""

from dataclasses import dataclass

from withearth.decision.prediction import Predictor
from withearth.domain.clock import Clock
from withearth.market.port import Market
from withearth.messaging.port import Publisher
from withearth.settings import Settings
from withearth.store.port import DocumentStore


@dataclass(frozen=True, slots=True)
class Runtime:
    """The ports of one installation."""

    settings: Settings
    clock: Clock
    market: Market
    store: DocumentStore
    publisher: Publisher
    predictor: Predictor
