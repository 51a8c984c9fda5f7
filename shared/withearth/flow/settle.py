"""Settle: what an execution becomes in the journal when it enters and when it ends.

Money is booked from the exchange's own records: fills by their order ids, which lead back to our client ids, never by a
window of time. So net pnl is the sum of the exchange's realised profit, commissions and funding to the last digit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from withearth.domain.errors import Unavailable
from withearth.domain.reasons import Reason
from withearth.domain.times import from_ms, to_ms
from withearth.execution.funding import SETTLED_WITHIN_MS, charged_until, fees_of_side, settlement_before
from withearth.execution.lineage import Leg, is_the_exchange_s
from withearth.execution.orders import PositionSide
from withearth.execution.outcome import Exit, ExitReason, OpenTrade, Result
from withearth.execution.record import Execution, Terms
from withearth.execution.shown import QUOTE_ASSET, Fill, FundingFee
from withearth.execution.trailing import risk_of
from withearth.execution.venue import EXTERNAL, Venue
from withearth.flow.documents import ledger_ref, position_ref, trade_ref
from withearth.flow.journal import closing, event, opening
from withearth.flow.limits import released, settled
from withearth.flow.runtime import Runtime
from withearth.store.port import Delete, Stored, Write

INSURANCE: Final = "INSURANCE_CLEAR"
_REASONS: Final = {Leg.TARGET: ExitReason.TARGET, Leg.STOP: ExitReason.STOP}
_AT_MARKET: Final[Mapping[Reason | None, ExitReason]] = {
    Reason.HORIZON_OVER: ExitReason.HORIZON,
    Reason.FLATTENED: ExitReason.FLATTENED,
    Reason.PARTIALLY_FILLED: ExitReason.PARTIAL,
}


def entering(runtime: Runtime, heading: dict[str, Any], execution: Execution) -> Sequence[Write]:
    """The journal row of a trade that has been entered."""
    terms, first_fill = execution.terms, min(_fill_times(execution))
    trade = OpenTrade(
        side=terms.side,
        qty=execution.filled,
        entry=average_entry(execution),
        tp=terms.tp,
        sl=terms.sl,
        opened_at=first_fill,
        horizon_min=heading["intent"]["horizon_min"],
    )
    return opening(runtime, terms.intent_id, terms.symbol, trade, terms.position_side)


def average_entry(execution: Execution) -> Decimal:
    """The mean price of all entry fills, as far as the exchange has told it; else what was planned."""
    fills = [(sent.filled, sent.average) for _, sent in execution.legs(Leg.ENTRY) if sent.filled]
    known = [(qty, price) for qty, price in fills if price is not None]
    qty = sum((qty for qty, _ in known), Decimal(0))
    return sum((qty * price for qty, price in known), Decimal(0)) / qty if qty else execution.terms.entry


def ending(runtime: Runtime, venue: Venue, execution: Execution) -> Sequence[Write]:
    """What ends an execution: the freed symbol, and the closed row with its ledger when something was held.

    Raises Unavailable while the exchange's list of fills does not yet add up to what our orders filled, or funding may
    still be missing.
    """
    terms = execution.terms
    trade = runtime.store.get(trade_ref(terms.intent_id))
    if not execution.filled:
        at = execution.phase_since
        told = event(f"{terms.intent_id}-refused", "INTENT_REFUSED", at, terms.symbol, str(execution.reason))
        return [*_freed(runtime, terms, trade, at), told, *released(runtime, terms)]
    if trade is None:
        raise AssertionError("an execution that was filled has a journal row")
    ours = _our_fills(venue.fills(terms.symbol, to_ms(execution.began_at)), execution)
    entries = [each for each in ours if each.order_id in _order_ids(execution, {Leg.ENTRY})]
    exits = [each for each in ours if each not in entries]
    if _qty(entries) != execution.filled or _qty(exits) != execution.filled - abs(execution.expected):
        raise Unavailable(f"the exchange's fills of {terms.intent_id} are not all there yet")
    ended = Exit(_exit_reason(execution), _closed_at(execution, exits), _mean(exits))
    if runtime.mode in EXTERNAL:
        _refuse_before_funding(entries, ended.at, runtime.clock.now())
    booked = _booked(venue, execution, entries, exits, ended.at)
    # An entry that was given up may have filled on, after the row was opened.
    entered = dict(trade.data) | {"qty": str(execution.filled), "entry": str(_mean(entries))}
    closed = closing(replace(trade, data=entered), ended, booked, runtime.store.get(ledger_ref(runtime.mode)))
    return [*closed, *settled(runtime, terms, ended, booked)]


def _freed(runtime: Runtime, terms: Terms, trade: Stored | None, at: datetime) -> list[Write]:
    """What frees the place of an intent that entered nothing; a row that a position of others has opened is void."""
    if trade is None:
        return [Delete(position_ref(terms.place))]
    return closing(trade, Exit(ExitReason.UNEXPLAINED, at, None), None, runtime.store.get(ledger_ref(runtime.mode)))


def _our_fills(fills: Iterable[Fill], execution: Execution) -> list[Fill]:
    ids = _order_ids(execution, set(Leg))
    return [each for each in fills if each.order_id in ids]


def _order_ids(execution: Execution, legs: set[Leg]) -> set[str]:
    return {id_ for sent in execution.sent.values() if sent.leg in legs for id_ in sent.order_ids}


def _refuse_before_funding(entries: list[Fill], closed_at: datetime, now: datetime) -> None:
    """Raise Unavailable while the payment of the last settlement that it was held across may not be booked yet."""
    settled_at = settlement_before(closed_at)
    was_held = min(each.at_ms for each in entries) <= to_ms(settled_at)
    if was_held and now < charged_until(closed_at):
        raise Unavailable(f"the funding of {settled_at:%H:%M} may not be booked yet")


def _booked(venue: Venue, execution: Execution, entries: list[Fill], exits: list[Fill], closed_at: datetime) -> Result:
    paid = _funding(venue, execution.terms, entries)
    fees = [each for each in paid if settlement_before(from_ms(each.at_ms)) <= closed_at]
    gross = sum((each.realized for each in (*entries, *exits)), Decimal(0))
    commission = sum((_in_quote(venue, each) for each in (*entries, *exits)), Decimal(0))
    funding = sum((each.amount for each in fees), Decimal(0))
    commission -= _insurance(venue, execution, entries)
    risk = _risked(execution) * execution.filled
    return Result.of(gross, commission, funding, risk)


def _insurance(venue: Venue, execution: Execution, entries: list[Fill]) -> Decimal:
    """What the insurance fund took, negative, or paid for a position that the exchange itself closed."""
    if not _exchange_closed(execution):
        return Decimal(0)
    rows = venue.income(min(each.at_ms for each in entries))
    ours = (each for each in rows if (each.kind, each.symbol) == (INSURANCE, execution.terms.symbol))
    return sum((each.amount for each in ours), Decimal(0))


def _exchange_closed(execution: Execution) -> bool:
    return any(is_the_exchange_s(client_id) for client_id in execution.sent)


def _risked(execution: Execution) -> Decimal:
    """From entry to stop; as it was planned where a gap has filled the entry at the stop or beyond it."""
    terms = execution.terms
    risked = (average_entry(execution) - terms.sl) * terms.side.sign
    return risked if risked > 0 else risk_of(terms)


def _in_quote(venue: Venue, fill: Fill) -> Decimal:
    """A commission in USDT. One in BNB, switched on while the trade was open, counts at BNB's present price."""
    if fill.commission_asset == QUOTE_ASSET or not fill.commission:
        return fill.commission
    return fill.commission * sum(venue.touch(f"{fill.commission_asset}{QUOTE_ASSET}")) / 2


