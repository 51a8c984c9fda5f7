"""The exchange as seen from here: is it reached, how far off is the clock, how much request weight is used. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from typing import Any, Final

from withearth.doctor.findings import Finding, ok, problem, warning
from withearth.doctor.line import Reply
from withearth.domain.reasons import Reason
from withearth.domain.times import from_ms
from withearth.market.server_clock import SKEW_MAX
from withearth.market.traffic import Limits

WEIGHT_MUCH: Final = 0.5
_BANS: Final = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.IM_A_TEAPOT})


def reached(address: str, reply: Reply) -> Finding:
    """Whether the exchange serves us at this address."""
    check = "exchange"
    if reply.status == HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS:
        return problem(
            check,
            f"{address} answers HTTP 451. {Reason.REGION_REFUSED.sentence}",
            "set REGION to one that Binance serves, such as asia-northeast1, or run on a machine there",
        )
    if reply.status in _BANS:
        wait = reply.headers.get("Retry-After")
        told = f", and says to wait {wait} s" if wait else ""
        return problem(
            check, f"{address} refuses this machine for asking too much (HTTP {reply.status}{told}).", "wait"
        )
    if reply.status != HTTPStatus.OK:
        return problem(check, f"{address} answers HTTP {reply.status}.", "look at the address and at the network")
    if not isinstance(reply.payload, dict) or not isinstance(reply.payload.get("serverTime"), int):
        return problem(
            check, f"{address} answers something else than the exchange's time.", "look who answers in its place"
        )
    return ok(check, f"{address} answers.")


def refused(check: str, reply: Reply) -> Finding:
    """A request that the exchange did not answer with what was asked for."""
    return problem(check, f"The exchange did not tell (HTTP {reply.status}).", "look at what is said of the exchange")


def skew(reply: Reply, before_ms: int, after_ms: int) -> Finding:
    """How far our clock is from the exchange's; its answer was made somewhere between the two instants."""
    check, told = "clock", reply.payload.get("serverTime") if isinstance(reply.payload, dict) else None
    if not isinstance(told, int):
        return problem(check, "The exchange did not tell its time.", "look at what is said of the exchange")
    off = timedelta(milliseconds=told - (before_ms + after_ms) / 2)
    late = abs(off) - timedelta(milliseconds=(after_ms - before_ms) / 2)
    text = f"The exchange's clock is {off / timedelta(milliseconds=1):+.0f} ms from ours"
    if late > SKEW_MAX:
        return problem(
            check,
            f"{text}, allowed are {SKEW_MAX // timedelta(milliseconds=1)}.",
            "switch on time synchronisation (NTP)",
        )
    return ok(check, f"{text}, at {from_ms(told):%Y-%m-%d %H:%M:%S} UTC.")


def weight(reply: Reply, rate_limits: Sequence[Mapping[str, Any]]) -> Finding:
    """How much of the minute's request weight this machine's address has used, by whomever."""
    check, limit = "weight", _limit(rate_limits)
    try:
        used = int(reply.headers.get("X-MBX-USED-WEIGHT-1M", ""))
    except ValueError:
        return warning(check, "The exchange did not say how much request weight is used.")
    text = f"{used} of {limit} request weight are used in this minute."
    if used > limit * WEIGHT_MUCH:
        return warning(check, text, "stop what else asks the exchange from this address")
    return ok(check, text)


def _limit(rate_limits: Sequence[Mapping[str, Any]]) -> int:
    told = (each["limit"] for each in rate_limits if each.get("rateLimitType") == "REQUEST_WEIGHT" and "limit" in each)
    return int(next(told, Limits().weight_1m))
