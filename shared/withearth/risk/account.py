"""What the exchange says the account is worth, followed so that money put in or taken out is no gain and no loss. Pure.

    equity     = wallet + unrealised loss: a loss counts at once, a gain when it is realised
    unit value = equity / units: money that moves in or out changes the number of units, never their value, as in a fund
    drawdown   = how far the unit value is below its highest

Every change of the wallet has to be explained by the exchange's income records. While it is not, the equity is not
known, and nothing is entered; what stays unexplained is taken for a loss, or for money put in, whichever is stricter.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from withearth.domain.times import from_ms, to_ms
from withearth.execution.shown import Balance, Income

DAY: Final = timedelta(hours=24)
OVERLAP: Final = timedelta(minutes=10)
"""How far back records are read again, since some are shown late."""
PATIENCE: Final = timedelta(minutes=10)
"""How long a change of the wallet may wait for the records that explain it."""
FRESH_FOR: Final = timedelta(minutes=5)
"""How old a reading may be before nobody enters on it: a few passes of the reconciler."""
PERCENT: Final = 100
MOVES: Final = frozenset(
    {
        "TRANSFER",
        "INTERNAL_TRANSFER",
        "CROSS_COLLATERAL_TRANSFER",
        "COIN_SWAP_DEPOSIT",
        "COIN_SWAP_WITHDRAW",
        "STRATEGY_UMFUTURES_TRANSFER",
        "AUTO_EXCHANGE",
        "WELCOME_BONUS",
    }
)
"""Kinds of income that are money put in or taken out. Every other kind was earned or lost."""
_ONE: Final = Decimal(1)
_NOTHING: Final = Decimal(0)
_MINUTE: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The account as of `at`, in USDT.

    `earned` sums what was earned by the minute it was booked in, over the last 24 hours; `counted` holds the records
    that may be read again. `odd_since` is when the wallet began to differ from what its records explain.
    """

    at: datetime
    wallet: Decimal
    unrealized: Decimal
    available: Decimal
    units: Decimal
    peak: Decimal
    earned: Mapping[datetime, Decimal]
    counted: Mapping[str, datetime]
    odd_since: datetime | None = None

    @property
    def equity(self) -> Decimal:
        """What the account is worth."""
        return self.wallet + min(self.unrealized, _NOTHING)

    @property
    def unit_value(self) -> Decimal:
        """What one unit is worth; 1 at the beginning."""
        return self.equity / self.units if self.units > 0 else _ONE

    @property
    def drawdown_pct(self) -> Decimal:
        """How far a unit is below its highest value, in percent of that."""
        return (self.peak - self.unit_value) / self.peak * PERCENT

    def lost(self, now: datetime) -> Decimal:
        """What the account lost within the last 24 hours, zero when it earned."""
        return max(-sum((amount for at, amount in self.earned.items() if now < at + _MINUTE + DAY), _NOTHING), _NOTHING)

    @property
    def leaving(self) -> list[datetime]:
        """When what was earned leaves the last 24 hours."""
        return [at + _MINUTE + DAY for at in self.earned]

    def is_known(self, now: datetime) -> bool:
        """Whether the equity may be relied upon: read lately, and explained."""
        return self.odd_since is None and now - self.at <= FRESH_FOR

    @property
    def read_from(self) -> datetime:
        """From when on records have to be read for the next reading."""
        return self.at - OVERLAP

    def from_here(self) -> "Sheet":
        """The account with its present value as the highest: a new beginning after a drawdown, even a total one."""
        return replace(self, peak=self.unit_value) if self.unit_value > 0 else _anew(self)

    def to_document(self) -> dict[str, Any]:
        """The account as it is kept."""
        return {
            "at": self.at,
            "equity": str(self.equity),
            "wallet": str(self.wallet),
            "unrealized": str(self.unrealized),
            "available": str(self.available),
            "units": str(self.units),
            "peak": str(self.peak),
            "earned": {str(to_ms(at)): str(amount) for at, amount in self.earned.items()},
            "counted": dict(self.counted),
            "odd_since": self.odd_since,
        }


