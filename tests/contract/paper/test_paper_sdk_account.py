"""Account, settings and histories through the official SDK."""

from decimal import Decimal
from typing import Final

import pytest

from tests.builders.paper import BTC, DOT, Venue
from tests.contract.paper.calls import PRIVATE
from tests.contract.paper.recordings import RECORDINGS

HOUR_MS: Final = 3_600_000


@pytest.mark.parametrize("name", PRIVATE)
def test_an_answer_has_the_shape_of_the_documented_one(venue: Venue, name: str) -> None:
    """With a position and a resting order, so that no list is empty."""
    venue.rest.start_user_data_stream()
    venue.rest.new_order(symbol=BTC, side="BUY", type="MARKET", quantity="0.010")
    venue.rest.new_order(symbol=BTC, side="BUY", type="LIMIT", quantity="0.010", price="45000", time_in_force="GTC")
    PRIVATE[name](venue.rest)

    assert RECORDINGS[name].differences(venue.answer) == []


def test_account_v2_lists_every_symbol_as_the_live_exchange_does(venue: Venue) -> None:
    """A flat symbol's row, key by key, with its zeros written as they were recorded."""
    venue.rest.account_information_v2()
    rows = venue.answer["positions"]

    assert sorted(each["symbol"] for each in rows) == sorted([BTC, DOT])
    assert RECORDINGS["account.v2.position"].differences(rows[0]) == []


def test_v3_lists_only_what_is_in_use(venue: Venue) -> None:
    """Absent means flat."""
    venue.rest.position_information_v3()
    flat = venue.answer
    venue.rest.new_order(symbol=BTC, side="SELL", type="MARKET", quantity="0.010")
    venue.rest.position_information_v3()

    assert flat == []
    assert [(BTC, "-0.010")] == [(each["symbol"], each["positionAmt"]) for each in venue.answer]


def test_settings_are_changed_and_told_again(venue: Venue) -> None:
    """Leverage, margin type, position mode and assets mode; asking for what is so already is refused."""
    venue.rest.change_initial_leverage(symbol=BTC, leverage=7)
    assert RECORDINGS["leverage"].differences(venue.answer) == []
    assert (7, BTC) == (venue.answer["leverage"], venue.answer["symbol"])

    venue.rest.change_margin_type(symbol=BTC, margin_type="ISOLATED")
    assert RECORDINGS["marginType"].differences(venue.answer) == []
    venue.rest.symbol_configuration(symbol=BTC)
    assert ("ISOLATED", 7) == (venue.answer[0]["marginType"], venue.answer[0]["leverage"])

    venue.rest.change_position_mode(dual_side_position="true")
    assert RECORDINGS["positionMode.changed"].differences(venue.answer) == []
    venue.rest.get_current_position_mode()
    assert venue.answer == {"dualSidePosition": True}

    venue.refused(-4059, venue.rest.change_position_mode, dual_side_position="true")
    venue.refused(-4046, venue.rest.change_margin_type, symbol=BTC, margin_type="ISOLATED")


def test_assets_mode_is_changed_and_told_again(venue: Venue) -> None:
    """Off at first."""
    venue.rest.change_multi_assets_mode(multi_assets_margin="true")
    changed = venue.answer
    venue.rest.get_current_multi_assets_mode()

    assert RECORDINGS["assetsMode.changed"].differences(changed) == []
    assert venue.answer == {"multiAssetsMargin": True}


def test_an_isolated_position_is_given_margin(venue: Venue) -> None:
    """It moves from the cross wallet to the position, and pushes the liquidation price away."""
    venue.rest.change_margin_type(symbol=BTC, margin_type="ISOLATED")
    venue.rest.new_order(symbol=BTC, side="BUY", type="MARKET", quantity="0.010")
    venue.rest.position_information_v3(symbol=BTC)
    (before,) = venue.answer
    venue.rest.modify_isolated_position_margin(symbol=BTC, amount="10", type=1)
    answer = venue.answer
    venue.rest.position_information_v3(symbol=BTC)
    (after,) = venue.answer

    assert RECORDINGS["positionMargin"].differences(answer) == []
    assert Decimal(before["isolatedWallet"]) + 10 == Decimal(after["isolatedWallet"])
    assert Decimal(after["liquidationPrice"]) < Decimal(before["liquidationPrice"])


def test_a_listen_key_is_given_prolonged_and_taken_back(venue: Venue) -> None:
    """The same key within its hour; prolonging one that is gone is refused with -1125."""
    venue.rest.start_user_data_stream()
    first = venue.answer
    venue.rest.start_user_data_stream()
    assert first == venue.answer

    venue.rest.close_user_data_stream()
    assert venue.answer == {}
    venue.refused(-1125, venue.rest.keepalive_user_data_stream)


def test_hedge_mode_holds_both_sides(venue: Venue) -> None:
    """A long and a short of one symbol at once, each closed with its own side."""
    venue.rest.change_position_mode(dual_side_position="true")
    market = {"symbol": BTC, "type": "MARKET", "quantity": "0.010"}
    venue.rest.new_order(**market, side="BUY", position_side="LONG")
    venue.rest.new_order(**market, side="SELL", position_side="SHORT")
    venue.rest.position_information_v3(symbol=BTC)
    held = {(each["positionSide"], each["positionAmt"]) for each in venue.answer}
    venue.rest.new_order(**market, side="SELL", position_side="LONG")
    venue.rest.position_information_v3(symbol=BTC)

    assert {("LONG", "0.010"), ("SHORT", "-0.010")} == held
    assert {"SHORT"} == {each["positionSide"] for each in venue.answer if Decimal(each["positionAmt"]) != 0}
    venue.refused(-4061, venue.rest.new_order, **market, side="BUY")


def test_funding_is_paid_and_listed(venue: Venue) -> None:
    """A position held over a settlement pays or earns, once, under its own income type."""
    venue.rest.new_order(symbol=BTC, side="BUY", type="MARKET", quantity="0.010")
    venue.pass_time(8 * HOUR_MS)
    venue.rest.get_income_history(income_type="FUNDING_FEE")

    assert RECORDINGS["income"].differences(venue.answer) == []
    assert [BTC] == [each["symbol"] for each in venue.answer]


def test_books_balance_over_the_wire(venue: Venue) -> None:
    """The wallet is the sum of every row of income, to the last digit."""
    for side in ("BUY", "SELL", "SELL", "BUY"):
        venue.rest.new_order(symbol=BTC, side=side, type="MARKET", quantity="0.013")
        venue.trade_at(BTC, "50250.5" if side == "BUY" else "49900.1")
    venue.pass_time(9 * HOUR_MS)
    venue.rest.get_income_history(limit=1000)
    income = sum((Decimal(each["income"]) for each in venue.answer), Decimal(0))
    venue.rest.futures_account_balance_v3()
    (usdt,) = [each for each in venue.answer if each["asset"] == "USDT"]

    assert income == Decimal(usdt["balance"])
