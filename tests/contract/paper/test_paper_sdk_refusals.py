"""What the exchange refuses, through the official SDK: its own code, message, status and exception class."""

import json
import re
from collections.abc import Callable
from typing import Any, Final

import pytest
from binance_common import utils
from binance_common.errors import BadRequestError, NotFoundError, TooManyRequestsError, UnauthorizedError

from tests.builders.paper import BTC, DOT, Venue, a_key_pair, wire_dir

LIMIT: Final = {
    "symbol": BTC,
    "side": "BUY",
    "type": "LIMIT",
    "quantity": "0.010",
    "price": "45000",
    "time_in_force": "GTC",
}
MARKET: Final = {"symbol": BTC, "side": "BUY", "type": "MARKET", "quantity": "0.010"}
STOP: Final = {
    "algo_type": "CONDITIONAL",
    "symbol": BTC,
    "side": "SELL",
    "type": "STOP_MARKET",
    "quantity": "0.010",
    "trigger_price": "45000",
}

REFUSED: Final[list[tuple[int, Callable[[Any], object]]]] = [
    # Market data
    (-1121, lambda rest: rest.mark_price(symbol="NOSUCHUSDT")),
    (-1120, lambda rest: rest.kline_candlestick_data(symbol=BTC, interval="1s")),
    (-4021, lambda rest: rest.order_book(symbol=BTC, limit=7)),
    # Parameters
    (-1121, lambda rest: rest.new_order(**LIMIT | {"symbol": "NOSUCHUSDT"})),
    (-1117, lambda rest: rest.new_order(**LIMIT | {"side": "HOLD"})),
    (-1116, lambda rest: rest.new_order(**LIMIT | {"type": "ICEBERG"})),
    (-1115, lambda rest: rest.new_order(**LIMIT | {"time_in_force": "DAY"})),
    (-1102, lambda rest: rest.new_order(symbol=BTC, side="BUY", type="LIMIT", quantity="0.010", time_in_force="GTC")),
    (-1102, lambda rest: rest.new_order(symbol=BTC, side="BUY", type="MARKET")),
    (-1102, lambda rest: rest.query_order(symbol=BTC)),
    (-4015, lambda rest: rest.new_order(**LIMIT, new_client_order_id="x" * 37)),
    # Floats, as the SDK writes them
    (-1100, lambda rest: rest.new_order(**LIMIT | {"quantity": 0.00001})),
    # Filters
    (-1111, lambda rest: rest.new_order(**LIMIT | {"quantity": "0.0105"})),
    (-4014, lambda rest: rest.new_order(**LIMIT | {"price": "45000.05"})),
    (-4003, lambda rest: rest.new_order(**LIMIT | {"quantity": "0"})),
    (-4003, lambda rest: rest.new_order(**LIMIT | {"quantity": "-1"})),
    (-4005, lambda rest: rest.new_order(**LIMIT | {"quantity": "1001"})),
    (-4164, lambda rest: rest.new_order(**LIMIT | {"quantity": "0.001"})),
    (-4016, lambda rest: rest.new_order(**LIMIT | {"price": "60000"})),
    # Rules
    (-2019, lambda rest: rest.new_order(**LIMIT | {"quantity": "15"})),
    (-2027, lambda rest: rest.new_order(**LIMIT | {"quantity": "90"})),
    (-2022, lambda rest: rest.new_order(**MARKET, reduce_only="true")),
    (-5022, lambda rest: rest.new_order(**LIMIT | {"price": "52000", "time_in_force": "GTX"})),
    (-5021, lambda rest: rest.new_order(**LIMIT | {"time_in_force": "FOK"})),
    (-4061, lambda rest: rest.new_order(**MARKET, position_side="LONG")),
    (-4120, lambda rest: rest.new_order(**MARKET | {"type": "STOP_MARKET"})),
    (-2013, lambda rest: rest.query_order(symbol=BTC, order_id=1)),
    (-2013, lambda rest: rest.query_current_open_order(symbol=BTC, order_id=1)),
    (-2011, lambda rest: rest.cancel_order(symbol=BTC, order_id=1)),
    # Conditional orders
    (-2021, lambda rest: rest.new_algo_order(**STOP | {"trigger_price": "55000"})),
    (-4137, lambda rest: rest.new_algo_order(**STOP, close_position="true")),
    (-2013, lambda rest: rest.query_algo_order(algo_id=1)),
    (-2011, lambda rest: rest.cancel_algo_order(algo_id=1)),
    # Settings
    (-4028, lambda rest: rest.change_initial_leverage(symbol=BTC, leverage=126)),
    (-4046, lambda rest: rest.change_margin_type(symbol=BTC, margin_type="CROSSED")),
    (-4059, lambda rest: rest.change_position_mode(dual_side_position="false")),
    (-4171, lambda rest: rest.change_multi_assets_mode(multi_assets_margin="false")),
]