def _funding(venue: Venue, terms: Terms, entries: list[Fill]) -> Sequence[FundingFee]:
    """The funding since the first fill; in hedge mode that of one side. Raises Unavailable while nobody knows whose."""
    opened_ms = min(each.at_ms for each in entries)
    fees = venue.funding_fees(terms.symbol, opened_ms)
    if terms.position_side is PositionSide.BOTH or not fees:
        return fees
    return fees_of_side(fees, venue.funding_rates(terms.symbol, opened_ms - SETTLED_WITHIN_MS), terms.side)


def _exit_reason(execution: Execution) -> ExitReason:
    """The leg that closed it; UNEXPLAINED when our own orders did not close all of it."""
    if execution.expected or _exchange_closed(execution):
        return ExitReason.UNEXPLAINED
    closing_legs = {sent.leg for sent in execution.sent.values() if sent.leg is not Leg.ENTRY and sent.traded}
    for leg, reason in _REASONS.items():
        if leg in closing_legs:
            return reason
    return _AT_MARKET.get(execution.reason, ExitReason.UNPROTECTED)


def _closed_at(execution: Execution, exits: list[Fill]) -> datetime:
    return from_ms(max(each.at_ms for each in exits)) if exits else execution.phase_since


def _fill_times(execution: Execution) -> list[datetime]:
    times = [sent.filled_at for _, sent in execution.legs(Leg.ENTRY) if sent.filled_at is not None]
    return times or [execution.phase_since]


def _qty(fills: Iterable[Fill]) -> Decimal:
    return sum((each.qty for each in fills), Decimal(0))


def _mean(fills: Sequence[Fill]) -> Decimal | None:
    qty = _qty(fills)
    return sum((each.qty * each.price for each in fills), Decimal(0)) / qty if qty else None
