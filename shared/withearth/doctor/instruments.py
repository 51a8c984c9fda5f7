"""The instruments: is each symbol traded, with filters that can be read, and is RISK_USDT enough for an order. Pure."""

from collections.abc import Mapping
from decimal import Decimal, DecimalException
from typing import Any, Final

from withearth.doctor.findings import Finding, ok, problem
from withearth.domain.errors import MarketFault
from withearth.domain.instrument import instrument_from_exchange_info, is_tradable
from withearth.risk.sizing import smallest_order
from withearth.settings import Settings

CHECK: Final = "instruments"


def tradable(listed: Mapping[str, Mapping[str, Any]], prices: Mapping[str, str], settings: Settings) -> list[Finding]:
    """A problem for each symbol that cannot be traded with these settings, and one line for all that can.

    `listed` are the entries of exchangeInfo, `prices` the mark prices, by symbol.
    """
    if not settings.names_symbols:
        return [_found(listed, prices, settings)]
    faults = {symbol: _fault(symbol, listed, prices, settings) for symbol in settings.symbols}
    found = [fault for fault in faults.values() if fault is not None]
    good = [symbol for symbol, fault in faults.items() if fault is None]
    if good:
        named = ", ".join(good[:5]) + (f" and {len(good) - 5} more" if len(good) > 5 else "")  # noqa: PLR2004 - a line's length
        found.append(ok(CHECK, f"{named}: trading, and RISK_USDT {settings.risk_usdt} is above the smallest order."))
    return found


def _found(listed: Mapping[str, Mapping[str, Any]], prices: Mapping[str, str], settings: Settings) -> Finding:
    """Where symbols are found by themselves: how many can be entered, and how many are too dear."""
    entered = [symbol for symbol, entry in listed.items() if is_tradable(entry)]
    good = [symbol for symbol in entered if _fault(symbol, listed, prices, settings) is None]
    text = f"{len(good)} of {len(entered)} tradable symbols take an order of RISK_USDT {settings.risk_usdt}."
    if not good:
        return problem(CHECK, text, "raise RISK_USDT, or look whether this is the exchange that is meant")
    return ok(CHECK, text)


def _fault(
    symbol: str, listed: Mapping[str, Mapping[str, Any]], prices: Mapping[str, str], settings: Settings
) -> Finding | None:
    if symbol not in listed:
        return problem(CHECK, f"The exchange does not list {symbol}.", "take it out of SYMBOLS, or correct its name")
    try:
        instrument = instrument_from_exchange_info(listed[symbol])
    except MarketFault as fault:
        return problem(CHECK, f"{fault.detail}.", "take it out of SYMBOLS")
    if not instrument.tradable:
        state = f"{listed[symbol].get('contractType')} {listed[symbol].get('status')}"
        return problem(CHECK, f"{symbol} cannot be entered: it is {state}, or leaves soon.", "take it out of SYMBOLS")
    price = _price(prices.get(symbol))
    if price is None:
        return problem(CHECK, f"The exchange tells no price of {symbol}.", "try again, or take it out of SYMBOLS")
    least = smallest_order(price, instrument) * price
    if least > settings.risk_usdt:
        return problem(
            CHECK,
            f"The smallest order of {symbol} is worth {least.normalize():f} USDT, RISK_USDT is {settings.risk_usdt}.",
            f"raise RISK_USDT, or take {symbol} out of SYMBOLS",
        )
    return None


def _price(told: str | None) -> Decimal | None:
    try:
        price = Decimal(told or "")
    except DecimalException:
        return None
    return price if price.is_finite() and price > 0 else None
