"""The settings of how a trade is executed and protected.

They stand apart from `model` for length only: `Settings` has them all, and the docs sort them by group.
"""

from decimal import Decimal
from typing import Literal

from withearth.settings.kinds import Group, number, setting
from withearth.settings.limit_settings import LimitSettings


class ExecutionSettings(LimitSettings):
    """Everything an owner can decide about execution and protection."""

    venue: Literal["paper", "demo", "live"] = setting(
        Group.ENTRY,
        "paper",
        "Where orders go when EXECUTE_TRADES is true: the paper exchange in this process, Binance's demo exchange, "
        "or, with LIVE_TRADING_CONSENT, Binance with real money.",
    )
    protection: Literal["before_entry", "after_fill"] = setting(
        Group.ENTRY,
        "before_entry",
        "Whether the stop goes out before the entry, or follows the fill within PROTECT_WITHIN_SEC.",
    )
    partial_fill: Literal["keep", "close"] = setting(
        Group.ENTRY, "keep", "What becomes of an entry that was filled in part when its time is over."
    )
    entry_post_only: bool = setting(
        Group.ENTRY, False, "Whether a limit entry may only rest (GTX); it then never crosses the spread."
    )
    break_even_at_r: Decimal = number(
        Group.ENTRY,
        Decimal(0),
        Decimal(0),
        Decimal(10),
        "Gain in multiples of the risk (R) at which the stop moves to the entry; 0 leaves it where it is.",
    )
    trail_by_r: Decimal = number(
        Group.ENTRY,
        Decimal(0),
        Decimal(0),
        Decimal(10),
        "Distance in R at which the stop follows the best price since the entry; 0 does not trail.",
    )
    protect_within_sec: int = number(
        Group.ENTRY, 10, 1, 60, "Seconds after a fill within which its stop stands, or it is closed at the market."
    )
    paper_deposit_usdt: Decimal = number(
        Group.ENTRY, Decimal(1000), Decimal(10), Decimal(10_000_000), "USDT the paper account starts with."
    )
