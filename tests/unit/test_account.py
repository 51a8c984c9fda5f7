"""The account as the exchange shows it: equity, drawdown and the day's loss, whatever is put in or taken out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withearth.domain.times import to_ms
from withearth.execution.shown import Balance, Income
from withearth.risk.account import FRESH_FOR, MOVES, PATIENCE, Sheet, after, beginning, sheet_from

NOW: Final = datetime(2026, 1, 5, 0, 5, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
_numbers = count()


def a_balance(wallet: str | Decimal, unrealized: str | Decimal = "0") -> Balance:
    """So much in the wallet."""
    return Balance("USDT", Decimal(wallet), Decimal(unrealized), Decimal(wallet))


def a_record(kind: str, amount: str | Decimal, at: datetime = NOW, asset: str = "USDT") -> Income:
    """One change of the wallet."""
    return Income(f"{kind}/{next(_numbers)}", kind, "", Decimal(amount), asset, to_ms(at))


def a_sheet(wallet: str = "1000") -> Sheet:
    """An account that was seen first a minute ago."""
    return beginning(a_balance(wallet), [], NOW - MINUTE)


@pytest.mark.parametrize("amount", ["-800", "-999", "500", "100000"])
def test_money_put_in_or_taken_out_is_no_gain_and_no_loss(amount: str) -> None:
    """A withdrawal is no drawdown, also after a real one; a deposit heals none."""
    lost = after(a_sheet(), a_balance("950"), [a_record("REALIZED_PNL", "-50")], NOW).sheet
    for before in (a_sheet(), replace(lost, at=NOW - MINUTE)):
        wallet = before.wallet + (Decimal(amount) if amount != "-999" else -before.wallet + 1)
        moved = after(before, a_balance(wallet), [a_record("TRANSFER", wallet - before.wallet)], NOW).sheet

        assert abs(before.drawdown_pct - moved.drawdown_pct) < Decimal("1e-20")
        assert before.lost(NOW) == moved.lost(NOW)


def test_what_is_lost_counts_against_what_is_left() -> None:
    """After nine tenths were withdrawn, a tenth of the rest is a drawdown of ten percent."""
    moved = after(a_sheet(), a_balance("100"), [a_record("TRANSFER", "-900")], NOW).sheet
    lost = after(moved, a_balance("90"), [a_record("COMMISSION", "-10")], NOW).sheet

    assert Decimal(10) == lost.drawdown_pct
    assert Decimal(10) == lost.lost(NOW)


def test_a_loss_counts_before_it_is_realised_and_a_gain_does_not() -> None:
    """Equity is the wallet less what open positions have lost so far."""
    down = after(a_sheet(), a_balance("1000", "-100"), [], NOW).sheet
    up = after(a_sheet(), a_balance("1000", "100"), [], NOW).sheet

    assert (Decimal(900), Decimal(10)) == (down.equity, down.drawdown_pct)
    assert (Decimal(1000), Decimal(1)) == (up.equity, up.peak)


def test_the_day_rolls() -> None:
    """What was lost counts until it is a day old, to the minute, on the strict side."""
    lost = after(a_sheet(), a_balance("975"), [a_record("REALIZED_PNL", "-25")], NOW).sheet
    a_day_on = NOW + timedelta(hours=24)

    assert Decimal(25) == lost.lost(a_day_on)
    assert Decimal(25) == lost.lost(a_day_on + MINUTE - timedelta(microseconds=1))
    assert Decimal(0) == lost.lost(a_day_on + MINUTE)


def test_the_first_look_counts_the_day_before() -> None:
    """A system that is set up after a day of losses knows of them."""
    found = beginning(a_balance("900"), [a_record("REALIZED_PNL", "-60", NOW - timedelta(hours=5))], NOW)

    assert (Decimal(60), Decimal(0)) == (found.lost(NOW), found.drawdown_pct)


def test_a_record_that_is_read_twice_counts_once() -> None:
    """Readings overlap, because records are shown late."""
    record = a_record("REALIZED_PNL", "-25", NOW - MINUTE)
    once = after(a_sheet(), a_balance("975"), [record], NOW)
    twice = after(once.sheet, a_balance("975"), [record], NOW + MINUTE)

    assert (Decimal(0), Decimal(0)) == (once.unexplained, twice.unexplained)
    assert Decimal(25) == twice.sheet.lost(NOW)


def test_a_change_without_a_record_is_waited_for() -> None:
    """The withdrawal is shown in the wallet first: the equity is unknown, not down, until its record comes."""
    odd = after(a_sheet(), a_balance("200"), [], NOW).sheet
    told = after(odd, a_balance("200"), [a_record("TRANSFER", "-800")], NOW + MINUTE).sheet

    assert not odd.is_known(NOW)
    assert Decimal(0) == odd.drawdown_pct
    assert told.is_known(NOW + MINUTE)
    assert (Decimal(200), Decimal(0)) == (told.equity, told.drawdown_pct)


@pytest.mark.parametrize(("wallet", "drawdown", "lost"), [("900", "10", "100"), ("1100", "0", "0")])
def test_what_nobody_explains_is_taken_strictly(wallet: str, drawdown: str, lost: str) -> None:
    """A gap that stays: less is a loss, more is money that was put in."""
    odd = after(a_sheet(), a_balance(wallet), [], NOW).sheet
    late = NOW + PATIENCE
    reading = after(odd, a_balance(wallet), [], late)

    assert Decimal(wallet) - 1000 == reading.unexplained
    assert (Decimal(drawdown), Decimal(lost)) == (reading.sheet.drawdown_pct, reading.sheet.lost(late))
    assert reading.sheet.is_known(late)


def test_an_old_reading_is_none() -> None:
    """Nobody enters on an equity of ten minutes ago."""
    sheet = beginning(a_balance("1000"), [], NOW)

    assert sheet.is_known(NOW + FRESH_FOR)
    assert not sheet.is_known(NOW + FRESH_FOR + timedelta(microseconds=1))


def test_another_asset_is_none_of_ours() -> None:
    """What happens to BNB in the same wallet moves no USDT."""
    reading = after(a_sheet(), a_balance("1000"), [a_record("COMMISSION", "-1", asset="BNB")], NOW)

    assert (Decimal(0), Decimal(0)) == (reading.unexplained, reading.sheet.lost(NOW))


def test_an_empty_account_begins_anew() -> None:
    """Everything taken out, and something put in weeks later: no drawdown, and no division by nothing."""
    empty = after(a_sheet(), a_balance("0"), [a_record("TRANSFER", "-1000")], NOW).sheet
    again = after(empty, a_balance("300"), [a_record("TRANSFER", "300")], NOW + MINUTE).sheet

    assert (Decimal(0), Decimal(0)) == (empty.drawdown_pct, again.drawdown_pct)
    assert (Decimal(300), Decimal(1)) == (again.units, again.unit_value)


@pytest.mark.parametrize("kind", ["TRANSFER", "REFERRAL_KICKBACK"])
def test_an_account_that_was_empty_has_a_drawdown_once_it_holds_something(kind: str) -> None:
    """Whatever the exchange calls what came in."""
    filled = after(beginning(a_balance("0"), [], NOW), a_balance("500"), [a_record(kind, "500")], NOW).sheet
    lost = after(filled, a_balance("400"), [a_record("REALIZED_PNL", "-100")], NOW).sheet

    assert (Decimal(0), Decimal(20)) == (filled.drawdown_pct, lost.drawdown_pct)


@pytest.mark.parametrize("unrealized", ["0", "-5"])
def test_after_a_total_loss_a_person_may_begin_anew(unrealized: str) -> None:
    """Nothing is left, or less: no highest value of nothing, and the next money is measured from where it begins."""
    wiped = after(a_sheet(), a_balance("0", unrealized), [a_record("INSURANCE_CLEAR", "-1000")], NOW).sheet
    begun = wiped.from_here()
    again = after(begun, a_balance("300"), [a_record("TRANSFER", "300")], NOW).sheet

    assert wiped.drawdown_pct >= 100
    assert (Decimal(0), Decimal(0), Decimal(300)) == (begun.drawdown_pct, again.drawdown_pct, again.units)


AMOUNTS: Final = st.decimals(min_value="-900", max_value="5000", places=8)


@given(st.lists(st.tuples(st.sampled_from(["TRANSFER", "REALIZED_PNL", "COMMISSION", "FUNDING_FEE"]), AMOUNTS)))
def test_the_value_of_a_unit_is_what_was_earned_on_what_was_there(steps: list[tuple[str, Decimal]]) -> None:
    """Against the plain definition: each gain over the equity before it, multiplied; moves multiply by one."""
    sheet, value = a_sheet(), Decimal(1)
    for kind, amount in steps:
        before = sheet.equity
        if before + amount <= 1:
            continue
        sheet = after(sheet, a_balance(before + amount), [a_record(kind, amount)], NOW).sheet
        value *= 1 if kind in MOVES else (before + amount) / before

    assert abs(sheet.unit_value / value - 1) < Decimal("1e-15")
    assert sheet == sheet_from(sheet.to_document())
    assert sheet.peak >= sheet.unit_value


@pytest.mark.parametrize("damage", [{"wallet": "?"}, {"earned": []}, {"counted": 3}, {"units": None}])
def test_what_cannot_be_read_is_not_guessed(damage: dict[str, object]) -> None:
    """A damaged document is an error, never a zero."""
    with pytest.raises(ValueError, match="not an account"):
        sheet_from(a_sheet().to_document() | damage)
