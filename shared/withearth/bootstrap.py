"""The one place that chooses adapters.

A function finds its runtime in the request's WSGI environment, where the local cloud puts it, or builds one from the
process's settings on its first request. No HTTP client can set that environment key: headers arrive as `HTTP_…`.
Adapters are imported where they are chosen, so that a function starts with only what it uses.
"""

import functools
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from withearth.decision.prediction import Predictor
from withearth.domain.clock import Clock
from withearth.domain.errors import Misconfigured
from withearth.flow.runtime import Runtime
from withearth.market.port import Market
from withearth.messaging.port import Publisher
from withearth.settings import Settings, settings_from_process
from withearth.store.port import DocumentStore

if TYPE_CHECKING:
    from withearth.store.sqlite import SqliteStore

ENVIRON_KEY: Final = "withearth.runtime"
SYNTHETIC_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The synthetic market's own beginning: fixed, so that prices are the same after every restart."""


def runtime_of(environ: Mapping[str, Any]) -> Runtime:
    """The runtime a request is to be answered with. Raises Misconfigured on the first request of a wrong set-up."""
    given = environ.get(ENVIRON_KEY)
    return given if isinstance(given, Runtime) else _process_runtime()


@functools.cache
def _process_runtime() -> Runtime:
    from withearth.local.clocks import WallClock
    from withearth.local.state import open_bus

    settings, clock = settings_from_process(), WallClock()
    return assemble(settings, clock, open_store(settings.state_dir), open_bus(settings.state_dir, clock))


def assemble(settings: Settings, clock: Clock, store: DocumentStore, publisher: Publisher) -> Runtime:
    """A runtime with the market and the predictor that the settings name."""
    return Runtime(settings, clock, choose_market(settings), store, publisher, choose_predictor(settings))


def open_store(directory: Path) -> "SqliteStore":
    """The documents of an installation on one machine."""
    from withearth.store.sqlite import SqliteStore

    return SqliteStore(directory / "store.db")


def choose_market(settings: Settings) -> Market:
    """Recorded files or the synthetic market, as MARKET says."""
    if settings.market == "recorded":
        from withearth.market.recorded import RecordedMarket

        return RecordedMarket(required(settings.data_dir, "DATA_DIR"), spread_bps=settings.model_spread_bps)
    from withearth.market.synthetic import SyntheticMarket

    return SyntheticMarket(
        settings.synthetic_seed,
        settings.symbols,
        start=SYNTHETIC_START,
        spread_bps=settings.model_spread_bps,
    )


def choose_predictor(settings: Settings) -> Predictor:
    """The baseline, or recorded answers, as PREDICTOR says."""
    if settings.predictor == "recorded":
        from withearth.decision.recorded import RecordedPredictor, read_decisions

        return RecordedPredictor(read_decisions(required(settings.recorded_decisions, "RECORDED_DECISIONS")))
    from withearth.decision.baseline import BaselinePredictor

    return BaselinePredictor()


def required(path: Path | None, key: str) -> Path:
    """The path a choice depends on. Raises Misconfigured when it is not set."""
    if path is None:
        raise Misconfigured(f"{key} is not set: give it the path that this choice reads from.")
    return path
