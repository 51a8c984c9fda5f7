"""python-binance, as it is installed, trades on the paper exchange over HTTP: only its base URL is changed."""

import warnings
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.builders.paper import BTC, DOT, HttpVenue

with warnings.catch_warnings():
    # The library uses a name that the WebSocket package has deprecated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from binance.client import Client  # type: ignore[import-untyped]
    from binance.exceptions import BinanceAPIException  # type: ignore[import-untyped]


@pytest.fixture
def client(http_venue: HttpVenue) -> Iterator[Any]:
    """The library's client, which does not greet the spot exchange first."""
    opened: Any = Client(http_venue.key, http_venue.secret, ping=False)
    opened.FUTURES_URL = f"{http_venue.url}/fapi"
    opened.session.trust_env = False
    yield opened
    opened.session.close()


def test_python_binance_reads_the_market(client: Any) -> None:
    """Time, listing, candles, book, tickers, mark price and funding."""
    assert client.futures_ping() == {}
    assert client.futures_time()["serverTime"] > 0
    assert {BTC, DOT} == {each["symbol"] for each in client.futures_exchange_info()["symbols"]}
    assert len(client.futures_klines(symbol=BTC, interval="5m", limit=7)) == 7
    assert {"bids", "asks"} <= client.futures_order_book(symbol=BTC, limit=5).keys()
    assert client.futures_symbol_ticker(symbol=BTC)["symbol"] == BTC
    assert len(client.futures_orderbook_ticker()) == 2
    assert client.futures_ticker(symbol=BTC)["symbol"] == BTC
    assert len(client.futures_mark_price()) == 2
    assert client.futures_open_interest(symbol=BTC)["symbol"] == BTC
    assert isinstance(client.futures_funding_rate(symbol=BTC), list)
    assert client.futures_leverage_bracket(symbol=BTC)[0]["symbol"] == BTC


def test_python_binance_pages_through_candles(client: Any) -> None:
    """It asks for the earliest candle first, then for a thousand at a time."""
    newest = client.futures_klines(symbol=BTC, interval="1m", limit=1_500)
    rows = client.futures_historical_klines(BTC, "1m", newest[0][0], newest[-1][0])

    assert [row[0] for row in newest] == [row[0] for row in rows]


def test_python_binance_trades_a_position_through(client: Any) -> None:
    """Leverage, margin type, entry, stop, take-profit, reading, cancelling and closing."""
    assert client.futures_change_leverage(symbol=BTC, leverage=5)["leverage"] == 5
    assert client.futures_change_margin_type(symbol=BTC, marginType="ISOLATED")["code"] == 200
    client.futures_create_order(symbol=BTC, side="BUY", type="MARKET", quantity=0.01)
    # Conditional types are routed to the algo endpoint by the library itself.
    stop = client.futures_create_order(
        symbol=BTC, side="SELL", type="STOP_MARKET", quantity=0.01, stopPrice=45_000, reduceOnly=True
    )
    profit = client.futures_create_order(
        symbol=BTC, side="SELL", type="TAKE_PROFIT_MARKET", stopPrice=55_000, closePosition="true"
    )
    (position,) = client.futures_position_information(symbol=BTC)

    assert ("STOP_MARKET", True) == (stop["orderType"], stop["reduceOnly"])
    assert ("TAKE_PROFIT_MARKET", True) == (profit["orderType"], profit["closePosition"])
    assert Decimal(position["positionAmt"]) == Decimal("0.01")
    assert len(client.futures_get_open_orders(symbol=BTC, conditional=True)) == 2
    assert client.futures_get_order(symbol=BTC, algoId=stop["algoId"])["algoStatus"] == "NEW"

    assert client.futures_cancel_order(algoId=stop["algoId"], conditional=True)["code"] == "200"
    assert client.futures_cancel_all_open_orders(symbol=BTC, conditional=True)["code"] == 200
    client.futures_create_order(symbol=BTC, side="SELL", type="MARKET", quantity=0.01, reduceOnly=True)
    account = client.futures_account()
    paid = sum(Decimal(each["income"]) for each in client.futures_income_history(limit=1000))

    assert {"BUY", "SELL"} == {each["side"] for each in client.futures_account_trades(symbol=BTC)}
    assert client.futures_position_information(symbol=BTC) == []
    assert Decimal(account["totalWalletBalance"]) == paid
    assert Decimal(client.futures_account_balance()[0]["balance"]) == paid


def test_python_binance_works_with_resting_orders(client: Any) -> None:
    """DELETE comes with a body, batches percent-encoded, lists in lower case."""
    limit = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "quantity": "0.01", "timeInForce": "GTC"}
    order = client.futures_create_order(**limit, price=45_000)
    changed = client.futures_modify_order(symbol=BTC, orderId=order["orderId"], side="BUY", quantity=0.02, price=45_100)
    batch = client.futures_place_batch_order(batchOrders=[limit | {"price": f"{44_000 + each}"} for each in range(3)])

    assert (Decimal(45_100), Decimal("0.02")) == (Decimal(changed["price"]), Decimal(changed["origQty"]))
    assert len(client.futures_get_open_orders(symbol=BTC)) == 4
    assert client.futures_get_order(symbol=BTC, orderId=order["orderId"])["status"] == "NEW"

    client.futures_cancel_order(symbol=BTC, orderId=order["orderId"])
    client.futures_cancel_orders(symbol=BTC, orderidlist=[each["orderId"] for each in batch[:2]])
    assert [batch[2]["orderId"]] == [each["orderId"] for each in client.futures_get_open_orders(symbol=BTC)]

    client.futures_cancel_all_open_orders(symbol=BTC)
    assert client.futures_get_open_orders(symbol=BTC) == []
    assert {"CANCELED"} == {each["status"] for each in client.futures_get_all_orders(symbol=BTC)}


def test_python_binance_changes_modes(client: Any) -> None:
    """Its booleans are spelled `True` and `False`."""
    assert client.futures_change_position_mode(dualSidePosition=True)["code"] == 200
    assert client.futures_get_position_mode() == {"dualSidePosition": True}
    assert client.futures_change_position_mode(dualSidePosition=False)["code"] == 200
    assert client.futures_change_multi_assets_mode(multiAssetsMargin=True)["code"] == 200
    assert client.futures_get_multi_assets_mode() == {"multiAssetsMargin": True}
    assert client.futures_stream_get_listen_key()
    assert client.futures_account_config()["canTrade"] is True


def test_python_binance_is_told_what_was_wrong(client: Any) -> None:
    """Code, message and status of a refusal arrive in its exception."""
    with pytest.raises(BinanceAPIException) as refused:
        client.futures_limit_buy_order(symbol=BTC, quantity="0.01", price="45000")
    with pytest.raises(BinanceAPIException) as unknown:
        client.futures_get_order(symbol=BTC, orderId=1)

    assert (-1102, 400) == (refused.value.code, refused.value.status_code)
    assert (-2013, "Order does not exist.") == (unknown.value.code, unknown.value.message)
