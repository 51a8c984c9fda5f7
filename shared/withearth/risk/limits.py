"""The limits: which of them refuse what is asked, and how far each is used. Pure; every window rolls.

A window never ends at midnight: what happened counts until it is exactly 24 hours, an hour or a pause old, and from
that instant on it does not. All of this stops entries alone. Nothing here is asked about an order that reduces.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from withearth.domain.book import BASIS_POINTS
from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.risk.account import Sheet
from withearth.risk.book import DAY, HOUR, Book, Closed
from withearth.settings import Settings

ROWS_MAX: Final = 2_000
"""Most results and entries that the book holds. A day with more is refused: none may be forgotten within its window."""
PERCENT: Final = 100
_NOTHING: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the settings allow. Zero switches a limit off, but for the number of open positions."""

    open_positions: int
    total_notional: Decimal
    daily_loss: Decimal
    drawdown_pct: Decimal
    cooldown: timedelta
    consecutive_losses: int
    loss_pause: timedelta
    entries_per_hour: int
    edge_bps: Decimal
    deposit: Decimal


def starting_equity(settings: Settings, mode: str) -> Decimal:
    """What the equity of a mode began with, in USDT: the paper account's deposit, or what a shadow account has."""
    return settings.paper_deposit_usdt if mode == "PAPER" else settings.shadow_equity_usdt


def limits_of(settings: Settings, mode: str) -> Limits:
    """What the settings allow in a mode. The deposit is what the equity began with."""
    return Limits(
        open_positions=settings.max_open_positions,
        total_notional=settings.max_total_notional_usdt,
        daily_loss=settings.max_daily_loss_usdt,
        drawdown_pct=settings.max_drawdown_pct,
        cooldown=timedelta(minutes=settings.cooldown_min_after_stop),
        consecutive_losses=settings.max_consecutive_losses,
        loss_pause=timedelta(minutes=settings.loss_pause_min),
        entries_per_hour=settings.max_entries_per_hour,
        edge_bps=settings.min_edge_bps,
        deposit=starting_equity(settings, mode),
    )


@dataclass(frozen=True, slots=True)
class Asked:
    """An entry that wants to happen. `edge_bps` is what can be expected of it, None where nobody asks for that."""

    symbol: str
    side: Side
    notional: Decimal
    edge_bps: Decimal | None = None


@dataclass(frozen=True, slots=True)
class _Case:
    """An entry held against everything that counts. `sheet` is the account, where there is one to be read."""

    book: Book
    asked: Asked
    limits: Limits
    now: datetime
    sheet: Sheet | None


def refusals(book: Book, asked: Asked, limits: Limits, now: datetime, sheet: Sheet | None = None) -> tuple[Reason, ...]:
    """Every limit that speaks against it, in the order in which they are listed; empty when none does."""
    case = _Case(book.at(now), asked, limits, now, sheet)
    return tuple(reason for reason, stops in _CHECKS.items() if stops(case))


def _no_slot(case: _Case) -> bool:
    return len(case.book.slots) >= case.limits.open_positions


def _no_room(case: _Case) -> bool:
    return 0 < case.limits.total_notional < case.book.notional + case.asked.notional


def _lost_too_much(case: _Case) -> bool:
    return 0 < case.limits.daily_loss <= lost_of(case.book, case.sheet, case.now)


def _drawn_down(case: _Case) -> bool:
    return is_drawn_down(case.book, case.limits, case.sheet)


def _cooling(case: _Case) -> bool:
    return (case.asked.symbol, case.asked.side) in _cooling_until(case.book, case.limits, case.now)


def _losing(case: _Case) -> bool:
    until = _pause_until(case.book, case.limits)
    return until is not None and case.now < until


def _too_many(case: _Case) -> bool:
    book, most = case.book, case.limits.entries_per_hour
    is_full = len(book.closed) + len(book.entries) + len(book.slots) >= ROWS_MAX
    return is_full or 0 < most <= len(book.entries)


