from decimal import Decimal

import pytest

from tests.unit.paper_engine.paper_stage import (
    DAY_MS,
    HOUR_MS,
    OTHER,
    PRICE,
    SYMBOL,
    ZERO,
    Stage,
    instrument,
    order,
    refused,
    staged,
)
from withearth.paper.engine.kinds import IncomeType, MarginType, OrderStatus, OrderType, PositionSide
from withearth.paper.engine.views import Balance, PositionView


def _balance(stage: Stage) -> Balance:
    (balance,) = stage.exchange.balances(stage.account)
    return balance


def _view(stage: Stage) -> PositionView:
    (view,) = stage.exchange.positions(stage.account, SYMBOL)
    return view


def _income(stage: Stage, kind: IncomeType) -> Decimal:
    return sum((row.amount for row in stage.account.income if row.type is kind), Decimal(0))


def _isolated(leverage: int, wallet: int = 10_000) -> Stage:
    stage = staged(wallet=wallet)
    stage.exchange.set_margin_type(stage.account, SYMBOL, MarginType.ISOLATED)
    stage.exchange.set_leverage(stage.account, SYMBOL, leverage)
    return stage


def test_initial_margin_is_notional_over_leverage() -> None:
    """A position and an open order bind margin; what is left is available."""
    stage = staged(wallet=1_000)
    stage.market("BUY", "0.1")
    stage.limit("BUY", "0.1", "40000")
    balance = _balance(stage)

    assert (Decimal(250), Decimal(200)) == (balance.position_initial_margin, balance.open_order_initial_margin)
    assert balance.margin_balance - 450 == balance.available_balance
    assert Decimal(20) == balance.maint_margin


def test_an_order_nobody_can_pay_for_is_refused() -> None:
    """-2019 when the free margin does not carry it; the opposite order of a position needs none."""
    stage = staged(wallet=1_000)
    stage.market("BUY", "0.35")

    with refused(-2019):
        stage.market("BUY", "0.1")
    with refused(-2019):
        stage.limit("SELL", "0.8", "50500")
    assert stage.limit("SELL", "0.35", "50500").is_open


def test_leverage_bounds_the_position() -> None:
    """-2027 beyond the bracket's cap, position and open orders together; -4028 for a leverage that does not exist."""
    stage = staged(wallet=10_000_000)

    with refused(-4028):
        stage.exchange.set_leverage(stage.account, SYMBOL, 151)
    with refused(-4028):
        stage.exchange.set_leverage(stage.account, SYMBOL, 0)
    assert Decimal(300_000) == stage.exchange.set_leverage(stage.account, SYMBOL, 150)
    stage.market("BUY", "4")
    stage.limit("BUY", "1", "49000")
    with refused(-2027):
        stage.limit("BUY", "2", "49000")
    with refused(-2027):
        stage.market("BUY", "3")


def test_leverage_changes_only_where_the_position_allows() -> None:
    """-2027 when the position is too large for it, -2028 when it needs margin there is not, -4161 when isolated."""
    stage = staged(wallet=30_000)
    stage.market("BUY", "8")

    with refused(-2027):
        stage.exchange.set_leverage(stage.account, SYMBOL, 125)
    with refused(-2028):
        stage.exchange.set_leverage(stage.account, SYMBOL, 5)
    assert 20 == _view(stage).leverage
    alone = _isolated(20)
    alone.market("BUY", "0.1")
    with refused(-4161):
        alone.exchange.set_leverage(alone.account, SYMBOL, 10)


def test_a_small_symbol_caps_the_default_leverage() -> None:
    """An account never has more leverage than the symbol's first bracket."""
    listed = instrument()
    small = instrument(brackets=listed.brackets[4:])

    assert 20 == _view(staged(listed=small)).leverage
    tiny = instrument(brackets=tuple(b.__class__(1, 5, b.floor, b.cap, b.rate, b.cum) for b in listed.brackets[4:]))
    assert 5 == _view(staged(listed=tiny)).leverage


def test_the_margin_type_changes_only_when_flat_and_quiet() -> None:
    """-4046 when it is so already, -4047 with orders, -4048 with a position, -4168 in multi-assets mode."""
    stage = staged()

    with refused(-4046):
        stage.exchange.set_margin_type(stage.account, SYMBOL, MarginType.CROSSED)
    stop = stage.algo("SELL", "STOP_MARKET", "49000", "0.1", reduce_only=True)
    with refused(-4047):
        stage.exchange.set_margin_type(stage.account, SYMBOL, MarginType.ISOLATED)
    stage.exchange.cancel_algo(stage.account, stop.algo_id)
    stage.market("BUY", "0.1")
    with refused(-4048):
        stage.exchange.set_margin_type(stage.account, SYMBOL, MarginType.ISOLATED)
    stage.market("SELL", "0.1")
    stage.exchange.set_multi_assets(stage.account, multi_assets=True)
    with refused(-4168):
        stage.exchange.set_margin_type(stage.account, SYMBOL, MarginType.ISOLATED)


