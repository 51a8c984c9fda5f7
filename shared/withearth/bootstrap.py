"""The one place that chooses adapters.

A function finds its runtime in the request's WSGI environment, where the local cloud puts it, or builds one from the
process's settings on its first request. No HTTP client can set that environment key: headers arrive as `HTTP_…`.
Adapters are imported where they are chosen, so that a function starts with only what it uses.
"""

import functools
import logging
import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast
from urllib.parse import urlsplit

from withearth.domain.canonical import digest
from withearth.domain.clock import Clock, Timer
from withearth.domain.errors import Misconfigured, WithEarthError
from withearth.domain.times import floor_to_tick, tick_id
from withearth.execution.venue import Venue
from withearth.flow.calibrations import newest_map
from withearth.flow.runtime import Runtime
from withearth.log_context import begin_request
from withearth.market.traffic import Traffic
from withearth.messaging.port import Publisher
from withearth.risk.limits import active, limits_of
from withearth.settings import SecretSource, Settings, load_settings, settings_from_process
from withearth.store.port import DocumentStore

if TYPE_CHECKING:
    from withearth.cloud.bucket import Bucket
    from withearth.decision.prediction import Predictor
    from withearth.decision.recorded import StoredDecisions
    from withearth.decision.sentiment import SentimentSource
    from withearth.local.schedules import Schedules
    from withearth.market.port import Market
    from withearth.market.routes import Note
    from withearth.store.blobs import Blobs
    from withearth.store.sqlite import SqliteStore

log = logging.getLogger(__name__)

ENVIRON_KEY: Final = "withearth.runtime"
SYNTHETIC_START: Final = datetime(2026, 1, 1, tzinfo=UTC)
"""The synthetic market's own beginning: fixed, so that prices are the same after every restart."""


def runtime_of(environ: Mapping[str, Any]) -> Runtime:
    """The runtime a request is to be answered with. Raises Misconfigured on the first request of a wrong set-up."""
    given = environ.get(ENVIRON_KEY)
    if isinstance(given, Runtime):
        return given
    # The first requests of a new instance come together: one of them builds, the others wait for it.
    with _building:
        runtime = _told(_process_runtime)
    if runtime.settings.store == "cloud":
        from withearth.cloud.logs import trace_fields

        begin_request(trace_fields(environ, runtime.settings.project_id))
    return runtime


def _told(build: Callable[[], Runtime]) -> Runtime:
    """What `build` makes; what a person has to mend first stands in the log as its sentences, not only as a trace."""
    try:
        return build()
    except Misconfigured as error:
        for sentence in str(error).splitlines():
            log.error("misconfigured %s", sentence)  # noqa: TRY400 - the sentence says it all
        raise


_building: Final = threading.Lock()


@functools.cache
def _process_runtime() -> Runtime:
    from withearth.local.clocks import WallClock

    if os.environ.get("STORE") == "cloud":
        # What is wrong with the settings has to be found in the log, too.
        _log_to_the_cloud(load_settings({}, env_file=None))
    settings, clock = settings_from_process(), WallClock()
    if settings.store == "cloud":
        _log_to_the_cloud(settings)
    return assemble(settings, clock, choose_store(settings), choose_publisher(settings, clock))


def _log_to_the_cloud(settings: Settings) -> None:
    from withearth.cloud.logs import configure_cloud_logging

    configure_cloud_logging(settings)


def assemble(
    settings: Settings, clock: Timer, store: DocumentStore, publisher: Publisher, market: "Market | None" = None
) -> Runtime:
    """A runtime with the market, the predictor and the rest that the settings name.

    A `market` that was opened already is used as it is.
    """
    traffic = choose_traffic(settings, clock, store)
    market = market or choose_market(settings, clock, traffic, _journalled(clock, store))
    secrets = choose_secrets(settings, clock)
    venue_traffic = _of_the_venue(settings, clock, store, traffic)
    bucket = choose_bucket(settings)
    venue = choose_venue(settings, market, clock, secrets, venue_traffic)
    if venue is not None:
        log.info("limits_active %s", " ".join(active(limits_of(settings, venue.kind))))
    return Runtime(
        settings,
        clock,
        market,
        store,
        publisher,
        choose_predictor(settings, clock, store, secrets),
        choose_payloads(settings, bucket),
        choose_sentiment(settings, secrets),
        venue,
        traffic,
        venue_traffic,
        bucket,
    )


