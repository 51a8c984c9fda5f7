"""An exchange that answers wrongly, in many ways: a code, no decision on it, and the next tick is well."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.builders.installation import START, SYMBOLS, AlwaysLong, Installation
from tests.builders.outside import BOOK_TICKER, DEPTH, KLINES, PREMIUM_INDEX, Mishap, Outside, rows
from withearth.domain.times import TICK, tick_id
from withearth.flow.decide import Stage, decide
from withearth.flow.dispatch import dispatch, market_tick, quotes_or_why
from withearth.market.traffic import Traffic
from withearth.messaging.events import MarketTick, decode
from withearth.messaging.port import Message
from withearth.store.port import Document

BTC, ETH = SYMBOLS.split(",")
HTML = b"<html><body>Please sign in</body></html>"


class Trading:
    """An installation on live prices, whose network can be spoilt for one tick."""

    def __init__(self, directory: Path) -> None:
        installation = Installation(directory, MIN_VOL_FRAC="0", BINANCE_HTTP_RETRIES="1")
        self.clock = installation.clock
        self.outside = Outside.with_symbols((BTC, ETH), self.clock)
        self.traffic = Traffic("outside", self.clock, installation.store)
        market = self.outside.market(self.clock, self.traffic)
        self.runtime = replace(
            installation.runtime, market=market, traffic=self.traffic, predictor=AlwaysLong(), venue=None
        )
        self.at = START

    def tick(self, mishap: Mishap | None = None) -> dict[str, Document]:
        """Both symbols' decisions at the next tick."""
        self.at += TICK
        self.clock.set(max(self.clock.now(), self.at + timedelta(seconds=2)))
        self.outside.network.mishap = mishap
        quotes, no_quote = quotes_or_why(self.runtime, (BTC, ETH), self.at)
        tick = tick_id(self.at)
        return {
            symbol: decide(self.runtime, market_tick(symbol, tick, quotes.get(symbol), no_quote))
            for symbol in (BTC, ETH)
        }


@pytest.fixture
def trading(tmp_path: Path) -> Trading:
    """A warm installation: one tick has been decided."""
    found = Trading(tmp_path)
    assert {BTC: "order", ETH: "order"} == {symbol: each["stage"] for symbol, each in found.tick().items()}
    return found


def btc_candles(**what: Any) -> Mishap:
    """Something wrong with the candles of one symbol."""
    return Mishap(KLINES, BTC, **what)


def _levels(price: str | None, qty: str) -> Any:
    """A spoilt book: every level with this quantity, and with this price if it is given."""

    def spoil(body: bytes) -> bytes:
        book = json.loads(body)
        sides = {side: [[price or told, qty] for told, _ in book[side]] for side in ("bids", "asks")}
        return json.dumps(book | sides).encode()

    return spoil


def _forming(bars: list[Any]) -> list[Any]:
    """The bar that is forming, and no other."""
    last = bars[-1]
    step = last[6] + 1 - last[0]
    return [[last[0] + step, *last[1:6], last[6] + step, *last[7:]]]


def _doubled(bars: list[Any]) -> list[Any]:
    """The newest bar twice, with different closes."""
    return [*bars, [*bars[-1][:4], bars[-1][3], *bars[-1][5:]]]