def test_the_assets_mode_has_rules() -> None:
    """-4171 when it is so already, -4167 with an isolated symbol, -4170 with open orders."""
    stage = staged()

    with refused(-4171):
        stage.exchange.set_multi_assets(stage.account, multi_assets=False)
    stage.limit("BUY", "0.01", "40000")
    with refused(-4170):
        stage.exchange.set_multi_assets(stage.account, multi_assets=True)
    stage.exchange.set_margin_type(stage.account, OTHER, MarginType.ISOLATED)
    with refused(-4167):
        stage.exchange.set_multi_assets(stage.account, multi_assets=True)


def test_in_multi_assets_mode_all_wallets_carry_a_position() -> None:
    """At par: haircuts are not modelled."""
    stage = staged(wallet=100)
    stage.exchange.transfer(stage.account, "USDC", Decimal(10_000))

    with refused(-2019):
        stage.market("BUY", "0.1")
    stage.exchange.set_multi_assets(stage.account, multi_assets=True)
    assert OrderStatus.FILLED == stage.market("BUY", "0.1").status


def test_an_isolated_position_has_a_wallet_of_its_own() -> None:
    """Opening sets margin aside, a partial close gives its share back, a full close all of it."""
    stage = _isolated(10)
    stage.market("BUY", "0.2")
    opened = stage.position().isolated_wallet
    stage.market("SELL", "0.1")
    halved = stage.position().isolated_wallet
    stage.market("SELL", "0.1")

    assert Decimal("1000.05") == opened
    assert opened / 2 == halved
    assert (ZERO, ZERO) == (stage.position().isolated_wallet, stage.position().cost)


def test_isolated_margin_is_added_and_taken_back() -> None:
    """-4049 cross, -4054 flat, -4055 not positive, -4050 and -4051 when there is not enough."""
    stage = _isolated(10)
    exchange, account = stage.exchange, stage.account

    with refused(-4054):
        exchange.modify_isolated_margin(account, SYMBOL, Decimal(1), add=True)
    with refused(-4049):
        exchange.modify_isolated_margin(account, OTHER, Decimal(1), add=True)
    stage.market("BUY", "0.1")
    exchange.modify_isolated_margin(account, SYMBOL, Decimal(100), add=True)
    exchange.modify_isolated_margin(account, SYMBOL, Decimal(99), add=False)
    assert Decimal("501.025") == stage.position().isolated_wallet
    for amount, code in ((0, -4055), (-1, -4055), ("NaN", -1100)):
        with refused(code):
            exchange.modify_isolated_margin(account, SYMBOL, Decimal(amount), add=True)
    with refused(-4050):
        exchange.modify_isolated_margin(account, SYMBOL, Decimal(100_000), add=True)
    with refused(-4051):
        exchange.modify_isolated_margin(account, SYMBOL, Decimal(10), add=False)


def test_money_can_be_paid_out_as_far_as_it_is_free() -> None:
    """A transfer is an income row like any other; -4050 for more than is available."""
    stage = staged(wallet=1_000)
    stage.market("BUY", "0.1")

    with refused(-4050):
        stage.exchange.transfer(stage.account, "USDT", Decimal(-900))
    stage.exchange.transfer(stage.account, "USDT", Decimal(-100))
    with refused(-4055):
        stage.exchange.transfer(stage.account, "USDT", Decimal(0))
    with refused(-4050):
        stage.exchange.transfer(stage.account, "USDC", Decimal(-1))
    with refused(-1130):
        stage.exchange.transfer(stage.account, "USDT", Decimal("1e400"))
    assert Decimal(900) == _income(stage, IncomeType.TRANSFER)


def test_realised_profit_is_booked_in_parts_and_adds_up_to_the_last_digit() -> None:
    """A position whose mean price has no end in decimals still closes exactly."""
    stage = staged()
    stage.market("BUY", "0.002")
    stage.at("50000.1")
    stage.market("BUY", "0.005")
    for quantity in ("0.003", "0.003", "0.001"):
        stage.at(51_000)
        stage.market("SELL", quantity)
    bought = sum(fill.quote for fill in stage.account.fills if fill.side == "BUY")
    sold = sum(fill.quote for fill in stage.account.fills if fill.side == "SELL")

    assert sold - bought == _income(stage, IncomeType.REALIZED_PNL)
    assert (ZERO, ZERO, ZERO) == (stage.position().quantity, stage.position().cost, stage.position().fees)


def test_a_reversal_closes_and_opens_in_one_order() -> None:
    """One-way mode: selling more than is held leaves a short."""
    stage = staged()
    stage.market("BUY", "0.1")
    stage.at(51_000)
    stage.market("SELL", "0.3")

    assert Decimal("-0.2") == stage.position().quantity
    assert Decimal("50997.4") == stage.position().entry_price
    assert Decimal("0.1") * (Decimal("50997.4") - Decimal("50002.5")) == _income(stage, IncomeType.REALIZED_PNL)


