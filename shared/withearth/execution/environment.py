"""The environment guard: address, key and VENUE belong to the same exchange, or nothing is signed. Pure.

Binance's demo exchange and Binance itself speak the same language at two addresses, each with keys of its own. A demo
key never reaches the real one by a slip of one setting, nor a real key the demo one: the owner says where the key was
made, and the address is held against a short list.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from withearth.domain.errors import Misconfigured
from withearth.settings import Settings

LIVE_ADDRESS: Final = "https://fapi.binance.com"
"""The one address at which real orders are taken."""
REFUSED_KEYS: Final[Mapping[int, str]] = {
    -1022: "BINANCE_API_SECRET does not belong to BINANCE_API_KEY",
    -2008: "it does not know BINANCE_API_KEY",
    -2014: "BINANCE_API_KEY has not the form of a key",
    -2015: "BINANCE_API_KEY is of another environment, may not trade futures, or not from this machine's address",
}
"""What the exchange's codes for a refused key mean."""
_WHERE: Final = {"DEMO": "demo.binance.com", "LIVE": "binance.com"}


def address_of(settings: Settings) -> str:
    """The address of the exchange that VENUE names."""
    return settings.binance_fapi_base if settings.venue == "live" else settings.binance_fapi_testnet_base


def refuse_environment(settings: Settings) -> None:
    """Raise Misconfigured unless VENUE, the address and the key's environment agree."""
    venue, made_on, address = settings.venue, settings.binance_key_environment, address_of(settings)
    if made_on != venue:
        raise Misconfigured(
            f"BINANCE_KEY_ENVIRONMENT is {made_on}, and VENUE is {venue}: set it to {venue} once BINANCE_API_KEY and "
            f"BINANCE_API_SECRET are a pair made on {_WHERE[venue.upper()]}.",
        )
    if venue == "live" and address != LIVE_ADDRESS:
        raise Misconfigured(
            f"BINANCE_FAPI_BASE is {address}, and VENUE is live: real orders go to {LIVE_ADDRESS} only.",
        )
    if venue == "demo" and urlsplit(address).hostname == urlsplit(LIVE_ADDRESS).hostname:
        raise Misconfigured(
            f"BINANCE_FAPI_TESTNET_BASE is {address}, and VENUE is demo: that is the real exchange, set it to "
            "https://demo-fapi.binance.com.",
        )


def refuse_key(kind: str, answer: Mapping[str, Any]) -> None:
    """Raise Misconfigured when the answer says that the exchange refuses the key; return when it says anything else."""
    code = answer.get("code")
    why = REFUSED_KEYS.get(code) if isinstance(code, int) else None
    if why is not None:
        raise Misconfigured(
            f"Binance's {kind} exchange refuses the key with {code}: {why}. Use a pair made on {_WHERE[kind]} with the "
            f"right to trade futures, in an account that is open for them, or another VENUE.",
        )