class Wording:
    """The documented messages of each code, where they are on this machine; elsewhere every text passes."""

    def __init__(self) -> None:
        directory = wire_dir()
        rows = json.loads((directory / "error_codes.json").read_text()) if directory else []
        self._texts: dict[int, list[str]] = {row["code"]: row["messages"] for row in rows}
        if rows:
            # Seen in every client's log, and not on the page: the page has a sentence about it.
            self._texts[-2011].append("Unknown order sent.")

    def fits(self, code: int, text: str) -> bool:
        """Whether a text is one of the code's; `%s` in those stands for anything."""
        patterns = (re.escape(each).replace("%s", ".+") + r"\.?" for each in self._texts.get(code, ()))
        return not self._texts or any(re.fullmatch(pattern, text) for pattern in patterns)


@pytest.fixture(scope="module")
def official() -> Wording:
    """The page of error codes."""
    return Wording()


@pytest.mark.parametrize(("code", "call"), REFUSED)
def test_a_refusal_has_the_exchanges_code_and_words(
    venue: Venue, code: int, call: Callable[[Any], object], official: Wording
) -> None:
    """400 with `{code, msg}`, the message one of those documented for the code."""
    venue.refused(code, call, venue.rest)

    assert ["code", "msg"] == list(venue.answer)
    assert official.fits(code, venue.answer["msg"]), venue.answer["msg"]


@pytest.mark.parametrize(
    "number",
    ["NaN", "Infinity", "-1", "1e3", "1E-5", "0x10", "1,000", " 1", "１", "1.", ".5", "9" * 40, "0." + "1" * 30],
)
def test_a_number_that_is_none_changes_nothing(venue: Venue, number: str, official: Wording) -> None:
    """As quantity, price, trigger or id: refused in the exchange's words, and nothing rests afterwards."""
    rest = venue.rest
    calls: list[Callable[[], object]] = [
        lambda: rest.new_order(**LIMIT | {"quantity": number}),
        lambda: rest.new_order(**LIMIT | {"price": number}),
        lambda: rest.new_algo_order(**STOP | {"trigger_price": number}),
        lambda: rest.cancel_order(symbol=BTC, order_id=number),
        lambda: rest.change_initial_leverage(symbol=BTC, leverage=number),
    ]
    for call in calls:
        with pytest.raises(BadRequestError) as refused:
            call()
        code = refused.value.status_code or 0
        assert official.fits(code, venue.answer["msg"]), venue.answer
    rest.position_information_v3()

    assert venue.answer == []


@pytest.mark.parametrize(
    ("code", "path", "query"),
    [
        (-1104, "/fapi/v1/openOrders", {"symbol": BTC, "colour": "red"}),
        (-1102, "/fapi/v1/order", {"orderId": "1"}),
        (-1105, "/fapi/v1/order", {"symbol": BTC, "orderId": ""}),
        (-1023, "/fapi/v1/allOrders", {"symbol": BTC, "startTime": "2", "endTime": "1"}),
        (-1130, "/fapi/v1/income", {"incomeType": "LUCK"}),
    ],
)
def test_what_the_sdk_would_not_send_is_refused_too(
    venue: Venue, code: int, path: str, query: dict[str, str], official: Wording
) -> None:
    """Unknown, missing, empty, contradicting and invalid parameters."""
    venue.refused(code, _send, venue, path, query)

    assert official.fits(code, venue.answer["msg"]), venue.answer["msg"]


def _send(venue: Venue, path: str, query: dict[str, str]) -> None:
    rest = venue.rest
    utils.send_request(rest._session, rest.configuration, "GET", path, query, is_signed=True, signer=rest._signer)


def test_a_path_of_nobody_is_not_found(venue: Venue) -> None:
    """404, with a document all the same."""
    with pytest.raises(NotFoundError):
        _send(venue, "/fapi/v1/nowhere", {})

    assert venue.answer["code"] == -5000


