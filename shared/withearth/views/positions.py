"""Open positions: what is held, what it is worth at the mark, and whether its stop stands on the exchange."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from withearth.domain.book import BASIS_POINTS
from withearth.domain.side import Side
from withearth.execution.lineage import Leg
from withearth.execution.record import Execution, Outcome
from withearth.views.contract import Guard, Liquidation, Position, Protection


@dataclass(frozen=True, slots=True)
class Mark:
    """What a symbol is worth now, and of when that is."""

    price: Decimal
    at: datetime

    @property
    def places(self) -> int:
        """How many decimal places the price has."""
        exponent = self.price.as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else 0


@dataclass(frozen=True, slots=True)
class Held:
    """What is held, as far as its worth goes. `sl` is the first stop: it says what was risked."""

    side: Side
    qty: Decimal
    entry: Decimal
    sl: Decimal

    def unrealised(self, mark: Decimal, fee_bps: Decimal) -> Decimal:
        """Profit at the mark after the fees of both ways, as taker."""
        fees = (self.entry + mark) * self.qty * fee_bps / BASIS_POINTS
        return (mark - self.entry) * self.qty * self.side.sign - fees

    @property
    def risk(self) -> Decimal:
        """What the way to the first stop costs."""
        return abs(self.entry - self.sl) * self.qty


@dataclass(frozen=True, slots=True)
class Guarding:
    """What stands between a position and its end."""

    stop: Guard
    target: Guard
    protection: Protection
    phase: str | None
    ends_at: datetime


def shadow_position(trade: Mapping[str, Any], mark: Mark | None, fee_bps: Decimal) -> Position:
    """A shadow trade: nothing is held, so nothing can be armed."""
    return _position(trade, _unguarded(trade, "SHADOW"), mark, fee_bps)


def executed_position(
    trade: Mapping[str, Any],
    execution: Execution | None,
    mark: Mark | None,
    fee_bps: Decimal,
    liquidation_price: Decimal | None = None,
) -> Position:
    """A position of ours, with its guards as the exchange showed them at the last look.

    Without an execution nobody works on it, and nobody knows of a guard.
    """
    if execution is None:
        return _position(trade, _unguarded(trade, "NAKED"), mark, fee_bps)
    stop, target = _guard(execution, Leg.STOP, trade["sl"]), _guard(execution, Leg.TARGET, trade["tp"])
    protection: Protection = "ARMED" if stop["armed"] else "NAKED"
    guarding = Guarding(stop, target, protection, execution.phase.value, execution.terms.ends_at)
    shown = _position({**trade, "qty": str(abs(execution.expected))}, guarding, mark, fee_bps)
    shown["liquidation"] = _liquidation(liquidation_price, mark)
    return shown


def _liquidation(price: Decimal | None, mark: Mark | None) -> Liquidation | None:
    """Where the exchange would close it, as fine as the mark, and how far that is; None where either is not known."""
    if price is None or mark is None:
        return None
    return {
        "price": str(round(price, mark.places)),
        "distance_pct": round(float(abs(mark.price - price) / mark.price * 100), 2),
    }


def _position(trade: Mapping[str, Any], guarding: Guarding, mark: Mark | None, fee_bps: Decimal) -> Position:
    held = Held(Side(trade["side"]), Decimal(trade["qty"]), Decimal(trade["entry"]), Decimal(trade["sl"]))
    worth = None if mark is None else held.unrealised(mark.price, fee_bps)
    return {
        "id": trade["id"],
        "symbol": trade["symbol"],
        "side": trade["side"],
        "qty": trade["qty"],
        "entry": trade["entry"],
        "mark": None if mark is None else str(mark.price),
        "mark_at": None if mark is None else mark.at,
        "unrealised": None if worth is None else str(worth),
        "r": None if worth is None or not held.risk else round(float(worth / held.risk), 4),
        "stop": guarding.stop,
        "target": guarding.target,
        "protection": guarding.protection,
        "phase": guarding.phase,
        "liquidation": None,
        "opened_at": trade["opened_at"],
        "ends_at": guarding.ends_at,
    }


def _unguarded(trade: Mapping[str, Any], protection: Protection) -> Guarding:
    ends_at = trade["opened_at"] + timedelta(minutes=trade["horizon_min"])
    return Guarding(_watched(trade["sl"]), _watched(trade["tp"]), protection, None, ends_at)


def _watched(price: str) -> Guard:
    return {"price": price, "armed": False, "since": None, "order": None}


def _guard(execution: Execution, leg: Leg, planned: str) -> Guard:
    """The newest order of this leg that stands for all that is held; else where it should be."""
    standing = [
        (id_, sent)
        for id_, sent in execution.legs(leg)
        if sent.outcome is Outcome.LIVE and sent.qty >= abs(execution.expected)
    ]
    if not standing:
        return _watched(planned)
    order, sent = standing[-1]
    return {"price": str(sent.price), "armed": True, "since": sent.sent_at, "order": order}