def test_funding_is_paid_by_longs_to_shorts() -> None:
    """Position × mark × rate at the settlement; nothing when flat."""
    stage = staged()
    stage.feed.set_funding(SYMBOL, "0.0003")
    stage.market("BUY", "0.1")
    stage.wait(8 * HOUR_MS - 1)
    before = _income(stage, IncomeType.FUNDING_FEE)
    stage.wait(1)
    paid = _income(stage, IncomeType.FUNDING_FEE)
    stage.market("SELL", "0.1")
    stage.wait(DAY_MS)

    assert 0 == before
    assert Decimal("-1.5") == paid
    assert paid == _income(stage, IncomeType.FUNDING_FEE)


def test_shorts_receive_funding_and_the_interval_is_the_instruments() -> None:
    """Every four hours where the instrument says so."""
    stage = staged(listed=instrument(funding_interval_hours=4))
    stage.feed.set_funding(SYMBOL, "0.0001")
    stage.market("SELL", "0.1")
    stage.wait(DAY_MS)

    assert Decimal(3) == _income(stage, IncomeType.FUNDING_FEE)


def test_funding_comes_out_of_the_isolated_wallet() -> None:
    """It brings an isolated position nearer to its liquidation."""
    stage = _isolated(10)
    stage.feed.set_funding(SYMBOL, "0.001")
    stage.market("BUY", "0.1")
    stage.wait(8 * HOUR_MS)

    assert Decimal("500.025") - 5 == stage.position().isolated_wallet


def test_an_isolated_position_is_liquidated_alone() -> None:
    """At its liquidation price the exchange closes it with a fee; the cross wallet stays whole."""
    stage = _isolated(20)
    stage.market("BUY", "1")
    cross = _balance(stage).cross_wallet_balance
    price = _view(stage).liquidation_price
    stage.at((price + 1).quantize(Decimal("0.1")))
    alive = stage.position().quantity
    stage.at((price - 1).quantize(Decimal("0.1")))
    closed = stage.exchange.all_orders(stage.account, SYMBOL)[-1]

    assert Decimal("47692.269") < price < Decimal("47702.3")
    assert 1 == alive
    assert 0 == stage.position().quantity
    assert closed.client_order_id.startswith("autoclose-")
    assert (OrderStatus.FILLED, True) == (closed.status, closed.liquidation)
    assert _income(stage, IncomeType.INSURANCE_CLEAR) < 0
    assert cross == stage.wallet


def test_a_cross_account_is_liquidated_as_a_whole() -> None:
    """All cross positions go, open orders first; what is missing the insurance fund pays."""
    stage = staged(wallet=3_000)
    stage.market("BUY", "0.5")
    stage.exchange.place(stage.account, order("BUY", "0.5", None, type=OrderType.MARKET, symbol=OTHER))
    rests = stage.limit("BUY", "0.002", "30000")
    stage.at(44_000)

    assert OrderStatus.EXPIRED == rests.status
    assert not stage.account.held()
    assert 0 == stage.wallet
    assert _income(stage, IncomeType.INSURANCE_CLEAR) > 0


def test_a_short_is_liquidated_when_the_price_rises() -> None:
    """The liquidation price of a short lies above."""
    stage = staged(wallet=600)
    stage.market("SELL", "0.1")
    price = _view(stage).liquidation_price
    stage.at((price + 1).quantize(Decimal("0.1")))

    assert price > PRICE
    assert 0 == stage.position().quantity


def test_a_liquidation_finds_an_empty_book() -> None:
    """Then the insurance fund takes the position at mark."""
    stage = staged(wallet=300)
    stage.market("BUY", "0.1")
    stage.at(47_000, depth=0)

    assert 0 == stage.position().quantity
    assert Decimal(47_000) == stage.account.fills[-1].price


@pytest.mark.parametrize("together", [True, False])
def test_the_liquidation_price_of_one_position_counts_the_others(together: bool) -> None:
    """Cross positions share their losses."""
    stage = staged(wallet=3_000)
    stage.market("BUY", "0.2")
    alone = _view(stage).liquidation_price
    if together:
        stage.exchange.place(stage.account, order("BUY", "0.2", None, type=OrderType.MARKET, symbol=OTHER))
        stage.feed.set_price(OTHER, stage.exchange.now_ms + 1, 45_000)
        stage.wait(1)

    assert (_view(stage).liquidation_price > alone) is together


def test_break_even_includes_the_fees_of_opening() -> None:
    """As the exchange shows it: the entry price with its commission."""
    stage = staged()
    stage.market("BUY", "0.1")

    assert Decimal("50002.5") * Decimal("1.0005") == stage.position().break_even_price


def test_flat_symbols_are_shown_on_demand() -> None:
    """v2 lists every symbol and side, v3 only those in use."""
    stage = staged()

    assert [SYMBOL, OTHER] == [each.symbol for each in stage.exchange.positions(stage.account)]
    assert [] == stage.exchange.positions_in_use(stage.account)
    stage.limit("BUY", "0.01", "40000")
    assert [SYMBOL] == [each.symbol for each in stage.exchange.positions_in_use(stage.account)]
    stage.exchange.cancel_all(stage.account, SYMBOL)
    stage.exchange.set_position_mode(stage.account, dual_side=True)
    assert list(PositionSide) == [each.position_side for each in stage.exchange.positions(stage.account, SYMBOL)]
