"""The feature snapshot: everything a decision knows about one symbol at one instant.

It is built from closed bars and one quote, and reads no clock. Whatever is missing, late, broken or contradictory is
refused with MarketFault; no number is ever assumed. Its document form is what the audit stores and the model sees.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final

from withearth.domain.book import OrderBook, Quote, is_near
from withearth.domain.candles import CLOSE, HIGH, LOW, Candles, FloatArray, window_fault
from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe, from_ms, to_ms
from withearth.features.indicators import (
    HISTORY_BARS,
    Indicators,
    window_indicators,
    window_resistance,
    window_support,
    window_trend,
)

__all__ = [
    "HISTORY_BARS",
    "MIN_BARS",
    "FeatureSnapshot",
    "TimeframeFeatures",
    "build_snapshot",
    "from_document",
    "to_document",
    "with_depth",
]

# Support and resistance look back fifty bars; one more makes each of these a change.
MIN_BARS: Final = 51
QUOTE_AGE_MAX: Final = timedelta(minutes=1)

_CLOSES: Final = 10
_DEPTH_LEVELS: Final = 10
_MILLISECOND: Final = timedelta(milliseconds=1)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class TimeframeFeatures:
    """Features of one timeframe at the close of its newest bar, over at most `HISTORY_BARS` bars.

    Prices (`close`, `atr14`, `sma20`, `support50`, `resistance50`, `closes10`, oldest first) are in the quote asset.
    `age_ms` is how long before the snapshot that bar closed. The indicators are defined in `indicators`.
    """

    timeframe: Timeframe
    bars: int
    closed_at: datetime
    age_ms: int
    close: float
    rsi14: float
    atr14: float
    sma20: float
    volatility20: float
    relative_volume20: float | None
    support50: float
    resistance50: float
    closes10: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FeatureSnapshot:
    """Features of one symbol as of one instant.

    `price` is the middle of the quote, in the quote asset. `funding_rate` is a fraction of the notional at the next
    settlement, positive when longs pay. Ages are the milliseconds between the observation and `as_of`, negative when
    it was observed after it: depth is read only once the gate is passed. The depth fields are None until then.
    """

    symbol: str
    as_of: datetime
    frames: Mapping[Timeframe, TimeframeFeatures]
    day_trend: float
    price: float
    spread_bps: float
    quote_age_ms: int
    funding_rate: float
    minutes_to_funding: float
    depth_imbalance: float | None = None
    depth_age_ms: int | None = None
    depth_modelled: bool | None = None


_FRAME_FIELDS: Final = tuple(field.name for field in fields(TimeframeFeatures))
_SNAPSHOT_FIELDS: Final = tuple(field.name for field in fields(FeatureSnapshot))


def build_snapshot(symbol: str, as_of: datetime, windows: Mapping[Timeframe, Candles], quote: Quote) -> FeatureSnapshot:
    """Build the snapshot of `symbol` from the newest closed bars of every timeframe and its quote.

    Raises MarketFault when a window is missing, stale, shorter than `MIN_BARS` or has a gap, when the quote is of
    another symbol, empty, crossed, older than `QUOTE_AGE_MAX` or far from the last close, and when the next funding
    settlement is not known or already over. A bar that is not closed at `as_of` makes its window stale, so that later
    rows are refused and never looked at.
    """
    _refuse_quote(symbol, quote, as_of)
    funding_rate, minutes_to_funding = _funding(quote, as_of)
    frames = _frames([_sound_window(timeframe, windows, to_ms(as_of)) for timeframe in Timeframe], to_ms(as_of))
    _refuse_distance(quote, frames[Timeframe.M5].close)
    return FeatureSnapshot(
        symbol=symbol,
        as_of=as_of,
        frames=frames,
        day_trend=window_trend(windows[Timeframe.D1].ohlcv[CLOSE]),
        price=float(quote.mid),
        spread_bps=float(quote.spread_bps),
        quote_age_ms=(as_of - quote.observed_at) // _MILLISECOND,
        funding_rate=funding_rate,
        minutes_to_funding=minutes_to_funding,
    )


def with_depth(snapshot: FeatureSnapshot, book: OrderBook) -> FeatureSnapshot:
    """Add the imbalance of the book's ten best levels on each side: −1 only sellers, +1 only buyers."""
    return replace(
        snapshot,
        depth_imbalance=book.imbalance(_DEPTH_LEVELS),
        depth_age_ms=(snapshot.as_of - book.observed_at) // _MILLISECOND,
        depth_modelled=book.modelled,
    )