def test_a_client_id_is_taken_while_its_order_is_open(venue: Venue) -> None:
    """-4116 then, and free again once the order is done."""
    venue.rest.new_order(**LIMIT, new_client_order_id="one")
    venue.refused(-4116, venue.rest.new_order, **LIMIT, new_client_order_id="one")
    venue.rest.cancel_order(symbol=BTC, orig_client_order_id="one")
    venue.rest.new_order(**LIMIT, new_client_order_id="one")

    assert venue.answer["status"] == "NEW"


def test_one_closing_stop_for_each_direction(venue: Venue) -> None:
    """-4130 for the second of its kind."""
    venue.rest.new_order(**MARKET)
    closing = {key: value for key, value in STOP.items() if key != "quantity"} | {"close_position": "true"}
    venue.rest.new_algo_order(**closing)

    venue.refused(-4130, venue.rest.new_algo_order, **closing | {"trigger_price": "44000"})


@pytest.mark.parametrize(("offset_ms", "code"), [(-5_001, -1021), (1_000, -1021), (-5_000, None), (999, None)])
def test_a_timestamp_outside_of_its_window_is_refused(venue: Venue, offset_ms: int, code: int | None) -> None:
    """Five seconds back unless said otherwise, less than one ahead."""
    venue.clock_off_by(offset_ms)
    if code is None:
        venue.rest.futures_account_configuration()
        assert venue.status == 200
    else:
        venue.refused(code, venue.rest.futures_account_configuration)


def test_a_longer_window_is_granted(venue: Venue) -> None:
    """`recvWindow` is the client's to choose."""
    venue.clock_off_by(-30_000)
    venue.rest.futures_account_configuration(recv_window=30_000)

    assert venue.status == 200


def test_a_wrong_secret_is_found_out(venue: Venue) -> None:
    """-1022 under 400."""
    venue.rest.configuration.api_secret = "not the secret"  # noqa: S105
    venue.refused(-1022, venue.rest.futures_account_configuration)


@pytest.mark.parametrize(("key", "code"), [("nobody", -2015), ("has a blank", -2014), ("", -2014)])
def test_a_key_of_nobody_is_unauthorized(venue: Venue, key: str, code: int) -> None:
    """401, and the SDK has a class for it."""
    venue.rest._session.headers["X-MBX-APIKEY"] = key
    venue.rest.configuration.base_headers["X-MBX-APIKEY"] = key
    with pytest.raises(UnauthorizedError) as refused:
        venue.rest.futures_account_configuration()

    assert (code, 401) == (refused.value.status_code, venue.status)


@pytest.mark.parametrize("kind", ["RSA", "Ed25519"])
def test_other_signatures_are_verified(venue: Venue, kind: str) -> None:
    """A key pair of either kind signs every verb; another key's signature is refused."""
    private, public = a_key_pair(kind)
    client = venue.client(private_key=private, public_key=public)
    client.new_order(**LIMIT, new_client_order_id="a:b/c")
    client.cancel_order(symbol=BTC, orig_client_order_id="a:b/c")
    client.futures_account_configuration()
    stranger = venue.client(private_key=a_key_pair(kind, other=True)[0])
    with pytest.raises(BadRequestError) as refused:
        stranger.futures_account_configuration()

    assert refused.value.status_code == -1022


def test_weight_runs_out_and_comes_back(venue: Venue) -> None:
    """429 with Retry-After until the minute is over, and the SDK tells how long."""
    for _ in range(60):
        venue.rest.ticker24hr_price_change_statistics()
    with pytest.raises(TooManyRequestsError) as refused:
        venue.rest.test_connectivity()
    retry_after = refused.value.retry_after or 0

    assert refused.value.status_code == -1003
    assert 1 <= retry_after <= 60

    venue.pass_time(retry_after * 1_000)
    venue.rest.test_connectivity()
    assert venue.status == 200


def test_orders_run_out_by_the_ten_seconds(venue: Venue) -> None:
    """300 orders in ten seconds, refused with -1015 under 429; reading goes on."""
    batch = [{"symbol": DOT, "side": "BUY", "type": "MARKET", "quantity": "0.1", "reduceOnly": "true"}]
    for _ in range(60):
        venue.rest.place_multiple_orders(batch_orders=batch)
    with pytest.raises(TooManyRequestsError) as refused:
        venue.rest.new_order(**LIMIT)
    venue.rest.futures_account_configuration()

    assert refused.value.status_code == -1015
    assert venue.status == 200
