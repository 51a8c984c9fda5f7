"""What an owner decides about the system as a whole, its prices, its decisions, its risk and its entries."""

from decimal import Decimal
from pathlib import Path
from typing import Final, Literal

from withearth.settings.execution_settings import ExecutionSettings
from withearth.settings.kinds import Directory, DirectoryOrNone, Group, Sentence, Symbols, Zone, number, setting

CONSENT: Final = "I trade real money and I can lose it"


class TradingSettings(ExecutionSettings):
    """Everything an owner can decide about what is traded, and how."""

    port: int = number(Group.GENERAL, 8080, 1, 65_535, "TCP port the local server listens on.")
    symbols: Symbols = setting(
        Group.GENERAL,
        ("BTCUSDT", "ETHUSDT"),
        "Perpetual futures to look at every five minutes: names, top:50 (by turnover, ranked daily), or all.",
    )
    execute_trades: bool = setting(
        Group.GENERAL,
        False,
        "Whether orders are sent to VENUE; when not, every decision is followed as a shadow trade.",
    )
    tz: Zone = setting(Group.GENERAL, "UTC", "Time zone in which times are shown; all records are kept in UTC.")
    log_dir: Directory = setting(Group.GENERAL, Path("./logs"), "Directory for log files.")
    state_dir: Directory = setting(
        Group.GENERAL, Path("./.withearth"), "Directory of the local store and the local message bus."
    )
    chart_symbols: int = number(
        Group.GENERAL,
        12,
        0,
        600,
        "How many symbols, the first of SYMBOLS, leave their candles for the dashboard's charts with each decision; "
        "each costs one more write per tick.",
    )
    max_tick_age_sec: int = number(
        Group.GENERAL, 120, 10, 300, "Seconds after a bar's close up to which its message still leads to a decision."
    )
    max_event_bytes: int = number(
        Group.GENERAL, 65_536, 1_024, 10_000_000, "Size in bytes above which an incoming message is refused unread."
    )

    market: Literal["synthetic", "recorded", "live"] = setting(
        Group.MARKET, "synthetic", "Where prices come from: a seeded random market, recorded files, or the exchange."
    )
    data_dir: DirectoryOrNone = setting(
        Group.MARKET, None, "Directory of the recorded market data; needed when MARKET is recorded."
    )
    synthetic_seed: int = number(
        Group.MARKET, 7, 0, 4_294_967_295, "Seed of the synthetic market; the same seed gives the same prices."
    )
    candle_wait_sec: int = number(
        Group.MARKET, 5, 1, 60, "Seconds after a bar's close up to which a decision waits for the exchange to show it."
    )
    model_spread_bps: Decimal = number(
        Group.MARKET,
        Decimal("1.0"),
        Decimal("0.01"),
        Decimal(100),
        "Spread in basis points assumed around recorded prices where no order book was recorded.",
    )

    horizon_min: int = number(Group.DECISION, 60, 5, 1_440, "Minutes ahead a prediction looks.")
    min_prob: float = number(
        Group.DECISION, 0.60, 0.5, 0.99, "Lowest probability at which a predicted direction is traded."
    )
    min_vol_frac: float = number(
        Group.DECISION, 0.0005, 0.0, 0.1, "Lowest volatility of the 5m returns, as a fraction, at which to trade."
    )
    max_spread_bps: Decimal = number(
        Group.DECISION,
        Decimal("2.0"),
        Decimal("0.1"),
        Decimal(100),
        "Widest spread, in basis points, at which to trade.",
    )
    funding_window_min: int = number(
        Group.DECISION, 5, 0, 60, "Minutes before a funding settlement without entries; 0 switches this off."
    )

    rr_min: Decimal = number(
        Group.RISK, Decimal("1.20"), Decimal("0.5"), Decimal(10), "Lowest reward per unit of risk at which to trade."
    )
    high_prob_relax_rr: float = number(
        Group.RISK, 0.70, 0.5, 1.0, "Probability from which RR_MIN_HIGH_PROB is enough instead of RR_MIN."
    )
    rr_min_high_prob: Decimal = number(
        Group.RISK,
        Decimal("1.05"),
        Decimal("0.5"),
        Decimal(10),
        "Lowest reward per unit of risk for predictions at or above HIGH_PROB_RELAX_RR.",
    )
    atr_mult_tp: Decimal = number(
        Group.RISK,
        Decimal("1.8"),
        Decimal("0.1"),
        Decimal(20),
        "Distance of the take-profit from the entry, in multiples of the average true range.",
    )
    atr_mult_sl: Decimal = number(
        Group.RISK,
        Decimal("1.0"),
        Decimal("0.1"),
        Decimal(20),
        "Distance of the stop from the entry, in multiples of the average true range.",
    )
    risk_usdt: Decimal = number(
        Group.RISK, Decimal(100), Decimal("0.1"), Decimal(100_000), "Largest size of one trade, in USDT of notional."
    )
    leverage: int = number(Group.RISK, 5, 1, 125, "Leverage of a position.")
    margin_type: Literal["ISOLATED", "CROSSED"] = setting(
        Group.RISK, "ISOLATED", "Whether each position has its own margin or all share the account's."
    )
    position_mode: Literal["ONEWAY", "HEDGE"] = setting(
        Group.RISK, "ONEWAY", "Whether a symbol has one position, or a long and a short one side by side."
    )
    max_depth_fraction: Decimal = number(
        Group.RISK,
        Decimal("0.10"),
        Decimal("0.001"),
        Decimal(1),
        "Largest share of the top ten order book levels an entry may take, if it is above the smallest order.",
    )
    taker_fee_bps: Decimal = number(
        Group.RISK,
        Decimal("5.0"),
        Decimal(0),
        Decimal(100),
        "The exchange's fee on market fills, in basis points of the notional.",
    )

    entry_mode: Literal["LIMIT", "MARKET"] = setting(
        Group.ENTRY, "LIMIT", "Whether entries wait in the order book or are filled at the market."
    )
    entry_max_retries: int = number(Group.ENTRY, 2, 0, 10, "How often a refused entry is tried again.")
    limit_ttl_sec: int = number(Group.ENTRY, 15, 1, 300, "Seconds a limit entry may wait for its fill.")
    limit_poll_sec: Decimal = number(
        Group.ENTRY,
        Decimal("1.0"),
        Decimal("0.1"),
        Decimal(60),
        "Seconds between two looks at a waiting limit entry.",
    )
    limit_max_reprices: int = number(Group.ENTRY, 3, 0, 20, "How often a waiting limit entry may follow the price.")
    limit_max_slippage_bps: Decimal = number(
        Group.ENTRY,
        Decimal("2.0"),
        Decimal(0),
        Decimal(100),
        "Farthest a limit entry may follow the price, in basis points of the first price.",
    )
    live_trading_consent: Sentence = setting(
        Group.ENTRY, "", f"The sentence '{CONSENT}', word for word, without which VENUE=live does not start."
    )
    intent_ttl_sec: int = number(
        Group.ENTRY, 180, 10, 600, "Seconds after a bar's close up to which its trade intent may be acted on."
    )

    shadow_slippage_bps: Decimal = number(
        Group.SHADOW,
        Decimal("1.0"),
        Decimal(0),
        Decimal(100),
        "Slippage assumed on the market fills of shadow trades, in basis points.",
    )
    shadow_equity_usdt: Decimal = number(
        Group.SHADOW,
        Decimal(1000),
        Decimal(10),
        Decimal(10_000_000),
        "Free margin in USDT that a shadow account is assumed to have.",
    )
