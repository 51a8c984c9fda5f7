"""Every "no" this system can say, each under one code.

The journal, the decision documents, the API, the dashboard and the docs print the same word.
"""

from withearth.domain.coded import Coded


class Reason(Coded):
    """A code with the sentence that explains it to the owner."""

    # Market data
    NO_CANDLES = "NO_CANDLES", "There is no closed candle of this timeframe at the asked time."
    SHORT_HISTORY = "SHORT_HISTORY", "There are fewer closed candles than the features need."
    CANDLE_GAP = "CANDLE_GAP", "A candle is missing inside the window the features look at."
    CANDLE_STALE = "CANDLE_STALE", "The newest closed candle is older than the one that should be there."
    CANDLE_LATE = "CANDLE_LATE", "The exchange did not show the newest candle within CANDLE_WAIT_SEC after its close."
    CANDLE_DISORDER = "CANDLE_DISORDER", "The candles of an answer do not follow one another in time."
    CANDLE_INVALID = "CANDLE_INVALID", "A candle contradicts itself: high below low, or a price that is not positive."
    CANDLE_CONFLICT = "CANDLE_CONFLICT", "Two candles with the same open time say different things."
    DATA_MISMATCH = "DATA_MISMATCH", "Two answers about one symbol cannot both be true: one is of another symbol."
    DATA_UNREADABLE = "DATA_UNREADABLE", "The file or the answer is empty, damaged or not in the documented layout."
    MARKET_UNREACHABLE = "MARKET_UNREACHABLE", "The exchange's market data could not be reached."
    MARKET_REFUSED = "MARKET_REFUSED", "The exchange refused to give market data."
    EXCHANGE_LIMITED = "EXCHANGE_LIMITED", "The exchange asked for fewer requests (HTTP 429): only protection goes on."
    EXCHANGE_BANNED = "EXCHANGE_BANNED", "The exchange has banned our address for a while (HTTP 418): nothing is asked."
    WEIGHT_SPENT = "WEIGHT_SPENT", "This minute's requests are used up, but for what is reserved for protection."
    REGION_REFUSED = "REGION_REFUSED", "The exchange does not serve this region (HTTP 451): run in another one."
    QUOTE_MISSING = "QUOTE_MISSING", "There is no quote for this symbol at the asked time."
    QUOTE_STALE = "QUOTE_STALE", "The quote was observed longer before the bar's close than a minute."
    FUNDING_UNKNOWN = "FUNDING_UNKNOWN", "The funding rate or the time of the next settlement is not known."
    BOOK_EMPTY = "BOOK_EMPTY", "One side of the order book has no level."
    BOOK_CROSSED = "BOOK_CROSSED", "The best bid is not below the best ask."
    INSTRUMENT_UNKNOWN = "INSTRUMENT_UNKNOWN", "The exchange lists no tradable instrument under this symbol."
    NOT_TRADABLE = "NOT_TRADABLE", "The exchange takes no entries in this symbol, or has announced that it leaves."

    # Gate
    SPREAD_TOO_WIDE = "SPREAD_TOO_WIDE", "The spread is above MAX_SPREAD_BPS."
    VOLATILITY_TOO_LOW = "VOLATILITY_TOO_LOW", "The volatility of the 5m returns is below MIN_VOL_FRAC."
    FUNDING_WINDOW = "FUNDING_WINDOW", "The next funding settlement is FUNDING_WINDOW_MIN minutes away, or less."
    TICK_TOO_LATE = "TICK_TOO_LATE", "The message came later than MAX_TICK_AGE_SEC after its bar closed."

    # Model
    MODEL_HOLD = "MODEL_HOLD", "The predictor sees no trade."
    DECISION_NOT_RECORDED = "DECISION_NOT_RECORDED", "The recorded predictor has no answer stored for this decision."
    MODEL_TRUNCATED = "MODEL_TRUNCATED", "The model's answer was cut off at G_MAX_TOKENS."
    MODEL_BLOCKED = "MODEL_BLOCKED", "The model's service blocked the question or its own answer."
    MODEL_INVALID = "MODEL_INVALID", "The model's answer is not what the schema asks for."
    MODEL_WRONG_SYMBOL = "MODEL_WRONG_SYMBOL", "The model's answer names another symbol than it was asked about."
    MODEL_CONTRADICTORY = "MODEL_CONTRADICTORY", "The model's support and resistance do not enclose the price."
    MODEL_UNCALIBRATED = "MODEL_UNCALIBRATED", "The probability lies outside what the calibration has seen."
    MODEL_TIMEOUT = "MODEL_TIMEOUT", "The model gave no answer within G_TIMEOUT_MS."
    MODEL_BUSY = "MODEL_BUSY", "The model's service has no capacity for us at the moment."
    MODEL_RETIRED = "MODEL_RETIRED", "The model's service knows no model of GEMINI_MODEL any more."
    MODEL_UNREACHABLE = "MODEL_UNREACHABLE", "The model's service could not be reached, or broke down."
    MODEL_REFUSED = "MODEL_REFUSED", "The model's service refuses us: a key, a permission or a setting is wrong."
    MODEL_ANSWER_LOST = (
        "MODEL_ANSWER_LOST",
        "Whoever asked the model died before its answer was kept; nobody asks twice.",
    )
    MODEL_SAFE_MODE = (
        "MODEL_SAFE_MODE",
        "The model failed MODEL_SAFE_MODE_AFTER times in a row and has to answer first.",
    )
    BUDGET_SPENT = "BUDGET_SPENT", "The day's budget for models does not cover another question."

    # Levels and risk
    PROBABILITY_TOO_LOW = "PROBABILITY_TOO_LOW", "The probability is below MIN_PROB."
    RISK_REWARD_TOO_LOW = "RISK_REWARD_TOO_LOW", "The reward is too small for the risk (RR_MIN, RR_MIN_HIGH_PROB)."
    LEVELS_INVALID = "LEVELS_INVALID", "Stop, entry and target do not stand in order, or leave the price range."
    BELOW_MIN_QUANTITY = "BELOW_MIN_QUANTITY", "The size rounds to less than the smallest order the exchange takes."
    BELOW_MIN_NOTIONAL = "BELOW_MIN_NOTIONAL", "The size is worth less than the exchange's minimum notional."
    MARGIN_TOO_SMALL = "MARGIN_TOO_SMALL", "The free margin does not carry the order, or not even the smallest one."

    # Execution
    INTENT_EXPIRED = "INTENT_EXPIRED", "The intent came after its expiry; a late message never trades."
    STOP_REFUSED = (
        "STOP_REFUSED",
        "The exchange did not take the stop, so the trade was not entered, or was left at once.",
    )
    ENTRY_REFUSED = "ENTRY_REFUSED", "The exchange did not take the entry order."
    ENTRY_NOT_FILLED = "ENTRY_NOT_FILLED", "The entry was not filled in its time, within the allowed slippage."
    PARTIALLY_FILLED = "PARTIALLY_FILLED", "The entry was filled in part only, and PARTIAL_FILL says to close that."
    TARGET_REACHED = "TARGET_REACHED", "The price was beyond the target before the target order was in place."
    HORIZON_OVER = "HORIZON_OVER", "The time that the decision looked ahead is over."
    ACCOUNT_NOT_READY = (
        "ACCOUNT_NOT_READY",
        "The account is not set up as the settings say, and not ours to change.",
    )
    STOP_TOO_CLOSE = "STOP_TOO_CLOSE", "The stop is nearer to the market than the spread, and would go off at once."
    LEVELS_OVERTAKEN = "LEVELS_OVERTAKEN", "The market has moved beyond the stop or the target before the entry."
    PRICE_BAND = "PRICE_BAND", "A price is outside the band around the market in which the exchange takes orders."
    FOREIGN_POSITION = "FOREIGN_POSITION", "The account has a position or an order in this symbol that is not ours."
    POSITION_OPEN = "POSITION_OPEN", "This symbol already has an open trade."
    FLATTENED = "FLATTENED", "The owner had everything closed with `withearth flatten`."

    # Limits and trading state
    TRADING_HALTED = "TRADING_HALTED", "Trading is HALTED, by a person or by a limit; only a person resumes it."
    TRADING_REDUCING = "TRADING_REDUCING", "Trading is REDUCING: what is open goes on to its end, nothing is entered."
    EQUITY_UNKNOWN = (
        "EQUITY_UNKNOWN",
        "The account was not read lately, or its balance is not yet explained by its records.",
    )
    LIMITS_UNREADABLE = "LIMITS_UNREADABLE", "The document that counts for the limits cannot be read, so nobody knows."
    POSITIONS_FULL = "POSITIONS_FULL", "MAX_OPEN_POSITIONS are open."
    NOTIONAL_FULL = "NOTIONAL_FULL", "All positions together would be worth more than MAX_TOTAL_NOTIONAL_USDT."
    DAILY_LOSS_REACHED = "DAILY_LOSS_REACHED", "The last 24 hours lost MAX_DAILY_LOSS_USDT, or more."
    DRAWDOWN_REACHED = "DRAWDOWN_REACHED", "The equity is MAX_DRAWDOWN_PCT below its highest value, or lower."
    COOLDOWN = "COOLDOWN", "This side of this symbol was stopped out less than COOLDOWN_MIN_AFTER_STOP ago."
    LOSING_STREAK = "LOSING_STREAK", "MAX_CONSECUTIVE_LOSSES were met less than LOSS_PAUSE_MIN ago."
    TOO_MANY_ENTRIES = "TOO_MANY_ENTRIES", "There were MAX_ENTRIES_PER_HOUR entries within the last 60 minutes."
    EDGE_TOO_SMALL = "EDGE_TOO_SMALL", "After fees and funding, less than MIN_EDGE_BPS can be expected of this trade."

    # Control from the dashboard
    CONTROL_MALFORMED = "CONTROL_MALFORMED", "The request has not the exact shape of one."
    CONTROL_UNTIMELY = "CONTROL_UNTIMELY", "The request is older than five minutes, or from a clock that is ahead."
    CONTROL_WORD_MISSING = "CONTROL_WORD_MISSING", "Closing everything needs the word FLATTEN, typed."
    CONTROL_NOTHING_HELD = "CONTROL_NOTHING_HELD", "There is nothing to close: shadow trades hold nothing."
    CONTROL_NOT_BEGUN = "CONTROL_NOT_BEGUN", "Real money begins halted with the next pass: look, then resume after it."

    # Sentiment
    SENTIMENT_UNREACHABLE = "SENTIMENT_UNREACHABLE", "The source of sentiment could not be reached, or broke down."
    SENTIMENT_INVALID = "SENTIMENT_INVALID", "The answer of the source of sentiment is not what its schema asks for."

    # Events
    EVENT_MALFORMED = "EVENT_MALFORMED", "The message is not a valid event of this version."
    EVENT_TOO_LARGE = "EVENT_TOO_LARGE", "The message is larger than an event can be."
    SYMBOL_NOT_CONFIGURED = "SYMBOL_NOT_CONFIGURED", "The event names a symbol that SYMBOLS does not list."
