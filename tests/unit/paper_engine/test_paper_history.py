import json
from decimal import Decimal

import pytest

from tests.unit.paper_engine.paper_stage import DAY_MS, HOUR_MS, SYMBOL, Stage, refused, staged
from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.engine.kinds import IncomeType


def _traded(days: int) -> Stage:
    stage = staged()
    for _ in range(days):
        stage.market("BUY", "0.01")
        stage.wait(DAY_MS)
    return stage


def test_fills_of_a_week_the_newest_without_a_window_the_oldest_with_one() -> None:
    """As userTrades cuts them; from_id pages on."""
    stage = _traded(10)
    trades = [fill.trade_id for fill in stage.account.fills]
    exchange, account, now = stage.exchange, stage.account, stage.exchange.now_ms

    assert trades[-7:] == [fill.trade_id for fill in exchange.user_trades(account, SYMBOL)]
    assert trades[-2:] == [fill.trade_id for fill in exchange.user_trades(account, SYMBOL, limit=2)]
    windowed = exchange.user_trades(account, SYMBOL, start_ms=now - 3 * DAY_MS, limit=2)
    assert trades[-3:-1] == [fill.trade_id for fill in windowed]
    paged = exchange.user_trades(account, SYMBOL, from_id=trades[1], limit=3)
    assert trades[1:4] == [fill.trade_id for fill in paged]
    one = exchange.user_trades(account, SYMBOL, order_id=account.fills[-1].order_id)
    assert trades[-1:] == [fill.trade_id for fill in one]


def test_windows_are_at_most_a_week() -> None:
    """-4165 beyond, -1023 backwards, -1128 for from_id with a time, -1121 for a symbol that is not."""
    stage = _traded(1)
    exchange, account = stage.exchange, stage.account

    with refused(-4165):
        exchange.user_trades(account, SYMBOL, start_ms=0, end_ms=8 * DAY_MS)
    with refused(-1023):
        exchange.all_orders(account, SYMBOL, start_ms=2, end_ms=1)
    with refused(-1128):
        exchange.user_trades(account, SYMBOL, from_id=1, start_ms=1)
    with refused(-1121):
        exchange.all_orders(account, "NOSUCHUSDT")


def test_all_orders_keeps_the_newest_and_pages_by_id() -> None:
    """The limit of allOrders cuts at the other end than that of userTrades."""
    stage = _traded(4)
    ids = list(stage.account.orders)
    exchange, account = stage.exchange, stage.account

    assert ids[-2:] == [order.order_id for order in exchange.all_orders(account, SYMBOL, limit=2)]
    paged = exchange.all_orders(account, SYMBOL, order_id=ids[1], limit=2)
    assert ids[1:3] == [order.order_id for order in paged]
    early = exchange.all_orders(account, end_ms=exchange.now_ms - 2 * DAY_MS - 1)
    assert ids[:2] == [order.order_id for order in early]


def test_the_exchange_forgets() -> None:
    """An order that ended without a fill after three days, a filled one after ninety: -2013."""
    stage = staged()
    filled = stage.market("BUY", "0.01", client_order_id="filled")
    stage.limit("BUY", "0.01", "40000", client_order_id="gone")
    stage.exchange.cancel_all(stage.account, SYMBOL)
    stage.wait(3 * DAY_MS)
    still_known = stage.exchange.query(stage.account, SYMBOL, client_order_id="gone")
    stage.wait(HOUR_MS)

    assert not still_known.is_open
    with refused(-2013):
        stage.exchange.query(stage.account, SYMBOL, client_order_id="gone")
    assert filled is stage.exchange.query(stage.account, SYMBOL, filled.order_id)
    stage.wait(90 * DAY_MS)
    with refused(-2013):
        stage.exchange.query(stage.account, SYMBOL, filled.order_id)


def test_an_open_order_is_found_only_while_it_is_open() -> None:
    """-2013 from query_open once it is filled, and for another symbol's order."""
    stage = staged()
    placed = stage.limit("BUY", "0.01", "49000")

    assert placed is stage.exchange.query_open(stage.account, SYMBOL, placed.order_id)
    with refused(-2013):
        stage.exchange.query(stage.account, "ETHUSDT", placed.order_id)
    stage.at(48_000)
    with refused(-2013):
        stage.exchange.query_open(stage.account, SYMBOL, placed.order_id)


def test_income_is_every_change_of_the_wallet() -> None:
    """By type and by symbol, oldest first."""
    stage = _traded(2)
    exchange, account = stage.exchange, stage.account
    kinds = [row.type for row in exchange.income(account)]

    assert [IncomeType.TRANSFER, IncomeType.COMMISSION, IncomeType.COMMISSION] == kinds
    assert 2 == len(exchange.income(account, SYMBOL))
    assert 1 == len(exchange.income(account, SYMBOL, IncomeType.COMMISSION, limit=1))
    assert [] == list(exchange.income(account, SYMBOL, IncomeType.FUNDING_FEE))


def test_conditional_orders_are_listed_newest_first() -> None:
    """In every state, as allAlgoOrders does."""
    stage = staged()
    first = stage.algo("SELL", "STOP_MARKET", "49000", "0.1", reduce_only=True)
    second = stage.algo("SELL", "STOP_MARKET", "48000", "0.1", reduce_only=True)
    stage.exchange.cancel_algo(stage.account, first.algo_id)

    assert [second, first] == stage.exchange.all_algo_orders(stage.account, SYMBOL)
    assert [second] == stage.exchange.all_algo_orders(stage.account, SYMBOL, limit=1)
    assert [second] == stage.exchange.all_algo_orders(stage.account, SYMBOL, algo_id=second.algo_id)
    assert [] == stage.exchange.all_algo_orders(stage.account, SYMBOL, end_ms=stage.exchange.now_ms - 1)


def test_accounts_are_kept_apart_by_key() -> None:
    """-2015 for a key nobody opened; no key twice."""
    stage = staged()
    other = stage.exchange.open_account("other", {"USDT": Decimal(1)})
    stage.market("BUY", "0.01")

    assert other is stage.exchange.account("other")
    assert not other.fills
    with refused(-2015):
        stage.exchange.account("nobody")
    with pytest.raises(ValueError, match="has an account"):
        stage.exchange.open_account("other", {})


def test_the_past_stays_where_it_is() -> None:
    """Advancing to an instant that has passed does nothing."""
    stage = staged()
    now = stage.exchange.now_ms
    stage.exchange.advance(now - 1)

    assert now == stage.exchange.now_ms


def test_a_snapshot_of_another_version_is_refused() -> None:
    """What cannot be read in full is not read at all."""
    stage = staged()
    document = json.loads(json.dumps(stage.exchange.snapshot()))
    document["version"] = 99

    with pytest.raises(ValueError, match="version"):
        stage.exchange.restore(document)


@pytest.mark.parametrize("refusal", list(Refusal))
def test_every_refusal_has_a_sentence(refusal: Refusal) -> None:
    """The message is filled in, whatever it needs."""
    error = VenueError(refusal, *("x",) * refusal.text.count("%s"))

    assert refusal.code == error.code < 0
    assert "%s" not in str(error)
    assert 400 <= error.http_status < 600
