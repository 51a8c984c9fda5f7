"""Account preparation: what has to be changed before a symbol may be traded, and what is not ours to change. Pure.

Position mode and multi-assets mode belong to the whole account and to everything else that trades on it: a conflict is
refused with a sentence. Margin type and leverage belong to the symbol: they are set, unless something stands on it.
"""

from dataclasses import dataclass

from withearth.domain.errors import Misconfigured
from withearth.execution.shown import AccountModes, SymbolModes


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change, each None when it is as it should be."""

    margin_type: str | None = None
    leverage: int | None = None

    def __bool__(self) -> bool:
        return self.margin_type is not None or self.leverage is not None


def refuse_account(modes: AccountModes, *, hedge_mode: bool) -> None:
    """Raise Misconfigured when the account cannot be traded as it is set up."""
    if not modes.can_trade:
        raise Misconfigured("The account may not trade: look into the exchange's notices before anything else.")
    if modes.hedge_mode is not hedge_mode:
        found, wanted = ("hedge", "ONEWAY") if modes.hedge_mode else ("one-way", "HEDGE")
        raise Misconfigured(
            f"The account is in {found} mode, and POSITION_MODE is {wanted}: change the position mode on the exchange "
            "while no position or order is open, or POSITION_MODE.",
        )
    if modes.multi_assets:
        raise Misconfigured(
            "The account is in multi-assets mode, in which margin cannot be isolated: switch it off on the exchange.",
        )
    if modes.fees_in_bnb:
        raise Misconfigured(
            "The account pays its fees in BNB, which no journal in USDT can tell to the last digit: switch the use of "
            "BNB for fees off in the exchange's futures preferences.",
        )


def changes(symbol: str, found: SymbolModes, wanted: SymbolModes, *, occupied: bool) -> Changes:
    """What to change on a symbol. Raises Misconfigured when it has to be changed and something stands on it."""
    needed = Changes(
        None if found.margin_type == wanted.margin_type else wanted.margin_type,
        None if found.leverage == wanted.leverage else wanted.leverage,
    )
    if needed and occupied:
        raise Misconfigured(
            f"{symbol} is {found.margin_type} with leverage {found.leverage}, wanted is {wanted.margin_type} with "
            f"{wanted.leverage}, and it has orders or a position: close them, or change MARGIN_TYPE and LEVERAGE.",
        )
    return needed
