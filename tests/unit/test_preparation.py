import pytest

from withearth.domain.errors import Misconfigured
from withearth.execution.preparation import Changes, changes, refuse_account
from withearth.execution.shown import AccountModes, SymbolModes

WANTED = SymbolModes("ISOLATED", 5)


def test_a_symbol_that_is_set_up_needs_nothing() -> None:
    """Nothing is changed, and nothing asked of a symbol with a position."""
    assert not changes("BTCUSDT", WANTED, WANTED, occupied=True)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (SymbolModes("CROSSED", 5), Changes(margin_type="ISOLATED")),
        (SymbolModes("ISOLATED", 20), Changes(leverage=5)),
        (SymbolModes("CROSSED", 20), Changes("ISOLATED", 5)),
    ],
)
def test_r16_only_what_differs_is_changed(found: SymbolModes, expected: Changes) -> None:
    """R16: margin type and leverage are set by explicit configuration."""
    assert expected == changes("BTCUSDT", found, WANTED, occupied=False)


def test_r16_a_conflict_with_an_open_position_is_refused_and_not_forced() -> None:
    """R16: the sentence names the symbol, what is, what is wanted, and what to do."""
    with pytest.raises(
        Misconfigured, match=r"BTCUSDT is CROSSED with leverage 20, wanted is ISOLATED with 5, and it has"
    ):
        changes("BTCUSDT", SymbolModes("CROSSED", 20), WANTED, occupied=True)


@pytest.mark.parametrize(
    ("modes", "told"),
    [
        (AccountModes(hedge_mode=True, multi_assets=False, can_trade=True), "hedge mode"),
        (AccountModes(hedge_mode=False, multi_assets=True, can_trade=True), "multi-assets mode"),
        (AccountModes(hedge_mode=False, multi_assets=False, can_trade=False), "may not trade"),
        (AccountModes(hedge_mode=False, multi_assets=False, can_trade=True, fees_in_bnb=True), "fees in BNB"),
    ],
)
def test_r16_what_belongs_to_the_whole_account_is_never_changed(modes: AccountModes, told: str) -> None:
    """R16: position mode, assets mode and trading permission are read, and a mismatch is refused."""
    with pytest.raises(Misconfigured, match=told):
        refuse_account(modes, hedge_mode=False)
