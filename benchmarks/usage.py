"""What a deployed system uses of the cloud, counted. `python -m benchmarks.usage` writes the estimate's usage.toml.

Hours of the synthetic market run through all functions, executed on the paper exchange, with the cloud's schedule and
a predictor that has to be paid, for few symbols and for many: the recordings have few symbols with everything a
decision needs. Operations of the store, of the exchange and of the bus are counted at the ports, CPU time is that of
this machine. What grows with the symbols is told apart from what does not by the two runs.
"""

import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from withearth.bootstrap import assemble, open_store
from withearth.cost.data import USAGE_FILE
from withearth.decision.baseline import BaselinePredictor
from withearth.decision.prediction import Answer, Question, audit_of
from withearth.decision.prompt import build_prompt
from withearth.decision.spend import Spend
from withearth.domain.canonical import canonical_json
from withearth.domain.times import TICK, Timeframe
from withearth.execution.paper_venue import PaperVenue
from withearth.local.clocks import VirtualClock, WallClock
from withearth.local.functions import FunctionHost
from withearth.local.scheduler import CLOUD_JOBS, Scheduler
from withearth.local.state import open_bus
from withearth.market.port import Market
from withearth.messaging.local_bus import Delivery
from withearth.messaging.port import Message, Publisher
from withearth.settings import Settings, load_settings
from withearth.store.port import Delete, DocumentStore, Query, Ref, Stored, Write

START: Final = datetime(2026, 1, 5, tzinfo=UTC)
HOURS: Final = 12
FEW: Final = 2
MANY: Final = 22
KEPT: Final = ("decisions", "labels", "events", "feed", "ticks", "intents", "trades")
COST: Final = Spend(1_500, 1_000)
FUNCTIONS: Final = ("dispatcher", "worker", "executor", "reconciler")
ALL_SYMBOL_READS: Final = 2
"""Quotes of all symbols are two requests: the premium index and the book ticker."""


@dataclass(slots=True)
class Meter:
    """What each function has used so far. `function` is the one at work."""

    function: str = ""
    used: dict[str, Counter[str]] = field(default_factory=lambda: {name: Counter() for name in FUNCTIONS})
    documents: dict[str, int] = field(default_factory=dict)
    """How many documents each collection holds at the end."""
    kept_bytes: dict[str, int] = field(default_factory=dict)
    """The bytes of all of them, as JSON."""

    def add(self, **amounts: float) -> None:
        """Book amounts on the function at work."""
        if self.function:
            self.used[self.function].update(cast(Mapping[str, int], amounts))


