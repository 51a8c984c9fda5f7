"""Public endpoints through the official SDK: recorded shapes, candles as the exchange gives them, real weights."""

from itertools import pairwise
from typing import Final

import pytest

from tests.builders.paper import BTC, DOT, Venue
from tests.contract.paper.calls import PUBLIC, Call
from tests.contract.paper.recordings import RECORDINGS

WEIGHTS: Final[list[tuple[int, Call]]] = [
    (1, lambda rest: rest.test_connectivity()),
    (1, lambda rest: rest.check_server_time()),
    (1, lambda rest: rest.exchange_information()),
    (2, lambda rest: rest.order_book(symbol=BTC, limit=50)),
    (5, lambda rest: rest.order_book(symbol=BTC, limit=100)),
    (10, lambda rest: rest.order_book(symbol=BTC)),
    (20, lambda rest: rest.order_book(symbol=BTC, limit=1000)),
    (1, lambda rest: rest.kline_candlestick_data(symbol=BTC, interval="5m", limit=99)),
    (2, lambda rest: rest.kline_candlestick_data(symbol=BTC, interval="5m", limit=100)),
    (2, lambda rest: rest.kline_candlestick_data(symbol=BTC, interval="5m", limit=499)),
    (5, lambda rest: rest.kline_candlestick_data(symbol=BTC, interval="5m")),
    (5, lambda rest: rest.kline_candlestick_data(symbol=BTC, interval="5m", limit=1000)),
    (10, lambda rest: rest.kline_candlestick_data(symbol=BTC, interval="5m", limit=1001)),
    (1, lambda rest: rest.mark_price(symbol=BTC)),
    (10, lambda rest: rest.mark_price()),
    (2, lambda rest: rest.symbol_order_book_ticker(symbol=BTC)),
    (5, lambda rest: rest.symbol_order_book_ticker()),
    (1, lambda rest: rest.ticker24hr_price_change_statistics(symbol=BTC)),
    (40, lambda rest: rest.ticker24hr_price_change_statistics()),
    (1, lambda rest: rest.symbol_price_ticker_v2(symbol=BTC)),
    (2, lambda rest: rest.symbol_price_ticker_v2()),
    (0, lambda rest: rest.get_funding_rate_history(symbol=BTC)),
    (0, lambda rest: rest.get_funding_rate_info()),
    (1, lambda rest: rest.open_interest(symbol=BTC)),
    (20, lambda rest: rest.compressed_aggregate_trades_list(symbol=BTC)),
    (
        0,
        lambda rest: rest.new_order(
            symbol=BTC, side="BUY", type="LIMIT", quantity="0.01", price="45000", time_in_force="GTC"
        ),
    ),
    (1, lambda rest: rest.current_all_open_orders(symbol=BTC)),
    (40, lambda rest: rest.current_all_open_orders()),
    (1, lambda rest: rest.current_all_algo_open_orders(symbol=BTC)),
    (40, lambda rest: rest.current_all_algo_open_orders()),
    (1, lambda rest: rest.cancel_all_open_orders(symbol=BTC)),
    (5, lambda rest: rest.all_orders(symbol=BTC)),
    (5, lambda rest: rest.query_all_algo_orders(symbol=BTC)),
    (5, lambda rest: rest.account_trade_list(symbol=BTC)),
    (10, lambda rest: rest.auto_cancel_all_open_orders(symbol=BTC, countdown_time=0)),
    (5, lambda rest: rest.account_information_v3()),
    (5, lambda rest: rest.account_information_v2()),
    (5, lambda rest: rest.futures_account_balance_v3()),
    (5, lambda rest: rest.position_information_v3()),
    (5, lambda rest: rest.symbol_configuration()),
    (5, lambda rest: rest.futures_account_configuration()),
    (30, lambda rest: rest.get_current_position_mode()),
    (30, lambda rest: rest.get_current_multi_assets_mode()),
    (1, lambda rest: rest.notional_and_leverage_brackets()),
    (20, lambda rest: rest.user_commission_rate(symbol=BTC)),
    (30, lambda rest: rest.get_income_history()),
    (1, lambda rest: rest.start_user_data_stream()),
]


@pytest.mark.parametrize("name", PUBLIC)
def test_an_answer_has_the_shape_of_the_recorded_one(venue: Venue, name: str) -> None:
    """Keys, their order, types and number formats, of every public endpoint that the SDK has a method for."""
    PUBLIC[name](venue.rest)

    assert RECORDINGS[name].differences(venue.answer) == []