def to_document(snapshot: FeatureSnapshot) -> dict[str, Any]:
    """Turn a snapshot into plain values under the names of its fields; frames stand under "5m", "1h", "4h", "1d"."""
    document: dict[str, Any] = {name: getattr(snapshot, name) for name in _SNAPSHOT_FIELDS}
    document["frames"] = {frame.timeframe.value: _frame_document(frame) for frame in snapshot.frames.values()}
    return document


def from_document(document: Mapping[str, Any]) -> FeatureSnapshot:
    """Read back exactly what `to_document` gave. Raises KeyError, TypeError or ValueError for anything else."""
    frames = {Timeframe(key): _frame_from_document(frame) for key, frame in document["frames"].items()}
    return FeatureSnapshot(**{**document, "frames": frames})


def _refuse_quote(symbol: str, quote: Quote, as_of: datetime) -> None:
    if quote.symbol != symbol:
        raise MarketFault(Reason.QUOTE_MISSING, f"the quote given for {symbol} is of {quote.symbol}")
    fault = quote.fault()
    if fault is not None:
        raise MarketFault(fault, f"bid {quote.bid}, ask {quote.ask}")
    if as_of - quote.observed_at > QUOTE_AGE_MAX:
        raise MarketFault(Reason.QUOTE_STALE, f"observed at {quote.observed_at.isoformat()}")


def _refuse_distance(quote: Quote, close: float) -> None:
    if not is_near(float(quote.mid), close):
        raise MarketFault(Reason.DATA_MISMATCH, f"the quote stands at {quote.mid}, the last close at {close}")


def _funding(quote: Quote, as_of: datetime) -> tuple[float, float]:
    """The rate and the minutes until it is settled."""
    if quote.funding_rate is None or quote.next_funding_at is None:
        raise MarketFault(Reason.FUNDING_UNKNOWN)
    minutes = (quote.next_funding_at - as_of) / _MINUTE
    if minutes < 0:
        raise MarketFault(Reason.FUNDING_UNKNOWN, f"the settlement of {quote.next_funding_at.isoformat()} is over")
    return float(quote.funding_rate), minutes


def _sound_window(timeframe: Timeframe, windows: Mapping[Timeframe, Candles], as_of_ms: int) -> Candles:
    window = windows.get(timeframe)
    if window is None or window.timeframe is not timeframe:
        raise MarketFault(Reason.NO_CANDLES, timeframe.value)
    fault = window_fault(window, as_of_ms, MIN_BARS)
    if fault is not None:
        raise MarketFault(fault, timeframe.value)
    return window


def _frames(windows: list[Candles], as_of_ms: int) -> dict[Timeframe, TimeframeFeatures]:
    histories = [window.ohlcv[:, -HISTORY_BARS:] for window in windows]
    return {
        window.timeframe: _frame(window.timeframe, window.last_close_ms, as_of_ms, ohlcv, indicators)
        for window, ohlcv, indicators in zip(windows, histories, window_indicators(histories), strict=True)
    }


def _frame(
    timeframe: Timeframe, closed_ms: int, as_of_ms: int, ohlcv: FloatArray, indicators: Indicators
) -> TimeframeFeatures:
    closes: list[float] = ohlcv[CLOSE, -_CLOSES:].tolist()
    return TimeframeFeatures(
        timeframe=timeframe,
        bars=ohlcv.shape[1],
        closed_at=from_ms(closed_ms),
        age_ms=as_of_ms - closed_ms,
        close=closes[-1],
        rsi14=indicators.rsi14,
        atr14=indicators.atr14,
        sma20=indicators.sma20,
        volatility20=indicators.volatility20,
        relative_volume20=indicators.relative_volume20,
        support50=window_support(ohlcv[LOW]),
        resistance50=window_resistance(ohlcv[HIGH]),
        closes10=tuple(closes),
    )


def _frame_document(frame: TimeframeFeatures) -> dict[str, Any]:
    document: dict[str, Any] = {name: getattr(frame, name) for name in _FRAME_FIELDS}
    return {**document, "timeframe": frame.timeframe.value, "closes10": list(frame.closes10)}


def _frame_from_document(document: Mapping[str, Any]) -> TimeframeFeatures:
    timeframe, closes = Timeframe(document["timeframe"]), tuple(document["closes10"])
    return TimeframeFeatures(**{**document, "timeframe": timeframe, "closes10": closes})