class CountedStore:
    """The documents port, billed as Firestore bills: an empty query costs a read, a count one for each thousand."""

    def __init__(self, store: DocumentStore, meter: Meter) -> None:
        self._store = store
        self._meter = meter

    def get(self, ref: Ref) -> Stored | None:
        """One read."""
        self._meter.add(store_calls=1, reads=1)
        return self._store.get(ref)

    def get_many(self, refs: Sequence[Ref]) -> list[Stored | None]:
        """A read for each."""
        self._meter.add(store_calls=1, reads=len(refs))
        return self._store.get_many(refs)

    def commit(self, writes: Sequence[Write]) -> str:
        """A write for each, deletes apart; what is refused costs too."""
        deletes = sum(isinstance(each, Delete) for each in writes)
        self._meter.add(store_calls=1, writes=len(writes) - deletes, deletes=deletes)
        return self._store.commit(writes)

    def query(self, query: Query) -> list[Stored]:
        """A read for each document found."""
        found = self._store.query(query)
        self._meter.add(store_calls=1, reads=max(1, len(found)))
        return found

    def count(self, query: Query) -> int:
        """A read for each thousand."""
        number = self._store.count(query)
        self._meter.add(store_calls=1, reads=1 + number // 1000)
        return number


class CountedMarket:
    """The market port; each reading of one symbol is a request."""

    def __init__(self, market: Market, meter: Meter) -> None:
        self._market = market
        self._meter = meter

    def __getattr__(self, name: str) -> Any:
        return getattr(self._market, name)

    def quotes(self, symbols: Iterable[str], as_of: datetime) -> Any:
        """Two requests for all symbols."""
        self._meter.add(exchange_calls=ALL_SYMBOL_READS)
        return self._market.quotes(symbols, as_of)

    def candles(self, symbol: str, timeframe: Timeframe, as_of: datetime, limit: int) -> Any:
        """One request."""
        self._meter.add(exchange_calls=1)
        return self._market.candles(symbol, timeframe, as_of, limit)

    def depth(self, symbol: str, as_of: datetime) -> Any:
        """One request."""
        self._meter.add(exchange_calls=1)
        return self._market.depth(symbol, as_of)

    def settlements(self, symbol: str, after: datetime, until: datetime) -> Any:
        """One request."""
        self._meter.add(exchange_calls=1)
        return self._market.settlements(symbol, after, until)


class CountedPublisher:
    """The publisher port; a request is billed for a thousand bytes at least."""

    def __init__(self, publisher: Publisher, meter: Meter) -> None:
        self._publisher = publisher
        self._meter = meter

    def publish(self, topic: str, messages: list[Message]) -> list[str]:
        """One request, and as many messages to be delivered."""
        sizes = [len(each.data) + sum(len(k) + len(v) for k, v in each.attributes.items()) for each in messages]
        self._meter.add(published_bytes=max(1000, sum(sizes)), delivered_bytes=sum(max(1000, each) for each in sizes))
        return self._publisher.publish(topic, messages)


class PaidBaseline:
    """The baseline, as if each of its answers had to be paid: so that budgets and safe mode are kept."""

    name: Final = "baseline-paid"

    def __init__(self, settings: Settings, meter: Meter) -> None:
        self._settings = settings
        self._meter = meter
        self._rule = BaselinePredictor()

    def spend_max(self, _question: Question) -> Spend:
        """A fixed price."""
        return COST

    def predict(self, question: Question) -> Answer:
        """The baseline's answer to the very question that a model would be put."""
        prompt = build_prompt(question, self._settings)
        self._meter.add(asked=1, prompt_bytes=len((prompt.system + prompt.text).encode()))
        audit = audit_of(self.name, "rule", tokens=COST.tokens, cost_micro_usd=COST.micro_usd)
        return Answer(self._rule.predict(question).prediction, audit | {"text": prompt.system + prompt.text})


def measured(number: int) -> Meter:
    """What a run for so many symbols uses."""
    meter, clock = Meter(), VirtualClock(START)
    with tempfile.TemporaryDirectory() as directory:
        chosen = {
            "SYMBOLS": ",".join(f"S{place}USDT" for place in range(number)),
            "MARKET": "synthetic",
            "EXECUTE_TRADES": "true",
            "STATE_DIR": directory,
            "PREDICTOR": "gemini",
            "GOOGLE_API_KEY": "unused",
            "MODEL_BUDGET_USD": "10000",
            "MODEL_BUDGET_TOKENS": "10000000000",
        }
        settings = load_settings(chosen, env_file=None)
        bus = open_bus(Path(directory), clock)
        counted = CountedStore(open_store(Path(directory)), meter)
        runtime = assemble(settings, clock, counted, CountedPublisher(bus, meter))
        market = cast(Market, CountedMarket(runtime.market, meter))
        runtime = replace(runtime, predictor=PaidBaseline(settings, meter), market=market)
        if isinstance(runtime.venue, PaperVenue):
            runtime.venue.watch = lambda: meter.add(exchange_calls=1)
        host = FunctionHost(runtime)

        def call(name: str, body: bytes = b"") -> int:
            meter.function = name
            began = time.process_time()
            status, _ = host.call(name, body=body)
            meter.add(calls=1, cpu_s=time.process_time() - began)
            meter.function = ""
            return status

        def push(delivery: Delivery) -> int:
            return call(delivery.function, json.dumps(delivery.envelope).encode())

        scheduler = Scheduler(CLOUD_JOBS, START + TICK)
        while scheduler.due() <= START + timedelta(hours=HOURS):
            at, jobs = scheduler.pop()
            clock.set(max(at, clock.now()))
            for job in jobs:
                call(job.function)
                while bus.deliver_due(push):
                    pass
        bus.close()
        _weigh(counted, meter)
    return meter


def _weigh(store: DocumentStore, meter: Meter) -> None:
    """Count and weigh what stays."""
    for collection in KEPT:
        found = [len(canonical_json(each.data).encode()) for each in store.query(Query(collection))]
        meter.documents[collection] = len(found)
        meter.kept_bytes[collection] = sum(found)


def written(few: Meter, many: Meter) -> str:
    """The file's text: amounts of one tick as [what does not grow with the symbols, what each symbol adds]."""
    lines = [
        "# What one tick uses, written by the command below; give it again after a change of the flow.",
        f"# {HOURS} hours of the synthetic market, {FEW} and {MANY} symbols, executed on the paper exchange.",
        'command = "python -m benchmarks.usage"',
        f"measured = {WallClock().now():%Y-%m-%d}",
    ]
    for function in FUNCTIONS:
        lines += ["", f"[functions.{function}]"]
        names = sorted(set(few.used[function]) | set(many.used[function]))
        lines += [f"{name} = {_line(few.used[function][name], many.used[function][name])}" for name in names]
    for collection in KEPT:
        created = _line(few.documents[collection], many.documents[collection])
        kept = _line(few.kept_bytes[collection], many.kept_bytes[collection])
        lines += ["", f"[documents.{collection}]", f"created = {created}", f"bytes = {kept}"]
    return "\n".join(lines) + "\n"


def _line(at_few: float, at_many: float) -> list[float]:
    """Both parts for one tick. What fell with more symbols is said not to grow."""
    each = max(0.0, (at_many - at_few) / (MANY - FEW))
    fixed = max(0.0, at_few - each * FEW)
    ticks = HOURS * 12
    return [float(f"{part / ticks:.4g}") for part in (fixed, each)]


def main() -> int:
    """Measure both runs and write the file. Returns the exit status."""
    USAGE_FILE.write_text(written(measured(FEW), measured(MANY)), encoding="utf-8")
    print(f"{USAGE_FILE} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
