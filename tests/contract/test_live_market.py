"""The live market adapter against the paper exchange, which speaks the same public endpoints."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pytest
import requests
from requests.adapters import BaseAdapter

from tests.builders.outside import Mishap, Outside
from tests.fakes.clock import ManualClock
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe
from withearth.features.snapshot import build_snapshot
from withearth.market.binance import BinanceMarket
from withearth.market.routes import Access
from withearth.market.synthetic import SyntheticMarket
from withearth.paper.assembly import assemble_exchange, invented_listing
from withearth.paper.transport import PaperTransport

NOW = datetime(2026, 1, 5, 12, 0, 2, tzinfo=UTC)
TICK = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
SYMBOLS = ("BTCUSDT", "ETHUSDT")


class Pair(NamedTuple):
    """The market as it is, and as the adapter sees it through the exchange."""

    truth: SyntheticMarket
    live: BinanceMarket


@pytest.fixture(scope="module")
def pair() -> Pair:
    """A synthetic market, and the adapter over a paper exchange on it."""
    clock = ManualClock(NOW)
    truth = SyntheticMarket(7, SYMBOLS, start=datetime(2026, 1, 1, tzinfo=UTC), spread_bps=Decimal(1))
    exchange = assemble_exchange(truth, invented_listing(truth, SYMBOLS), clock, [])
    transport = PaperTransport(exchange.face)
    return Pair(truth, BinanceMarket(Access("https://paper.invalid", transport=transport), clock))


class Answering(BaseAdapter):
    """A network that always answers the same, or fails."""

    def __init__(self, status: int = 200, body: bytes = b"", error: Exception | None = None) -> None:
        super().__init__()
        self._status, self._body, self._error = status, body, error

    def send(self, request: requests.PreparedRequest, **_options: Any) -> requests.Response:  # type: ignore[override]
        """The answer, or the failure."""
        if self._error is not None:
            raise self._error
        response = requests.Response()
        response.status_code, response._content = self._status, self._body
        response.request, response.url = request, request.url or ""
        return response

    def close(self) -> None:
        """Nothing is open."""


def market_over(transport: BaseAdapter) -> BinanceMarket:
    """An adapter over a network of its own."""
    return BinanceMarket(Access("https://paper.invalid", transport=transport), ManualClock(NOW))


@pytest.mark.parametrize("timeframe", Timeframe)
def test_candles_are_the_closed_ones_of_the_exchange(pair: Pair, timeframe: Timeframe) -> None:
    """The same closed bars, oldest first, and never the one that is still forming."""
    seen = pair.live.candles("BTCUSDT", timeframe, TICK, 99)
    truth = pair.truth.candles("BTCUSDT", timeframe, TICK, 99)

    assert truth.open_ms.tolist() == seen.open_ms.tolist()
    assert np.allclose(truth.ohlcv, seen.ohlcv, rtol=1e-12)


def test_a_decision_can_rest_on_it(pair: Pair) -> None:
    """Candles, quote and funding make a snapshot."""
    windows = {each: pair.live.candles("ETHUSDT", each, TICK, 499) for each in Timeframe}
    snapshot = build_snapshot("ETHUSDT", TICK, windows, pair.live.quotes(SYMBOLS, TICK)["ETHUSDT"])

    assert snapshot.minutes_to_funding == 240
    assert snapshot.spread_bps > 0


def test_quotes_are_those_asked_for(pair: Pair) -> None:
    """One quote for each symbol that the exchange has, uncrossed and just observed."""
    quotes = pair.live.quotes(["BTCUSDT", "NOPEUSDT"], TICK)

    assert list(quotes) == ["BTCUSDT"]
    assert quotes["BTCUSDT"].fault() is None
    assert quotes["BTCUSDT"].observed_at == NOW


def test_depth_has_both_sides_in_order(pair: Pair) -> None:
    """At least ten levels a side, best price first."""
    book = pair.live.depth("BTCUSDT", TICK)

    assert len(book.bids) >= 10
    assert [each.price for each in book.bids] == sorted((each.price for each in book.bids), reverse=True)
    assert [each.price for each in book.asks] == sorted(each.price for each in book.asks)
    assert not book.modelled


def test_instruments_and_settlements_are_the_exchange_s(pair: Pair) -> None:
    """Filters as listed; settlements after the one instant and up to the other."""
    assert pair.truth.instrument("BTCUSDT").tick_size == pair.live.instrument("BTCUSDT").tick_size
    since, until = TICK - timedelta(hours=12), TICK
    assert pair.truth.settlements("BTCUSDT", since, until) == pair.live.settlements("BTCUSDT", since, until)


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (Answering(error=requests.ConnectionError("no such host")), Reason.MARKET_UNREACHABLE),
        (Answering(error=requests.ReadTimeout("late")), Reason.MARKET_UNREACHABLE),
        (Answering(451, b'{"code":0,"msg":"restricted location"}'), Reason.REGION_REFUSED),
        (Answering(403, b"<html>forbidden</html>"), Reason.MARKET_REFUSED),
        (Answering(302, b""), Reason.MARKET_REFUSED),
        (Answering(418, b'{"code":-1003,"msg":"banned"}'), Reason.EXCHANGE_BANNED),
        (Answering(429, b'{"code":-1003,"msg":"too many"}'), Reason.EXCHANGE_LIMITED),
        (Answering(503, b""), Reason.MARKET_REFUSED),
        (Answering(200, b"<html>a captive portal</html>"), Reason.DATA_UNREADABLE),
        (Answering(200, b'[["half", "a"'), Reason.DATA_UNREADABLE),
        (Answering(200, b'[["half", "a row"]]'), Reason.DATA_UNREADABLE),
    ],
)
def test_a_bad_answer_is_a_reason_and_never_a_candle(network: Answering, reason: Reason) -> None:
    """Whatever comes instead of candles ends as this symbol's decision, and quotes are simply missing."""
    market = market_over(network)

    with pytest.raises(MarketFault) as fault:
        market.candles("BTCUSDT", Timeframe.M5, TICK, 99)
    assert fault.value.reason is reason


