"""Reconcile: every minute, bring the records to the present and write the views.

It follows the open shadow trades, goes on with the executions of its venue, labels past decisions, counts what came of
the newest tick, and is the only writer of `views/*`. A trade of another venue is left alone.
A symbol whose candles cannot be read is reported and keeps nobody else waiting.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, Final

from withearth.domain.errors import Contention, MarketFault, Misconfigured, Retryable, Unavailable
from withearth.execution.phases import Phase
from withearth.execution.shown import Position
from withearth.execution.venue import Venue
from withearth.flow.account import follow_account
from withearth.flow.archive import archive_yesterday
from withearth.flow.canary import try_stops
from withearth.flow.control import answer_request
from withearth.flow.documents import TRADES, TradeStatus
from withearth.flow.drift import check_drift
from withearth.flow.execute import resume
from withearth.flow.follow import bring_up_to_date
from withearth.flow.journal import event, record_once
from withearth.flow.labelling import label_past_decisions
from withearth.flow.limits import executions_begun, guard
from withearth.flow.newest_tick import look_at_newest_tick
from withearth.flow.runtime import SHADOW, Runtime
from withearth.flow.sweep import sweep
from withearth.flow.views import write_views
from withearth.signals import Signal, tell
from withearth.store.blobs import Archive
from withearth.store.port import Query, Stored

SWEEP_MINUTES: Final = 5
SHARE_OF_A_PASS: Final = timedelta(seconds=20)
_BY_URGENCY: Final = (
    Phase.PROTECTING,
    Phase.CLOSING,
    Phase.ENTERING,
    Phase.HOLDING,
    Phase.CLEANING,
    Phase.ARMING,
    Phase.ENDED,
)

log = logging.getLogger(__name__)


def reconcile(runtime: Runtime) -> Mapping[str, Any]:
    """One pass. Returns how many trades are open after it, and how many that were open before it have ended."""
    _attempt("control", partial(answer_request, runtime))
    open_trades, left = _open_trades(runtime)
    for each in left:
        _tell_left(runtime, each)
    held: Sequence[Position] = ()
    if runtime.venue is None:
        still_open = [each for each in open_trades if _follow(runtime, each)]
    else:
        look_around = not _is_stopped(runtime)
        if look_around:
            _attempt("account", partial(follow_account, runtime, runtime.venue))
        _attempt("guard", partial(guard, runtime))
        go_on(runtime, runtime.venue)
        for each in open_trades:
            _follow(runtime, each)
        if look_around:
            _attempt("sweep", partial(_sweep_at_times, runtime, runtime.venue))
            _attempt("canary", partial(try_stops, runtime, runtime.venue))
            _attempt("drift", partial(check_drift, runtime, runtime.venue))
        still_open, _ = _open_trades(runtime)
        held = _held(runtime.venue) if look_around and still_open else ()
    ended = {each.ref.id for each in open_trades} - {each.ref.id for each in still_open}
    labelled = label_past_decisions(runtime)
    write_views(runtime, look_at_newest_tick(runtime), still_open, held)
    if runtime.archive is not None:
        _attempt("archive", partial(_archive, runtime, runtime.archive))
    tell(Signal.PASS_DONE, open_trades=len(still_open))
    return {"open": len(still_open), "ended": len(ended), "labelled": labelled}


def _open_trades(runtime: Runtime) -> tuple[list[Stored], list[Stored]]:
    """The open trades that come to their end here, and those of another venue, on which nobody works meanwhile.

    A shadow trade needs no venue to come to its end.
    """
    found = runtime.store.query(Query(TRADES, where={"status": TradeStatus.OPEN.value}))
    modes = {runtime.mode, SHADOW}
    elsewhere = [each for each in found if each.data["mode"] not in modes]
    return [each for each in found if each.data["mode"] in modes], elsewhere


def _tell_left(runtime: Runtime, trade: Stored) -> None:
    """Once a day."""
    now, symbol, mode = runtime.clock.now(), trade.data["symbol"], trade.data["mode"]
    text = f"{trade.ref.id} is open as a {mode} trade, and nobody works on it while trades are {runtime.mode}"
    record_once(runtime.store, event(f"left-{trade.ref.id}-{now:%Y%m%d}", "LEFT_OPEN", now, symbol, text))


def _held(venue: Venue) -> Sequence[Position]:
    """What the exchange shows as held, for who looks at it; nothing when it does not say."""
    try:
        return venue.positions()
    except Unavailable as error:
        log.warning("positions_unread: %s", error)
        return ()


def _is_stopped(runtime: Runtime) -> bool:
    """Whether the exchange has told us, or another process of ours, to stop: then only what protects is asked for."""
    return runtime.venue_traffic is not None and runtime.venue_traffic.known().stop is not None


def _follow(runtime: Runtime, trade: Stored) -> bool:
    """Whether the trade is still open. No candle tells how one ends that is no shadow trade: it is left alone.

    So is one that another call is closing, or whose data are unsound.
    """
    try:
        return trade.data["mode"] != SHADOW or bring_up_to_date(runtime, trade)
    except Contention:
        return True
    except MarketFault as fault:
        _report(runtime, trade, fault)
        return True


def go_on(runtime: Runtime, venue: Venue) -> None:
    """Go on with every execution that nobody is at work on, those with something at stake first.

    Each gets a share of the pass only, and one that cannot be gone on with keeps nobody else waiting: what nobody has
    foreseen is raised when all the others have had their turn.
    """
    now, unforeseen = runtime.clock.now(), list[Exception]()
    left = [each for each in executions_begun(runtime) if each.data["lease_until"] <= now]
    for each in sorted(left, key=_urgency):
        try:
            resume(runtime, venue, each, SHARE_OF_A_PASS)
        except Retryable as error:
            log.warning("execution_delayed %s: %s", each.ref.id, error)
        except Exception as error:
            log.exception("execution_failed %s", each.ref.id)
            unforeseen.append(error)
    if unforeseen:
        raise unforeseen[0]


def _urgency(intent: Stored) -> int:
    """What may be held without its stop comes first, what holds nothing yet or any more comes last."""
    return _BY_URGENCY.index(Phase(intent.data["execution"]["phase"]))


def _sweep_at_times(runtime: Runtime, venue: Venue) -> None:
    """Every fifth minute: the lists of all symbols are the dearest readings there are."""
    if runtime.clock.now().minute % SWEEP_MINUTES == 0:
        sweep(runtime, venue)


def _archive(runtime: Runtime, archive: Archive) -> None:
    """A bucket that has to be mended is no reason to follow no trade."""
    try:
        archive_yesterday(runtime, archive)
    except Misconfigured as error:
        log.error("archive_misconfigured: %s", error)  # noqa: TRY400 - the sentence says it all


def _attempt(what: str, work: Callable[[], object]) -> None:
    """Do a part of the pass. What cannot be done now is done in the next one, and keeps nothing else waiting."""
    try:
        work()
    except (Retryable, MarketFault) as error:
        log.warning("%s_delayed: %s", what, error)


def _report(runtime: Runtime, trade: Stored, fault: MarketFault) -> None:
    text = f"{trade.ref.id} cannot be followed: {fault.detail}"
    told = event(f"{trade.ref.id}-unfollowed", fault.reason.value, runtime.clock.now(), trade.data["symbol"], text)
    record_once(runtime.store, told)