def _no_edge(case: _Case) -> bool:
    least, edge = case.limits.edge_bps, case.asked.edge_bps
    return least > 0 and edge is not None and edge < least


_CHECKS: Final[Mapping[Reason, Callable[[_Case], bool]]] = {
    Reason.DRAWDOWN_REACHED: _drawn_down,
    Reason.DAILY_LOSS_REACHED: _lost_too_much,
    Reason.LOSING_STREAK: _losing,
    Reason.COOLDOWN: _cooling,
    Reason.TOO_MANY_ENTRIES: _too_many,
    Reason.POSITIONS_FULL: _no_slot,
    Reason.NOTIONAL_FULL: _no_room,
    Reason.EDGE_TOO_SMALL: _no_edge,
}


def lost(closed: tuple[Closed, ...]) -> Decimal:
    """What these trades lost together, zero when they earned."""
    return max(-sum((each.net for each in closed), Decimal(0)), Decimal(0))


def lost_of(book: Book, sheet: Sheet | None, now: datetime) -> Decimal:
    """What the last 24 hours lost: by our own trades, or by the account's records where they say more."""
    return max(lost(book.closed), _NOTHING if sheet is None else sheet.lost(now))


def drawdown_pct(book: Book, limits: Limits, sheet: Sheet | None = None) -> Decimal:
    """How far the equity is below its highest value, in percent of that: the account's own where it can be read."""
    if sheet is not None:
        return sheet.drawdown_pct
    top = limits.deposit + book.peak
    return (book.peak - book.net) / top * PERCENT if top > 0 else Decimal(PERCENT)


def is_drawn_down(book: Book, limits: Limits, sheet: Sheet | None = None) -> bool:
    """Whether the drawdown has reached its limit."""
    return 0 < limits.drawdown_pct <= drawdown_pct(book, limits, sheet)


def _pause_until(book: Book, limits: Limits) -> datetime | None:
    is_streak = 0 < limits.consecutive_losses <= book.losses
    return book.lost_at + limits.loss_pause if is_streak and book.lost_at is not None else None


def _cooling_until(book: Book, limits: Limits, now: datetime) -> Mapping[tuple[str, Side], datetime]:
    if not limits.cooldown:
        return {}
    stops = sorted((each for each in book.closed if each.by_stop), key=lambda each: each.at)
    ends = {(each.symbol, each.side): each.at + limits.cooldown for each in stops}
    return {place: end for place, end in ends.items() if now < end}


@dataclass(frozen=True, slots=True)
class Usage:
    """How far one limit is used. `value` 0 is a limit that is off; `lifts_at` is when it stops nothing any more."""

    key: str
    reason: Reason
    value: Decimal
    used: Decimal | None
    stops: bool
    lifts_at: datetime | None = None


def usage(book: Book, limits: Limits, now: datetime, sheet: Sheet | None = None) -> tuple[Usage, ...]:
    """Every limit with its value and its present use."""
    present = book.at(now)
    return (
        _positions_usage(present, limits),
        _notional_usage(present, limits),
        _daily_usage(present, limits, now, sheet),
        _drawdown_usage(present, limits, sheet),
        _cooldown_usage(present, limits, now),
        _streak_usage(present, limits, now),
        _entries_usage(present, limits),
        Usage("MIN_EDGE_BPS", Reason.EDGE_TOO_SMALL, limits.edge_bps, None, stops=False),
    )


def _positions_usage(book: Book, limits: Limits) -> Usage:
    value, used = Decimal(limits.open_positions), Decimal(len(book.slots))
    return Usage("MAX_OPEN_POSITIONS", Reason.POSITIONS_FULL, value, used, stops=used >= value)


def _notional_usage(book: Book, limits: Limits) -> Usage:
    value, used = limits.total_notional, book.notional
    return Usage("MAX_TOTAL_NOTIONAL_USDT", Reason.NOTIONAL_FULL, value, used, stops=0 < value <= used)


