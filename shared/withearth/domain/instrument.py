"""An instrument's filters, and the only rounding this system does on prices and quantities.

Rules: the exchange's `exchangeInfo` filters PRICE_FILTER, LOT_SIZE, MARKET_LOT_SIZE, MIN_NOTIONAL, PERCENT_PRICE.
`pricePrecision` and `quantityPrecision` are not tick and step, and are not used.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, Final

from withearth.domain.errors import MarketFault
from withearth.domain.reasons import Reason

NEVER_MS: Final = 4_133_404_800_000
"""The delivery date of what is not delivered: the end of the year 2100."""
QUOTE_ASSETS: Final = frozenset({"USDT", "USDC"})
PERPETUALS: Final = frozenset({"PERPETUAL", "PERPETUAL DELIVERING"})


@dataclass(frozen=True, slots=True)
class Instrument:
    """What the exchange accepts for one symbol. Prices in the quote asset, quantities in the base asset."""

    symbol: str
    tick_size: Decimal
    step_size: Decimal
    min_qty: Decimal
    max_qty: Decimal
    """The largest order, also at the market, where most often less may go at once: what is entered has to come out."""
    min_notional: Decimal
    min_price: Decimal
    max_price: Decimal
    band: tuple[Decimal, Decimal] | None = None
    """PERCENT_PRICE: the lowest and the highest price taken, as multiples of the mark price."""
    tradable: bool = True
    """Whether it may be entered; a symbol that leaves the exchange is still managed to its end."""

    def price_down(self, price: Decimal) -> Decimal:
        """The highest valid price at or below `price`."""
        return _to_multiple(price, self.tick_size, ROUND_FLOOR)

    def price_up(self, price: Decimal) -> Decimal:
        """The lowest valid price at or above `price`."""
        return _to_multiple(price, self.tick_size, ROUND_CEILING)

    def qty_down(self, qty: Decimal) -> Decimal:
        """The largest valid quantity at or below `qty`."""
        return _to_multiple(qty, self.step_size, ROUND_FLOOR)

    def qty_up(self, qty: Decimal) -> Decimal:
        """The smallest valid quantity at or above `qty`."""
        return _to_multiple(qty, self.step_size, ROUND_CEILING)

    def within_band(self, price: Decimal, mark: Decimal) -> bool:
        """Whether PERCENT_PRICE accepts the price beside this mark price; the exchange looks at one side only."""
        return self.band is None or self.band[0] * mark <= price <= self.band[1] * mark

    def takes_price(self, price: Decimal) -> bool:
        """Whether PRICE_FILTER accepts the price."""
        return self.min_price <= price <= self.max_price and price % self.tick_size == 0


def _to_multiple(value: Decimal, unit: Decimal, rounding: str) -> Decimal:
    return ((value / unit).to_integral_value(rounding=rounding) * unit).quantize(unit)


def is_tradable(entry: Mapping[str, Any]) -> bool:
    """Whether an element of `exchangeInfo.symbols` is a perpetual that anybody may enter, with no end announced.

    Stocks, commodities, indices and what is not launched yet are not COIN, and the first two ask for an agreement. An
    earlier delivery date than for ever announces that the symbol leaves.
    """
    return (
        entry.get("status") == "TRADING"
        and entry.get("contractType") == "PERPETUAL"
        and entry.get("underlyingType") == "COIN"
        and entry.get("quoteAsset") == entry.get("marginAsset")
        and entry.get("quoteAsset") in QUOTE_ASSETS
        and entry.get("deliveryDate") == NEVER_MS
    )


def instrument_from_exchange_info(entry: Mapping[str, Any]) -> Instrument:
    """Read one element of `exchangeInfo.symbols`, in whatever state the perpetual is.

    Raises MarketFault with INSTRUMENT_UNKNOWN when it is no perpetual or lacks a filter.
    """
    symbol = str(entry.get("symbol", ""))
    if entry.get("contractType") not in PERPETUALS:
        raise MarketFault(Reason.INSTRUMENT_UNKNOWN, f"{symbol} is {entry.get('contractType')}, no perpetual of ours")
    try:
        filters = {each["filterType"]: each for each in entry["filters"]}
        price, lot, notional = filters["PRICE_FILTER"], filters["LOT_SIZE"], filters["MIN_NOTIONAL"]
        return Instrument(
            symbol=symbol,
            tick_size=_unit(price["tickSize"]),
            step_size=_unit(lot["stepSize"]),
            min_qty=_plain(lot["minQty"]),
            max_qty=min(_plain(each["maxQty"]) for each in (lot, filters["MARKET_LOT_SIZE"])),
            min_notional=_plain(notional["notional"]),
            min_price=_plain(price["minPrice"]),
            max_price=_plain(price["maxPrice"]),
            band=_band(filters.get("PERCENT_PRICE")),
            tradable=is_tradable(entry),
        )
    except (KeyError, TypeError, ValueError, ArithmeticError) as error:
        raise MarketFault(Reason.INSTRUMENT_UNKNOWN, f"{symbol} has filters that cannot be read: {error!r}") from error


def _band(percent: Mapping[str, Any] | None) -> tuple[Decimal, Decimal] | None:
    if percent is None:
        return None
    return _plain(percent["multiplierDown"]), _plain(percent["multiplierUp"])


def _unit(text: str) -> Decimal:
    """What prices or quantities are multiples of. Raises ValueError for nothing, of which there are no multiples."""
    unit = _plain(text)
    if unit <= 0:
        raise ValueError(f"a unit of {text}")
    return unit


def _plain(text: str) -> Decimal:
    """A decimal without trailing zeros and never in exponent form: `0.10` is the tick 0.1, `10` stays 10."""
    value = Decimal(text).normalize()
    if not value.is_finite():
        raise ValueError(f"{text} is no number")
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value
