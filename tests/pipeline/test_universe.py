"""Which symbols are decided on, where SYMBOLS says how to find them."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders.installation import START, Installation
from tests.builders.market_files import MarketFiles, listed, some_bars
from tests.builders.outside import LISTING, Mishap, Outside
from withearth.domain.errors import InvalidEvent
from withearth.domain.times import TICK
from withearth.flow.dispatch import dispatch
from withearth.flow.trader import decision_now
from withearth.flow.universe import find_symbols, symbols_of
from withearth.market.synthetic_listing import EMBEDDED
from withearth.store.port import Query

LISTED = ("ADAUSDT", "BNBUSDT", "BTCUSDT", "ETHUSDT", "SOLUSDT")


class Live:
    """An installation on live prices that looks for its symbols."""

    def __init__(self, directory: Path, symbols: str) -> None:
        self.installation = Installation(directory, SYMBOLS=symbols, BINANCE_HTTP_RETRIES="0")
        self.clock = self.installation.clock
        self.outside = Outside.with_symbols(LISTED, self.clock)
        self.runtime = replace(self.installation.runtime, market=self.outside.market(self.clock))

    def listing(self, changes: dict[str, dict[str, Any]]) -> None:
        """Change what exchangeInfo says of some symbols, from the next hour on."""
        face = self.outside.exchange.face
        entries = [dict(each.raw) | changes.get(each.symbol, {}) for each in face.exchange.instruments.values()]
        face.desk.listing = json.dumps(entries)
        self.clock.set(self.clock.now() + timedelta(hours=1))

    def found(self) -> tuple[str, ...]:
        """The symbols of the tick that is due."""
        return find_symbols(self.runtime, self.clock.now())


def test_all_are_those_that_may_be_entered(tmp_path: Path) -> None:
    """Listings join, delistings leave, and every change is told."""
    live = Live(tmp_path, "all")
    live.listing({"ADAUSDT": {"status": "PENDING_TRADING"}})
    before = live.found()
    live.listing({"BTCUSDT": {"deliveryDate": 1_800_000_000_000}})
    after = live.found()

    assert before == LISTED[1:]
    assert after == ("ADAUSDT", "BNBUSDT", "ETHUSDT", "SOLUSDT")
    assert symbols_of(live.runtime) == after
    told = [each.data["text"] for each in live.runtime.store.query(Query("events")) if "BTC" in each.data["text"]]
    assert "1 joined: ADAUSDT; 1 left: BTCUSDT" in told


def test_the_top_are_those_with_most_turnover_ranked_once_a_day(tmp_path: Path) -> None:
    """What leaves in between is gone at once; the rank is looked up again on the next day."""
    live = Live(tmp_path, "top:2")
    assert live.found() == ("BTCUSDT", "ETHUSDT")
    live.listing({"BTCUSDT": {"status": "SETTLING"}})
    live.outside.network.asked.clear()
    assert live.found() == ("ETHUSDT",)
    assert live.outside.network.count("/fapi/v1/ticker/24hr") == 0
    live.clock.set(START + timedelta(days=1))
    assert live.found() == ("ETHUSDT", "SOLUSDT")


def test_a_halt_that_is_over_costs_nobody_the_rest_of_the_day(tmp_path: Path) -> None:
    """While the exchange takes no entries nobody is in; afterwards those are who were ranked that day."""
    live = Live(tmp_path, "top:2")
    ranked = live.found()
    live.listing({symbol: {"status": "TRADING_HALT"} for symbol in LISTED})
    during = live.found()
    live.listing({})

    assert (ranked, during, live.found()) == (("BTCUSDT", "ETHUSDT"), (), ("BTCUSDT", "ETHUSDT"))


def test_where_nobody_may_be_entered_nobody_is_ranked(tmp_path: Path) -> None:
    """A halt over midnight is over when it is over, not a day later."""
    live = Live(tmp_path, "top:2")
    live.listing({symbol: {"status": "TRADING_HALT"} for symbol in LISTED})
    during = live.found()
    live.listing({})

    assert (during, live.found()) == ((), ("BTCUSDT", "ETHUSDT"))


def test_when_the_exchange_cannot_tell_the_known_ones_stay(tmp_path: Path) -> None:
    """No listing, no change."""
    live = Live(tmp_path, "all")
    known = live.found()
    live.listing({})
    live.outside.network.mishap = Mishap(status=503)

    assert live.found() == known


@pytest.mark.parametrize("path", [LISTING, "/ticker/24hr"])
def test_an_answer_about_nobody_changes_nothing(tmp_path: Path, path: str) -> None:
    """An exchange is never without symbols or turnover: nobody leaves, and nobody is ranked by the alphabet."""
    live = Live(tmp_path, "top:2")
    known = live.found()
    live.clock.set(START + timedelta(days=1))
    live.outside.network.mishap = Mishap(path, spoil=_emptied)

    assert live.found() == known == ("BTCUSDT", "ETHUSDT")


def _emptied(body: bytes) -> bytes:
    told = json.loads(body)
    return json.dumps([] if isinstance(told, list) else told | {"symbols": []}).encode()


def test_a_tick_goes_to_every_symbol_that_was_found(tmp_path: Path) -> None:
    """The dispatcher finds them, and its document names them."""
    live = Live(tmp_path, "all")

    assert dispatch(live.runtime)["symbols"] == list(LISTED)
    with pytest.raises(InvalidEvent):
        decision_now(live.runtime, "NOPEUSDT")
    assert decision_now(live.runtime, "ADAUSDT")["symbol"] == "ADAUSDT"


def test_the_synthetic_market_has_a_universe_too(tmp_path: Path) -> None:
    """All of what it lists, or the first of these by turnover."""
    everything = Installation(tmp_path / "all", SYMBOLS="all").runtime
    best = Installation(tmp_path / "top", SYMBOLS="top:1").runtime

    assert find_symbols(everything, START) == tuple(sorted(EMBEDDED))
    assert find_symbols(best, START) == ("BTCUSDT",)


def test_recorded_symbols_join_and_leave_with_their_candles(tmp_path: Path) -> None:
    """A day after its last bar a symbol is out, and one whose first bar is yet to come is not in."""
    files = MarketFiles(tmp_path / "data")
    spans: dict[str, tuple[datetime, int]] = {"AAAUSDT": (START, 288), "BBBUSDT": (START + timedelta(days=1), 2 * 288)}
    for symbol, (begin, count) in spans.items():
        files.candles(symbol, some_bars(begin, count)).instrument(listed(symbol))
    installation = Installation(tmp_path / "run", SYMBOLS="all", MARKET="recorded", DATA_DIR=str(files.write()))

    seen = [find_symbols(installation.runtime, START + timedelta(hours=hours)) for hours in (1, 25, 49, 72.5)]
    assert seen == [("AAAUSDT",), ("AAAUSDT", "BBBUSDT"), ("BBBUSDT",), ("BBBUSDT",)]


def test_a_whole_run_over_a_found_universe(tmp_path: Path) -> None:
    """Every tick decides on every symbol of its market."""
    installation = Installation(tmp_path, SYMBOLS="top:3")
    installation.run(0.5)

    ticks = [each.data for each in installation.store.query(Query("ticks"))]
    decided = installation.store.query(Query("decisions"))
    assert {len(each["symbols"]) for each in ticks} == {3}
    assert len(decided) == 3 * len(ticks) > 0
    assert TICK == timedelta(minutes=5)


def test_the_first_symbols_of_the_universe_leave_their_candles(tmp_path: Path) -> None:
    """As many as CHART_SYMBOLS says; a decision does not have to ask the books for that."""
    installation = Installation(tmp_path, SYMBOLS="top:3", CHART_SYMBOLS="2")
    installation.run(0.1)

    charted = [each.ref.id for each in installation.store.query(Query("charts"))]
    assert charted == sorted(symbols_of(installation.runtime)[:2])