def _daily_usage(book: Book, limits: Limits, now: datetime, sheet: Sheet | None) -> Usage:
    value, used = limits.daily_loss, lost_of(book, sheet, now)
    lifts_at = _loss_lifts_at(book, sheet, value) if 0 < value <= used else None
    return Usage("MAX_DAILY_LOSS_USDT", Reason.DAILY_LOSS_REACHED, value, used, lifts_at is not None, lifts_at)


def _loss_lifts_at(book: Book, sheet: Sheet | None, limit: Decimal) -> datetime | None:
    """The first instant at which enough has left the window."""
    leaving = [each.at + DAY for each in book.closed] + ([] if sheet is None else sheet.leaving)
    return next((at for at in sorted(leaving) if lost_of(book.at(at), sheet, at) < limit), None)


def _drawdown_usage(book: Book, limits: Limits, sheet: Sheet | None) -> Usage:
    used = drawdown_pct(book, limits, sheet).quantize(Decimal("0.01"))
    stops = is_drawn_down(book, limits, sheet)
    return Usage("MAX_DRAWDOWN_PCT", Reason.DRAWDOWN_REACHED, limits.drawdown_pct, used, stops)


def _cooldown_usage(book: Book, limits: Limits, now: datetime) -> Usage:
    """How many sides of symbols cool down, and when the last of them is over."""
    ends = _cooling_until(book, limits, now)
    value = Decimal(limits.cooldown // timedelta(minutes=1))
    lifts_at = max(ends.values(), default=None)
    return Usage("COOLDOWN_MIN_AFTER_STOP", Reason.COOLDOWN, value, Decimal(len(ends)), bool(ends), lifts_at)


def _streak_usage(book: Book, limits: Limits, now: datetime) -> Usage:
    until = _pause_until(book, limits)
    lifts_at = until if until is not None and now < until else None
    value, used = Decimal(limits.consecutive_losses), Decimal(book.losses)
    return Usage("MAX_CONSECUTIVE_LOSSES", Reason.LOSING_STREAK, value, used, lifts_at is not None, lifts_at)


def _entries_usage(book: Book, limits: Limits) -> Usage:
    most, entered = limits.entries_per_hour, sorted(book.entries.values())
    lifts_at = entered[len(entered) - most] + HOUR if 0 < most <= len(entered) else None
    value, used = Decimal(most), Decimal(len(entered))
    return Usage("MAX_ENTRIES_PER_HOUR", Reason.TOO_MANY_ENTRIES, value, used, lifts_at is not None, lifts_at)


def active(limits: Limits) -> tuple[str, ...]:
    """The limits that are on, each with its value, as they are told at the start."""
    rows = usage(Book(), limits, datetime.min.replace(tzinfo=UTC))
    return tuple(f"{row.key}={row.value:f}" for row in rows if row.value)


@dataclass(frozen=True, slots=True)
class Bet:
    """What an intent can come to. `funding_rates` are those of the settlements that the trade may be held across."""

    side: Side
    entry: Decimal
    tp: Decimal
    sl: Decimal
    prob: Decimal
    fee_bps: Decimal
    funding_rates: tuple[Decimal, ...] = ()


def edge_bps(bet: Bet) -> Decimal:
    """What can be expected of a bet after fees and funding, in basis points of its notional.

    Both sides pay the taker fee. Funding counts where it is paid, and not where it would be received, since the trade
    may well be over by then.
    """
    won, lost_ = abs(bet.tp - bet.entry), abs(bet.entry - bet.sl)
    expected = bet.prob * won - (1 - bet.prob) * lost_
    fees = bet.fee_bps / BASIS_POINTS * (bet.entry + bet.prob * bet.tp + (1 - bet.prob) * bet.sl)
    paid = sum((max(rate * bet.side.sign, Decimal(0)) for rate in bet.funding_rates), Decimal(0)) * bet.entry
    return (expected - fees - paid) / bet.entry * BASIS_POINTS
