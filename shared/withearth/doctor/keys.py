"""The key: is there one, was it made for this exchange, and may it do what is needed and nothing that is not. Pure."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from withearth.doctor.findings import Finding, ok, problem, warning
from withearth.doctor.line import Reply
from withearth.doctor.models import members
from withearth.execution.environment import REFUSED_KEYS
from withearth.settings import Settings

CHECK: Final = "key"
_MANAGE: Final = "on Binance under API Management"
_TRANSFERS: Final = ("enableInternalTransfer", "permitsUniversalTransfer")


def sends_orders(settings: Settings) -> bool:
    """Whether orders leave this machine with these settings."""
    return settings.execute_trades and settings.venue != "paper"


def needed(settings: Settings) -> list[str]:
    """The secrets that are made use of with these settings, by their keys."""
    trading = ["BINANCE_API_KEY", "BINANCE_API_SECRET"] if sends_orders(settings) else []
    model = ["GOOGLE_API_KEY"] if members(settings) and not settings.vertex_project else []
    return [*trading, *model, *(["XAI_API_KEY"] if settings.sentiment != "off" else [])]


def presence(settings: Settings) -> Finding:
    """Whether key and secret are there, where they are needed."""
    names = ("BINANCE_API_KEY", "BINANCE_API_SECRET")
    absent = [name for name in names if not getattr(settings, name.lower()).get_secret_value()]
    if not sends_orders(settings):
        return ok(CHECK, "No key is needed: no order leaves this machine with EXECUTE_TRADES and VENUE as they are.")
    if absent:
        return problem(
            CHECK,
            f"{' and '.join(absent)} {'is' if len(absent) == 1 else 'are'} not set, and VENUE is {settings.venue}.",
            "set it in .env or the environment, or set VENUE to paper",
        )
    return ok(CHECK, f"Key and secret are set, made on {settings.binance_key_environment}.")


def permissions(reply: Reply) -> list[Finding]:
    """What the key may do, from the exchange's own answer."""
    if reply.status == HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS:
        return [problem("permissions", "The exchange does not serve this region (HTTP 451).", "run in another one")]
    if reply.status != HTTPStatus.OK or not isinstance(reply.payload, dict):
        code = reply.payload.get("code") if isinstance(reply.payload, dict) else None
        told = f"HTTP {reply.status}" + (f", code {code}" if code is not None else "")
        why = REFUSED_KEYS.get(code, "look at what is said of exchange and clock") if isinstance(code, int) else ""
        return [
            problem(
                "permissions",
                f"The exchange did not say what the key may do ({told}).",
                why or "look at the network, and try again",
            )
        ]
    return _permissions(reply.payload)


def not_asked(settings: Settings) -> Finding:
    """Where nobody can be asked what the key may do."""
    if not sends_orders(settings):
        return ok("permissions", "Not needed without a key.")
    return warning(
        "permissions",
        "What the key may do cannot be asked here: the demo exchange has no such endpoint.",
        "make the live key with reading and futures only, and an address allow-list",
    )


def _permissions(told: Mapping[str, Any]) -> list[Finding]:
    """A right that the answer does not name is not known to be off, and so is no right that we rely on."""
    found = [
        _needed(told, "enableReading", "read", "switch on reading"),
        _needed(
            told, "enableFutures", "trade futures", "switch on futures; a key older than the futures account cannot"
        ),
    ]
    if told.get("enableWithdrawals") is not False:
        found.append(
            problem(
                "permissions",
                "The key may withdraw, or the exchange does not say.",
                f"switch withdrawals off {_MANAGE}",
            )
        )
    else:
        found.append(ok("permissions", "The key may not withdraw."))
    if told.get("ipRestrict") is not True:
        found.append(
            problem(
                "permissions",
                "The key can be used from any address.",
                f"restrict it to this machine's address {_MANAGE}; an open key loses the right to trade",
            )
        )
    else:
        found.append(ok("permissions", "The key works from listed addresses only."))
    transfers = [name for name in _TRANSFERS if told.get(name) is not False]
    if transfers:
        found.append(
            warning("permissions", f"The key may move money ({', '.join(transfers)}).", f"switch that off {_MANAGE}")
        )
    return found


def _needed(told: Mapping[str, Any], name: str, what: str, remedy: str) -> Finding:
    if told.get(name) is True:
        return ok("permissions", f"The key may {what}.")
    return problem("permissions", f"The key may not {what}.", f"{remedy}, {_MANAGE}")