MANY = ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT")


@pytest.mark.parametrize(
    ("network", "reason"),
    [
        (Answering(error=requests.ConnectionError("no such host")), Reason.MARKET_UNREACHABLE),
        (Answering(451, b"{}"), Reason.REGION_REFUSED),
        (Answering(200, b'{"another": "shape"}'), Reason.DATA_UNREADABLE),
        (
            Answering(200, b'[{"symbol": "BTCUSDT", "bidPrice": "no number", "askPrice": "1"}]'),
            Reason.DATA_UNREADABLE,
        ),
    ],
)
def test_that_there_are_no_quotes_at_all_has_a_reason(network: Answering, reason: Reason) -> None:
    """Every symbol is then decided under that reason; the dispatcher goes on."""
    with pytest.raises(MarketFault) as fault:
        market_over(network).quotes(MANY, TICK)
    assert fault.value.reason is reason


def test_a_bad_row_costs_no_other_symbol_its_quote() -> None:
    """Of all rows the one that cannot be read is missing, and nothing else."""

    def spoilt(body: bytes) -> bytes:
        return json.dumps([7, {"no": "symbol"}, {"symbol": "BTCUSDT", "bidPrice": "?"}, json.loads(body)[1]]).encode()

    clock = ManualClock(NOW)
    outside = Outside.with_symbols(SYMBOLS, clock)
    outside.network.mishap = Mishap("/ticker/bookTicker", spoil=spoilt)

    assert list(outside.market(clock).quotes(MANY, TICK)) == ["ETHUSDT"]


def test_r27_a_quote_is_no_younger_than_the_question() -> None:
    """R27: whatever took long came after the prices, or nobody knows whether it did."""
    clock = ManualClock(NOW)
    outside = Outside.with_symbols(MANY, clock)

    def late(body: bytes) -> bytes:
        clock.advance(timedelta(seconds=30))
        return body

    outside.network.mishap = Mishap("/premiumIndex", spoil=late)

    assert {each.observed_at for each in outside.market(clock).quotes(MANY, TICK).values()} == {NOW}


def test_another_shape_than_documented_is_refused() -> None:
    """Depth, funding and listing of an unknown shape are DATA_UNREADABLE, not a crash."""
    market = market_over(Answering(200, b'{"bids": [["1"]], "asks": 7, "symbols": [1]}'))
    asks: list[Callable[[], object]] = [
        lambda: market.depth("BTCUSDT", TICK),
        lambda: market.settlements("BTCUSDT", TICK - timedelta(hours=9), TICK),
        lambda: market.instrument("BTCUSDT"),
    ]
    for ask in asks:
        with pytest.raises(MarketFault) as fault:
            ask()
        assert fault.value.reason is Reason.DATA_UNREADABLE


def test_r14_a_refused_region_is_told_with_its_remedy() -> None:
    """R14: HTTP 451 is a reason of its own, whose sentence says to run in another region."""
    with pytest.raises(MarketFault) as fault:
        market_over(Answering(451, b'{"code":0,"msg":"restricted location"}')).listed()

    assert fault.value.reason is Reason.REGION_REFUSED
    assert "run in another one" in fault.value.reason.sentence


def test_an_unlisted_symbol_has_no_instrument(pair: Pair) -> None:
    """INSTRUMENT_UNKNOWN, for that symbol alone."""
    look: Callable[[str], object] = pair.live.instrument
    with pytest.raises(MarketFault) as fault:
        look("NOPEUSDT")
    assert fault.value.reason is Reason.INSTRUMENT_UNKNOWN