def choose_store(settings: Settings) -> DocumentStore:
    """The books that STORE names."""
    if settings.store == "cloud":
        from withearth.store.firestore import FirestoreStore

        return FirestoreStore(settings.project_id, emulator=settings.firestore_emulator_host)
    return open_store(settings.state_dir)


def choose_publisher(settings: Settings, clock: Clock) -> Publisher:
    """The bus that STORE names. What never publishes never loads Pub/Sub's client."""
    if settings.store == "cloud":
        from withearth.messaging.deferred import DeferredPublisher

        return DeferredPublisher(functools.partial(_open_pubsub, settings))
    from withearth.local.state import open_bus

    return open_bus(settings.state_dir, clock)


def _open_pubsub(settings: Settings) -> Publisher:
    from withearth.messaging.pubsub import PubSubPublisher

    return PubSubPublisher(settings.project_id, emulator=settings.pubsub_emulator_host)


def choose_secrets(settings: Settings, clock: Clock) -> SecretSource | None:
    """Secret Manager of PROJECT_ID for what the settings only refer to."""
    if not settings.project_id:
        return None
    from withearth.cloud.secret_manager import SecretManager

    return SecretManager(settings.project_id, clock)


def open_cloud_schedules(settings: Settings) -> "Schedules":
    """Cloud Scheduler's jobs of a deployed installation."""
    from withearth.cloud.schedules import CloudSchedules

    return CloudSchedules(settings.project_id, settings.region)


def choose_bucket(settings: Settings) -> "Bucket | None":
    """The folder for archives and payloads, where GCS_BUCKET names one."""
    if not settings.gcs_bucket:
        return None
    from withearth.cloud.bucket import Bucket

    return Bucket(settings.gcs_bucket, settings.gcs_prefix, settings.project_id)


def open_store(directory: Path) -> "SqliteStore":
    """The documents of an installation on one machine."""
    from withearth.store.sqlite import SqliteStore

    return SqliteStore(directory / "store.db")


def choose_traffic(settings: Settings, clock: Clock, store: DocumentStore) -> Traffic | None:
    """The account with the exchange that prices come from, where they come from one."""
    return _account(settings, settings.fapi_base, clock, store) if settings.market == "live" else None


def _of_the_venue(
    settings: Settings, clock: Clock, store: DocumentStore, of_the_market: Traffic | None
) -> Traffic | None:
    """The account with the exchange that orders go to: the market's own where both are one host."""
    if not settings.execute_trades or settings.venue == "paper":
        return None
    from withearth.execution.environment import address_of

    address = address_of(settings)
    same = of_the_market is not None and address == settings.fapi_base
    return of_the_market if same else _account(settings, address, clock, store)


def _account(settings: Settings, address: str, clock: Clock, store: DocumentStore) -> Traffic:
    host = urlsplit(address).netloc
    return Traffic(host, clock, store, reserved_pct=settings.weight_reserved_pct)


def _journalled(clock: Clock, store: DocumentStore) -> "Note":
    """Tells the journal that another route had to step in: once a tick for each way it happened."""
    from withearth.flow.journal import event, record_once

    def note(told: str) -> None:
        now = clock.now()
        what = f"fallback-{tick_id(floor_to_tick(now))}-{digest(told)[:12]}"
        try:
            record_once(store, event(what, "MARKET_FALLBACK", now, "", told))
        except WithEarthError as error:
            log.warning("fallback_unrecorded: %s", error)

    return note


def choose_market(
    settings: Settings, clock: Timer, traffic: Traffic | None = None, note: "Note | None" = None
) -> "Market":
    """Recorded files, the exchange, or the synthetic market, as MARKET says."""
    if settings.market == "recorded":
        from withearth.market.recorded import RecordedMarket

        return RecordedMarket(required(settings.data_dir, "DATA_DIR"), spread_bps=settings.model_spread_bps)
    if settings.market == "live":
        from withearth.market.binance import BinanceMarket
        from withearth.market.routes import Access, unheard

        access = Access(
            settings.fapi_base,
            settings.binance_http_timeout_ms,
            settings.binance_http_retries,
            settings.binance_http_backoff_ms,
            settings.binance_http_concurrency,
            settings.candle_wait_sec,
        )
        return BinanceMarket(access, clock, traffic, sdk_first=settings.market_client == "sdk", note=note or unheard)
    from withearth.market.synthetic import SyntheticMarket
    from withearth.market.synthetic_listing import EMBEDDED

    return SyntheticMarket(
        settings.synthetic_seed,
        settings.symbols if settings.names_symbols else EMBEDDED,
        start=SYNTHETIC_START,
        spread_bps=settings.model_spread_bps,
    )


