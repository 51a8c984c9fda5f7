"""The account at work: what the exchange says of our money, read each minute, and what depends on it.

On an exchange that is not in this process equity and free margin are the account's own, never assumed: others may trade
on it, and its owner may put money in or take some out. The paper account belongs to nobody else, and is counted.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from withearth.domain.book import BASIS_POINTS
from withearth.domain.errors import Refused, Unavailable
from withearth.domain.reasons import Reason
from withearth.domain.times import to_ms
from withearth.execution.shown import Balance, Income
from withearth.execution.venue import EXTERNAL, Venue
from withearth.flow.documents import account_ref
from withearth.flow.journal import event
from withearth.flow.runtime import Runtime
from withearth.messaging.events import TradeIntent
from withearth.risk.account import DAY, Reading, Sheet, after, beginning, sheet_from
from withearth.risk.limits import starting_equity
from withearth.store.port import Stored, version_of, write_over

LOOKS: Final = 3
"""How often a reading is repeated that the account changed under."""
SHOWN_WITHIN: Final = timedelta(seconds=3)
"""How long a record of what has just happened is usually not shown."""


def sheet_of(stored: Stored | None) -> Sheet | None:
    """The account as it was read last, None where it never was, or where the document cannot be understood."""
    try:
        return None if stored is None else sheet_from(stored.data)
    except ValueError:
        return None


def follow_account(runtime: Runtime, venue: Venue) -> None:
    """Read the account and keep what it shows, where it is the exchange's to say.

    Raises Unavailable when it cannot be read, or changes faster than it is read. A document that cannot be understood
    is left as it is: it says what the highest value was.
    """
    if runtime.mode not in EXTERNAL:
        return
    stored, now = runtime.store.get(account_ref(runtime.mode)), runtime.clock.now()
    sheet = sheet_of(stored)
    if sheet is None and stored is not None:
        return
    reading = _next(runtime, venue, sheet)
    if reading.sheet.odd_since is not None:
        runtime.clock.sleep(SHOWN_WITHIN)
        reading = _next(runtime, venue, sheet)
    writes = [write_over(account_ref(runtime.mode), reading.sheet.to_document(), version_of(stored))]
    if reading.unexplained:
        text = f"the wallet changed by {reading.unexplained} USDT that no record of the exchange explains"
        writes.append(event(f"account-{to_ms(now)}", "ACCOUNT_UNEXPLAINED", now, "", text))
    runtime.store.commit(writes)


def _next(runtime: Runtime, venue: Venue, sheet: Sheet | None) -> Reading:
    """The account with one more reading, or as it is seen for the first time."""
    now = runtime.clock.now()
    balance, records = _read(venue, to_ms(now - DAY if sheet is None else sheet.read_from))
    return Reading(beginning(balance, records, now)) if sheet is None else after(sheet, balance, records, now)


def _read(venue: Venue, since_ms: int) -> tuple[Balance, tuple[Income, ...]]:
    """Balance and records that belong together: the wallet did not change between them."""
    before = venue.balance()
    for _ in range(LOOKS):
        records = venue.income(since_ms)
        balance = venue.balance()
        if balance.wallet == before.wallet:
            return balance, records
        before = balance
    raise Unavailable("the account's wallet changes faster than it can be read")


def free_margin(runtime: Runtime) -> Decimal:
    """What an order may be sized against. Raises Refused where the account has to say it and has not, lately."""
    if runtime.mode not in EXTERNAL:
        return starting_equity(runtime.settings, runtime.mode)
    sheet = sheet_of(runtime.store.get(account_ref(runtime.mode)))
    if sheet is None or not sheet.is_known(runtime.clock.now()):
        raise Refused(Reason.EQUITY_UNKNOWN)
    return sheet.available


def equity_at_first(runtime: Runtime, net: Decimal) -> Decimal | None:
    """What the equity began with, if our trades' `net` were all that changed it. None, where nobody knows yet."""
    if runtime.mode not in EXTERNAL:
        return starting_equity(runtime.settings, runtime.mode)
    sheet = sheet_of(runtime.store.get(account_ref(runtime.mode)))
    return None if sheet is None else sheet.equity - net


def afford(runtime: Runtime, venue: Venue, intent: TradeIntent) -> None:
    """Hold the order's margin and fee against what is free right now. Raises Refused, and Unavailable."""
    settings, notional = runtime.settings, intent.qty * intent.entry
    need = notional / settings.leverage + notional * settings.taker_fee_bps / BASIS_POINTS
    available = venue.balance().available
    if need > available:
        raise Refused(Reason.MARGIN_TOO_SMALL, f"the order needs {need:.2f} USDT, free are {available:.2f}")