def sheet_from(data: Mapping[str, Any]) -> Sheet:
    """Read back what `to_document` gave. Raises ValueError for anything else: nobody guesses at money."""
    try:
        names = ("wallet", "unrealized", "available", "units", "peak")
        amounts = {name: Decimal(data[name]) for name in names}
        return Sheet(
            at=data["at"],
            earned={from_ms(int(at)): Decimal(amount) for at, amount in data["earned"].items()},
            counted=dict(data["counted"]),
            odd_since=data["odd_since"],
            **amounts,
        )
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ValueError(f"not an account: {error!r}") from error


def beginning(balance: Balance, records: Iterable[Income], now: datetime) -> Sheet:
    """The account as it is seen for the first time, with what its records say of the day before."""
    seen = [each for each in records if each.asset == balance.asset]
    sheet = Sheet(
        at=now,
        wallet=balance.wallet,
        unrealized=balance.unrealized,
        available=balance.available,
        units=_NOTHING,
        peak=_ONE,
        earned={},
        counted={},
    )
    return _booked(replace(sheet, units=sheet.equity), seen, now)


@dataclass(frozen=True, slots=True)
class Reading:
    """The account after a reading, and what of its change nobody explained."""

    sheet: Sheet
    unexplained: Decimal = _NOTHING


def after(sheet: Sheet, balance: Balance, records: Iterable[Income], now: datetime) -> Reading:
    """The account with one more reading."""
    new = [each for each in records if each.asset == balance.asset and each.key not in sheet.counted]
    moved = sum((each.amount for each in new if each.kind in MOVES), _NOTHING)
    gap = balance.wallet - sheet.wallet - sum((each.amount for each in new), _NOTHING)
    odd_since = sheet.odd_since or now
    if gap and now - odd_since < PATIENCE:
        return Reading(replace(sheet, odd_since=odd_since, available=balance.available))
    seen = replace(
        sheet,
        at=now,
        wallet=balance.wallet,
        unrealized=balance.unrealized,
        available=balance.available,
        odd_since=None,
    )
    kept = _booked(_moved(seen, moved + max(gap, _NOTHING)), new, now)
    if gap < 0:
        kept = _earned(kept, now, gap)
    return Reading(replace(kept, peak=max(kept.peak, kept.unit_value)), gap)


def _moved(sheet: Sheet, amount: Decimal) -> Sheet:
    """The account whose units have taken up money that moved. One that was empty before, or is now, begins anew."""
    if not amount and sheet.units > 0:
        return sheet
    value = (sheet.equity - amount) / sheet.units if sheet.units > 0 else _NOTHING
    units = sheet.units + amount / value if value > 0 else _NOTHING
    return replace(sheet, units=units) if units > 0 and sheet.equity > 0 else _anew(sheet)


def _anew(sheet: Sheet) -> Sheet:
    """The account as if it were seen for the first time."""
    return replace(sheet, units=max(sheet.equity, _NOTHING), peak=_ONE)


def _booked(sheet: Sheet, records: Iterable[Income], now: datetime) -> Sheet:
    """The account with these records counted; what has left the day, or will not be read again, is forgotten."""
    counted = {id_: at for id_, at in sheet.counted.items() if at >= now - 2 * OVERLAP}
    for each in records:
        at = from_ms(each.at_ms)
        counted[each.key] = at
        if each.kind not in MOVES:
            sheet = _earned(sheet, at, each.amount)
    earned = {at: amount for at, amount in sheet.earned.items() if now < at + _MINUTE + DAY}
    return replace(sheet, earned=earned, counted={id_: at for id_, at in counted.items() if at >= now - 2 * OVERLAP})


def _earned(sheet: Sheet, at: datetime, amount: Decimal) -> Sheet:
    minute = at.replace(second=0, microsecond=0)
    return replace(sheet, earned={**sheet.earned, minute: sheet.earned.get(minute, _NOTHING) + amount})
