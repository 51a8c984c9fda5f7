"""ccxt, as it is installed, trades on the paper exchange over HTTP: only its URLs are changed."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any, Final

import ccxt  # type: ignore[import-untyped]
import pytest

from tests.builders.paper import BTC, HttpVenue

SYMBOL: Final = "BTC/USDT:USDT"
LIVE: Final = "https://fapi.binance.com"


@pytest.fixture
def exchange(http_venue: HttpVenue) -> Iterator[Any]:
    """The library's own `binanceusdm`. Its pace is set by the tests, and it asks no spot endpoint for currencies."""
    opened: Any = ccxt.binanceusdm(
        {
            "apiKey": http_venue.key,
            "secret": http_venue.secret,
            "enableRateLimit": False,
            "options": {"fetchCurrencies": False},
        }
    )
    urls = opened.urls["api"]
    # What is not a futures URL leads nowhere, so that nothing can reach the network.
    opened.urls["api"] = {
        name: url.replace(LIVE, http_venue.url) if url.startswith(LIVE) else "http://127.0.0.1:9"
        for name, url in urls.items()
        if isinstance(url, str)
    }
    opened.session.trust_env = False
    yield opened
    opened.session.close()


def test_ccxt_reads_the_market(exchange: Any) -> None:
    """Markets, candles, book, ticker and funding."""
    markets = exchange.load_markets()
    candles = exchange.fetch_ohlcv(SYMBOL, "5m", limit=10)
    book = exchange.fetch_order_book(SYMBOL, 20)
    ticker = exchange.fetch_ticker(SYMBOL)
    funding = exchange.fetch_funding_rate(SYMBOL)

    market = markets[SYMBOL]
    assert (True, True, True) == (market["swap"], market["linear"], market["active"])
    assert (0.1, 0.001) == (market["precision"]["price"], market["precision"]["amount"])
    assert len(candles) == 10
    assert [300_000] * 9 == [later[0] - earlier[0] for earlier, later in pairwise(candles)]
    assert book["bids"][0][0] < book["asks"][0][0]
    assert book["bids"][0][0] <= ticker["last"] <= book["asks"][0][0]
    assert ticker["low"] <= ticker["last"] <= ticker["high"]
    assert funding["markPrice"] == pytest.approx(ticker["last"], rel=0.01)


def test_ccxt_trades_a_position_through(exchange: Any) -> None:
    """Leverage and margin mode are set; a position is opened, protected, read, closed and accounted for."""
    exchange.load_markets()
    exchange.set_leverage(5, SYMBOL)
    exchange.set_margin_mode("isolated", SYMBOL)
    before = exchange.fetch_balance()["USDT"]["total"]
    entry = exchange.create_order(SYMBOL, "market", "buy", 0.01)
    stop = exchange.create_order(SYMBOL, "market", "sell", 0.01, None, {"stopLossPrice": 45_000, "reduceOnly": True})
    profit = exchange.create_order(
        SYMBOL, "market", "sell", 0.01, None, {"takeProfitPrice": 55_000, "reduceOnly": True}
    )
    (position,) = exchange.fetch_positions([SYMBOL])
    conditional = exchange.fetch_open_orders(SYMBOL, params={"trigger": True})

    assert ("closed", 0.01) == (entry["status"], entry["filled"])
    assert ("long", 0.01, "isolated") == (position["side"], position["contracts"], position["marginMode"])
    assert position["liquidationPrice"] < position["entryPrice"]
    assert {stop["id"], profit["id"]} == {each["id"] for each in conditional}
    assert {45_000.0, 55_000.0} == {each["triggerPrice"] for each in conditional}

    exchange.cancel_order(stop["id"], SYMBOL, {"trigger": True})
    exchange.cancel_all_orders(SYMBOL, {"trigger": True})
    exchange.create_order(SYMBOL, "market", "sell", 0.01, None, {"reduceOnly": True})
    trades = exchange.fetch_my_trades(SYMBOL)

    assert exchange.fetch_open_orders(SYMBOL, params={"trigger": True}) == []
    assert exchange.fetch_positions([SYMBOL]) == []
    assert {"buy", "sell"} == {each["side"] for each in trades}
    assert sum(each["amount"] for each in trades) == pytest.approx(0.02)
    spent = sum(each["fee"]["cost"] - float(each["info"]["realizedPnl"]) for each in trades)
    assert exchange.fetch_balance()["USDT"]["total"] == pytest.approx(before - spent)


def test_ccxt_works_with_resting_orders(exchange: Any) -> None:
    """Placed alone and in a batch, edited, listed, cancelled by id, in a batch, and all."""
    exchange.load_markets()
    order = exchange.create_order(SYMBOL, "limit", "buy", 0.01, 45_000, {"postOnly": True})
    edited = exchange.edit_order(order["id"], SYMBOL, "limit", "buy", 0.02, 45_100)
    batch = exchange.create_orders(
        [
            {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.01, "price": 44_000 + each}
            for each in range(3)
        ]
    )

    assert ("open", 45_100.0, 0.02) == (edited["status"], edited["price"], edited["amount"])
    assert len(exchange.fetch_open_orders(SYMBOL)) == 4
    assert exchange.fetch_order(order["id"], SYMBOL)["remaining"] == 0.02

    exchange.cancel_order(order["id"], SYMBOL)
    exchange.cancel_orders([each["id"] for each in batch[:2]], SYMBOL)
    assert [batch[2]["id"]] == [each["id"] for each in exchange.fetch_open_orders(SYMBOL)]

    exchange.cancel_all_orders(SYMBOL)
    assert exchange.fetch_open_orders(SYMBOL) == []
    assert {"canceled"} == {each["status"] for each in exchange.fetch_orders(SYMBOL)}


def test_ccxt_is_told_what_was_wrong(exchange: Any) -> None:
    """Its exceptions come from the codes and texts; those it knows of futures only, it recognises by the live host."""
    exchange.load_markets()
    exchange.set_margin_mode("isolated", SYMBOL)
    refusals: list[tuple[type[Exception], str, Callable[[], object]]] = [
        (ccxt.MarginModeAlreadySet, "-4046", lambda: exchange.set_margin_mode("isolated", SYMBOL)),
        (ccxt.ExchangeError, "-2019", lambda: exchange.create_order(SYMBOL, "limit", "buy", 15, 49_000)),
        (ccxt.OrderNotFound, "-2011", lambda: exchange.cancel_order("1", SYMBOL)),
        (ccxt.OrderNotFound, "-2013", lambda: exchange.fetch_order("1", SYMBOL)),
        (
            ccxt.InvalidOrder,
            "-5022",
            lambda: exchange.create_order(SYMBOL, "limit", "buy", 0.01, 52_000, {"postOnly": True}),
        ),
    ]
    for expected, code, call in refusals:
        with pytest.raises(expected, match=code):
            call()


def test_ccxt_reads_funding_history(exchange: Any, http_venue: HttpVenue) -> None:
    """A position held over a settlement has its payment, found under ccxt's own symbol."""
    http_venue.bought_hours_ago(BTC, "0.01")
    exchange.load_markets()
    (payment,) = exchange.fetch_funding_history(SYMBOL)

    assert (SYMBOL, "USDT") == (payment["symbol"], payment["code"])
    assert payment["amount"] != 0