def test_ping_is_an_empty_object(venue: Venue) -> None:
    """The documentation's example has none; the exchange sends `{}`."""
    venue.rest.test_connectivity()

    assert venue.answer == {}


@pytest.mark.parametrize(("weight", "call"), WEIGHTS)
def test_a_request_costs_its_real_weight(venue: Venue, weight: int, call: Call) -> None:
    """What a plan to live inside 2,400 a minute is tested against."""
    venue.rest.test_connectivity()
    before = int(venue.headers["X-MBX-USED-WEIGHT-1M"])
    call(venue.rest)

    assert weight == int(venue.headers["X-MBX-USED-WEIGHT-1M"]) - before


def test_order_requests_count_orders_and_say_so(venue: Venue) -> None:
    """Both counters come in the headers of an order's answer, and in the SDK's rate limits."""
    order = {
        "symbol": BTC,
        "side": "BUY",
        "type": "LIMIT",
        "quantity": "0.01",
        "price": "45000",
        "time_in_force": "GTC",
    }
    venue.rest.new_order(**order)
    answered = venue.rest.new_order(**order)

    assert venue.headers["X-MBX-ORDER-COUNT-10S"] == "2"
    assert venue.headers["X-MBX-ORDER-COUNT-1M"] == "2"
    assert {("ORDERS", 2), ("REQUEST_WEIGHT", 0)} == {(each.rateLimitType, each.count) for each in answered.rate_limits}


def test_the_forming_candle_comes_last(venue: Venue) -> None:
    """Candles lie on the grid, oldest first, and the newest has not closed yet."""
    venue.pass_time(90_000)
    venue.rest.kline_candlestick_data(symbol=BTC, interval="5m", limit=4)
    rows = venue.answer

    assert [300_000] * 3 == [later[0] - earlier[0] for earlier, later in pairwise(rows)]
    assert rows[-1][0] <= venue.now_ms() < rows[-1][6]
    assert [row[0] + 299_999 for row in rows] == [row[6] for row in rows]
    assert all(float(low) <= float(first) <= float(high) for _, first, high, low, *_ in rows)


@pytest.mark.parametrize(
    "interval", ["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"]
)
def test_every_interval_is_answered(venue: Venue, interval: str) -> None:
    """All fifteen that futures have; what the market's own bars cannot give is a shorter list, never an error."""
    venue.rest.kline_candlestick_data(symbol=BTC, interval=interval, limit=3)

    assert len(venue.answer) >= 1


def test_candles_between_two_times(venue: Venue) -> None:
    """`startTime` and `endTime` bound the open times, both included, and a limit keeps the oldest of them."""
    venue.rest.kline_candlestick_data(symbol=BTC, interval="5m", limit=6)
    opens = [row[0] for row in venue.answer]
    venue.rest.kline_candlestick_data(symbol=BTC, interval="5m", start_time=opens[1], end_time=opens[3])
    between = [row[0] for row in venue.answer]
    venue.rest.kline_candlestick_data(symbol=BTC, interval="5m", start_time=opens[1], limit=2)

    assert opens[1:4] == between
    assert opens[1:3] == [row[0] for row in venue.answer]


@pytest.mark.parametrize("limit", [5, 10, 20, 50, 100, 500, 1000])
def test_the_book_is_ordered_and_never_crossed(venue: Venue, limit: int) -> None:
    """Bids fall, asks rise, prices differ, and there are at most as many as asked for."""
    venue.rest.order_book(symbol=BTC, limit=limit)
    bids, asks = ([float(price) for price, _ in venue.answer[side]] for side in ("bids", "asks"))

    assert 1 <= len(bids) <= limit
    assert 1 <= len(asks) <= limit
    assert sorted(set(bids), reverse=True) == bids
    assert sorted(set(asks)) == asks
    assert bids[0] < asks[0]


def test_lists_of_all_symbols_hold_each_once(venue: Venue) -> None:
    """One row for each symbol that trades."""
    rest = venue.rest
    for call in (
        rest.mark_price,
        rest.symbol_order_book_ticker,
        rest.symbol_price_ticker_v2,
        rest.ticker24hr_price_change_statistics,
    ):
        call()

        assert sorted(each["symbol"] for each in venue.answer) == sorted([BTC, DOT])