def choose_venue(
    settings: Settings,
    market: "Market",
    clock: Clock,
    secrets: SecretSource | None = None,
    traffic: Traffic | None = None,
) -> Venue | None:
    """The exchange that VENUE names, when EXECUTE_TRADES is true; without it no order is ever sent."""
    if not settings.execute_trades:
        return None
    if settings.venue != "paper":
        open_it = functools.partial(_open_binance, settings, clock, secrets, traffic)
        if settings.store != "cloud":
            return open_it()
        from withearth.execution.deferred_venue import DeferredVenue

        return cast(Venue, DeferredVenue(settings.venue.upper(), open_it))
    from withearth.execution.paper_venue import open_paper_venue

    return open_paper_venue(settings, market, clock)


def _open_binance(settings: Settings, clock: Clock, secrets: SecretSource | None, traffic: Traffic | None) -> Venue:
    from withearth.execution.binance import open_binance_venue

    return open_binance_venue(settings, clock, secrets=secrets, traffic=traffic)


def choose_predictor(
    settings: Settings, clock: Clock, store: DocumentStore, secrets: SecretSource | None = None
) -> "Predictor":
    """Who PREDICTOR names, with its probabilities calibrated where MIN_PROB_ON asks for that."""
    match settings.predictor:
        case "recorded":
            from withearth.decision.recorded import RecordedPredictor

            # What was calibrated then is given again as it was.
            return RecordedPredictor(_recorded(required(settings.recorded_decisions, "RECORDED_DECISIONS")))
        case "ensemble":
            from withearth.decision.ensemble import EnsemblePredictor

            members = [_member(name, settings, clock, secrets) for name in settings.ensemble_members]
            chosen: Predictor = EnsemblePredictor(members, settings.ensemble_rule)
        case name:
            chosen = _member(name, settings, clock, secrets)
    if settings.min_prob_on == "raw":
        return chosen
    from withearth.decision.calibration import CalibratedPredictor

    return CalibratedPredictor(chosen, functools.partial(newest_map, store))


def _member(name: str, settings: Settings, clock: Clock, secrets: SecretSource | None) -> "Predictor":
    """The predictor `baseline`, `gemini` or `gemini:MODEL`."""
    kind, _, model = name.partition(":")
    if kind == "baseline":
        from withearth.decision.baseline import BaselinePredictor

        return BaselinePredictor()
    import time

    from withearth.decision.gemini import GeminiPredictor
    from withearth.decision.gemini_service import GeminiService

    models = (model,) if model else settings.gemini_model
    return GeminiPredictor(settings, models, clock, GeminiService(settings, secrets), time.sleep)


def _recorded(path: Path) -> "StoredDecisions":
    """The decisions of a run's directory, or of an exported file."""
    from withearth.decision.recorded import read_decisions

    if not path.is_dir():
        return read_decisions(path)
    from withearth.flow.recorded_runs import DecisionsOfRun

    if not (path / "store.db").is_file():
        raise Misconfigured(f"RECORDED_DECISIONS is {path}, which holds no books: name a run's directory, or a file.")
    return DecisionsOfRun(open_store(path))


def choose_payloads(settings: Settings, bucket: "Bucket | None") -> "Blobs | None":
    """Objects in the bucket, or files below LOG_DIR without one, where MODEL_PAYLOAD_DUMPS asks for them."""
    if not settings.model_payload_dumps:
        return None
    if bucket is not None:
        from withearth.cloud.bucket import BucketBlobs

        return BucketBlobs(bucket)
    from withearth.local.payloads import FileBlobs

    return FileBlobs(settings.log_dir / "payloads")


def choose_sentiment(settings: Settings, secrets: SecretSource | None = None) -> "SentimentSource | None":
    """The source that SENTIMENT names."""
    if settings.sentiment == "off":
        return None
    from withearth.decision.grok import GrokSource

    return GrokSource(settings, secrets)


def required(path: Path | None, key: str) -> Path:
    """The path a choice depends on. Raises Misconfigured when it is not set."""
    if path is None:
        raise Misconfigured(f"{key} is not set: give it the path that this choice reads from.")
    return path