LOCAL = {
    "no answer in time": (btc_candles(error=requests.ReadTimeout("late")), "MARKET_UNREACHABLE"),
    "connection closed": (btc_candles(error=requests.ConnectionError("reset")), "MARKET_UNREACHABLE"),
    "no such host": (btc_candles(error=requests.ConnectionError("NameResolutionError")), "MARKET_UNREACHABLE"),
    "answer broken off": (btc_candles(error=requests.exceptions.ChunkedEncodingError("half")), "MARKET_UNREACHABLE"),
    "half an answer": (btc_candles(spoil=lambda body: body[: len(body) // 2]), "DATA_UNREADABLE"),
    "nothing": (btc_candles(status=200, body=b""), "DATA_UNREADABLE"),
    "HTML": (btc_candles(status=200, body=HTML), "DATA_UNREADABLE"),
    "a captive portal's redirection": (btc_candles(status=302, body=HTML), "MARKET_REFUSED"),
    "another shape": (btc_candles(status=200, body=b'{"code":0}'), "DATA_UNREADABLE"),
    "words for numbers": (
        btc_candles(spoil=rows(lambda bars: [[*b[:1], "dear", *b[2:]] for b in bars])),
        "DATA_UNREADABLE",
    ),
    "not a number": (btc_candles(spoil=rows(lambda bars: [[*b[:1], "nan", *b[2:]] for b in bars])), "CANDLE_INVALID"),
    "another interval's bars": (
        btc_candles(spoil=rows(lambda bars: [[*b[:6], b[6] + 1, *b[7:]] for b in bars])),
        "CANDLE_INVALID",
    ),
    "out of order": (btc_candles(spoil=rows(lambda bars: bars[::-1])), "CANDLE_DISORDER"),
    "one bar twice": (btc_candles(spoil=rows(_doubled)), "CANDLE_DISORDER"),
    "a forming bar only": (btc_candles(spoil=rows(_forming)), "NO_CANDLES"),
    "no bar": (btc_candles(status=200, body=b"[]"), "NO_CANDLES"),
    "the newest bar missing": (btc_candles(spoil=rows(lambda bars: bars[:-1])), "CANDLE_LATE"),
    "a bar missing": (btc_candles(spoil=rows(lambda bars: [*bars[:-2], bars[-1]])), "CANDLE_GAP"),
    "another symbol's candles": (btc_candles(instead=ETH), "DATA_MISMATCH"),
    "another symbol's book": (Mishap(DEPTH, BTC, instead=ETH), "DATA_MISMATCH"),
    "a book of one side": (Mishap(DEPTH, BTC, status=200, body=b'{"bids":[],"asks":[["1","1"]]}'), "BOOK_EMPTY"),
    "brackets without end": (Mishap(DEPTH, BTC, status=200, body=b"[" * 200_000), "DATA_UNREADABLE"),
    "brackets within a candle": (
        btc_candles(status=200, body=b'[[1,"1","1","1","1","1",1,' + b"[" * 200_000),
        "DATA_UNREADABLE",
    ),
    "a book of nothing": (Mishap(DEPTH, BTC, spoil=_levels(None, "0")), "DATA_UNREADABLE"),
    "a book of no numbers": (Mishap(DEPTH, BTC, spoil=_levels(None, "NaN")), "DATA_UNREADABLE"),
    "a book without end": (Mishap(DEPTH, BTC, spoil=_levels(None, "Infinity")), "DATA_UNREADABLE"),
    "a book without prices": (Mishap(DEPTH, BTC, spoil=_levels("NaN", "1")), "DATA_UNREADABLE"),
    "times beyond all": (
        btc_candles(spoil=rows(lambda bars: [[2**63 + b[0], *b[1:6], 2**63 + b[6], *b[7:]] for b in bars])),
        "DATA_UNREADABLE",
    ),
    "no service": (btc_candles(status=503, body=HTML), "MARKET_REFUSED"),
    "forbidden": (btc_candles(status=403, body=HTML), "MARKET_REFUSED"),
    "region": (btc_candles(status=451, body=b'{"code":0}'), "REGION_REFUSED"),
    "no quote": (
        Mishap(BOOK_TICKER, BTC, status=200, body=b'{"symbol":"ETHUSDT","bidPrice":"1","askPrice":"2"}'),
        "QUOTE_MISSING",
    ),
    "no service for its quote": (Mishap(BOOK_TICKER, BTC, status=503, body=HTML), "QUOTE_MISSING"),
    "no answer about its funding": (Mishap(PREMIUM_INDEX, BTC, error=requests.ReadTimeout("late")), "QUOTE_MISSING"),
}


@pytest.mark.parametrize("kind", LOCAL)
def test_a_bad_answer_is_that_symbol_s_decision(trading: Trading, kind: str) -> None:
    """Its code, no order; the other symbol is decided as always, and so is this one at the next tick."""
    mishap, code = LOCAL[kind]
    spoilt, after = trading.tick(mishap), trading.tick()

    assert (Stage.DATA, code) == (spoilt[BTC]["stage"], spoilt[BTC]["blocked_by"])
    assert spoilt[BTC]["intent"] is None
    assert spoilt[ETH]["stage"] == Stage.ORDER
    assert {BTC: None, ETH: None} == {symbol: each["blocked_by"] for symbol, each in after.items()}


@pytest.mark.parametrize(("status", "code"), [(429, "EXCHANGE_LIMITED"), (418, "EXCHANGE_BANNED")])
def test_a_stop_is_every_symbol_s_decision_and_is_obeyed(trading: Trading, status: int, code: str) -> None:
    """One request is told to stop, no other follows, and the tick after the stop is decided as always."""
    trading.outside.network.asked.clear()
    spoilt = trading.tick(Mishap(KLINES, BTC, status=status, body=b'{"code":-1003,"msg":"too much"}'))
    last_path, _ = trading.outside.network.asked[-1]
    after = trading.tick()

    assert {BTC: code, ETH: code} == {symbol: each["blocked_by"] for symbol, each in spoilt.items()}
    assert last_path == KLINES
    assert {BTC: None, ETH: None} == {symbol: each["blocked_by"] for symbol, each in after.items()}


def test_during_a_ban_nothing_is_asked(trading: Trading) -> None:
    """Neither quotes nor candles, until the ban is over; every decision says why."""
    trading.traffic.heard(418, {"Retry-After": "400"})
    trading.outside.network.asked.clear()
    banned = trading.tick()

    assert trading.outside.network.asked == []
    assert {BTC: "EXCHANGE_BANNED", ETH: "EXCHANGE_BANNED"} == {s: each["blocked_by"] for s, each in banned.items()}


def test_a_symbol_that_leaves_is_not_decided_on(trading: Trading) -> None:
    """NOT_TRADABLE, from the next look at the listing on; and no weight is spent on its candles."""
    face = trading.outside.exchange.face
    raw = dict(face.exchange.instruments[BTC].raw) | {"status": "SETTLING"}
    face.desk.listing = json.dumps([raw, dict(face.exchange.instruments[ETH].raw)])
    trading.at += timedelta(hours=1)
    trading.outside.network.asked.clear()
    decided = trading.tick()

    assert (decided[BTC]["blocked_by"], decided[ETH]["blocked_by"]) == ("NOT_TRADABLE", None)
    assert not [query for path, query in trading.outside.network.asked if path == KLINES and query["symbol"] == BTC]


def test_another_symbol_s_candles_are_noticed_by_a_cold_process_too(tmp_path: Path) -> None:
    """All four answers are of one other symbol, and agree: but the quote stands elsewhere."""
    cold = Trading(tmp_path)
    spoilt, after = cold.tick(btc_candles(instead=ETH)), cold.tick()

    assert spoilt[BTC]["blocked_by"] == "DATA_MISMATCH"
    assert after[BTC]["blocked_by"] is None


class Outbox:
    """A publisher that remembers the ticks."""

    def __init__(self) -> None:
        self.ticks: dict[str, MarketTick] = {}

    def publish(self, _topic: str, messages: list[Message]) -> None:
        """Remember."""
        self.ticks |= {tick.symbol: tick for tick in (decode(MarketTick, each.data) for each in messages)}


@pytest.mark.parametrize("bid", ["NaN", "Infinity", "-1", "1e40", "0.000000000012345", 0.1, None, ["1"]])
def test_a_price_that_is_none_costs_no_other_symbol_its_tick(tmp_path: Path, bid: Any) -> None:
    """Whatever one row says, everybody's message goes out; only the symbol itself is left without a quote."""
    symbols = (BTC, ETH, "SOLUSDT", "BNBUSDT", "XRPUSDT")
    installation = Installation(tmp_path, SYMBOLS=",".join(symbols))
    outside, outbox = Outside.with_symbols(symbols, installation.clock), Outbox()
    spoilt = rows(
        lambda told: [
            {"symbol": ["?"]},
            *(each | {"bidPrice": bid} if each["symbol"] == BTC else each for each in told),
        ]
    )
    outside.network.mishap = Mishap(BOOK_TICKER, spoil=spoilt)
    dispatch(replace(installation.runtime, market=outside.market(installation.clock), publisher=outbox))  # type: ignore[arg-type]

    assert {symbol: symbol != BTC for symbol in symbols} == {
        symbol: tick.quote is not None for symbol, tick in outbox.ticks.items()
    }
