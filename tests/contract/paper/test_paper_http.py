"""The server itself: what only a socket can show."""

import socket
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
import requests
from binance_common.configuration import ConfigurationRestAPI
from binance_common.errors import NetworkError
from binance_common.utils import request_not_sent
from binance_sdk_derivatives_trading_usds_futures.derivatives_trading_usds_futures import DerivativesTradingUsdsFutures

from tests.builders.paper import BTC, HttpVenue, serve
from withearth.paper.faults import Fault, FaultKind

LIMIT: Final = {
    "symbol": BTC,
    "side": "BUY",
    "type": "LIMIT",
    "quantity": "0.010",
    "price": "45000",
    "time_in_force": "GTC",
}


@pytest.fixture
def rest(http_venue: HttpVenue) -> Iterator[Any]:
    """The official SDK with nothing changed but its base path."""
    configuration = ConfigurationRestAPI(
        api_key=http_venue.key, api_secret=http_venue.secret, base_path=http_venue.url, timeout=5_000, retries=0
    )
    opened: Any = DerivativesTradingUsdsFutures(config_rest_api=configuration).rest_api
    opened._session.trust_env = False
    yield opened
    opened._session.close()


def test_the_sdk_trades_over_a_socket(rest: Any) -> None:
    """One order through its life, on a kept-alive connection, with the exchange's headers."""
    placed = rest.new_order(**LIMIT)
    order_id = placed.data().order_id
    open_ids = [each.order_id for each in rest.current_all_open_orders(symbol=BTC).data()]
    cancelled = rest.cancel_order(symbol=BTC, order_id=order_id).data()

    assert [order_id] == open_ids
    assert cancelled.status == "CANCELED"
    assert placed.headers["Content-Type"] == "application/json"
    assert placed.headers["X-MBX-ORDER-COUNT-10S"] == "1"
    assert len(rest._session.get_adapter("http://").poolmanager.pools) == 1


@pytest.mark.parametrize(("kind", "executed"), [(FaultKind.RESET_BEFORE, False), (FaultKind.RESET_AFTER, True)])
def test_a_broken_connection_is_broken_on_the_wire(
    rest: Any, http_venue: HttpVenue, kind: FaultKind, *, executed: bool
) -> None:
    """No byte of an answer comes, and the client cannot tell whether the order was placed."""
    http_venue.faults.add(Fault(kind, method="POST"))
    with pytest.raises(NetworkError) as broken:
        rest.new_order(**LIMIT)

    assert not request_not_sent(broken.value.__cause__)
    assert executed == (len(rest.current_all_open_orders(symbol=BTC).data()) == 1)


def test_a_server_stops_while_clients_hold_connections() -> None:
    """Whoever keeps a connection open, or has sent half a request, is disconnected."""
    with serve() as venue, requests.Session() as session:
        session.trust_env = False
        session.get(f"{venue.url}/fapi/v1/ping")
        port = urlsplit(venue.url).port
        half = socket.create_connection(("127.0.0.1", port or 0))
        half.sendall(b"GET /fapi/v1/ping HTTP/1.1\r\n")
    with half:
        assert _is_disconnected(half)


def _is_disconnected(connection: socket.socket) -> bool:
    # What the server had not read yet makes the end of the connection a reset.
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_only_this_machine_is_listened_to(http_venue: HttpVenue) -> None:
    """The address is the loopback's."""
    assert urlsplit(http_venue.url).hostname == "127.0.0.1"
