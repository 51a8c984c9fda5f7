"""The settings of how much may be at risk. They stop executed trades; a shadow trade risks nothing.

They stand apart from `model` for length only: `Settings` has them all, and the docs sort them by group.
"""

from decimal import Decimal

from withearth.settings.kinds import Group, number
from withearth.settings.model_settings import ModelSettings


class LimitSettings(ModelSettings):
    """Every limit an owner can set. Each stops entries only: protection and exits always go on."""

    max_open_positions: int = number(Group.LIMITS, 3, 1, 600, "Most positions that may be open at once.")
    max_total_notional_usdt: Decimal = number(
        Group.LIMITS,
        Decimal(500),
        Decimal(0),
        Decimal(1_000_000_000),
        "Most that all open positions together may be worth at their planned entries, in USDT; 0 switches this off.",
    )
    max_daily_loss_usdt: Decimal = number(
        Group.LIMITS,
        Decimal(25),
        Decimal(0),
        Decimal(10_000_000),
        "Net loss in USDT over the last 24 hours, at whatever time of day, from which nothing is entered; "
        "0 switches this off.",
    )
    max_drawdown_pct: Decimal = number(
        Group.LIMITS,
        Decimal(10),
        Decimal(0),
        Decimal(100),
        "Percent of its highest value that the account's equity may lose before trading is halted; "
        "0 switches this off.",
    )
    cooldown_min_after_stop: int = number(
        Group.LIMITS,
        15,
        0,
        1_440,
        "Minutes after a stop without an entry on the same side of the same symbol; 0 switches this off.",
    )
    max_consecutive_losses: int = number(
        Group.LIMITS,
        5,
        0,
        100,
        "Losing trades in a row from which nothing is entered for LOSS_PAUSE_MIN; 0 switches this off.",
    )
    loss_pause_min: int = number(
        Group.LIMITS, 240, 1, 10_080, "Minutes without an entry after the last of MAX_CONSECUTIVE_LOSSES."
    )
    max_entries_per_hour: int = number(
        Group.LIMITS, 12, 0, 1_000, "Most entries within any 60 minutes, over all symbols; 0 switches this off."
    )
    min_edge_bps: Decimal = number(
        Group.LIMITS,
        Decimal(0),
        Decimal(0),
        Decimal(1_000),
        "Least that a trade has to be expected to earn after fees and funding, in basis points of its notional; "
        "0 switches this off.",
    )
