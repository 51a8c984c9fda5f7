"""What the exchange says of one symbol: filters, fees, leverage brackets.

Made from the exchange's own answers (`exchangeInfo`, `leverageBracket`, `fundingInfo`), or for a symbol that exists
only here. `raw` and `raw_brackets` keep the wire's own words.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from withearth.domain.instrument import Instrument

MAKER_FEE: Final = Decimal("0.0002")
TAKER_FEE: Final = Decimal("0.0005")
_PERPETUAL_DELIVERY_MS: Final = 4_133_404_800_000
_TRADING: Final = "TRADING"


@dataclass(frozen=True, slots=True)
class Bracket:
    """One step of the margin table: up to `cap` of notional at most `leverage`, `rate` × notional − `cum` is held."""

    number: int
    leverage: int
    floor: Decimal
    cap: Decimal
    rate: Decimal
    cum: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperInstrument:
    """One symbol. Prices in the quote asset, quantities in the base asset, bands as factors of the mark price."""

    symbol: str
    base_asset: str
    quote_asset: str
    margin_asset: str
    status: str
    tick_size: Decimal
    min_price: Decimal
    max_price: Decimal
    price_precision: int
    quantity_precision: int
    step_size: Decimal
    min_qty: Decimal
    max_qty: Decimal
    market_step_size: Decimal
    market_min_qty: Decimal
    market_max_qty: Decimal
    min_notional: Decimal
    multiplier_up: Decimal
    multiplier_down: Decimal
    max_num_orders: int
    trigger_protect: Decimal
    market_take_bound: Decimal
    liquidation_fee: Decimal
    max_modifications: int = 10_000
    funding_interval_hours: int = 8
    maker_fee: Decimal = MAKER_FEE
    taker_fee: Decimal = TAKER_FEE
    brackets: tuple[Bracket, ...] = ()
    raw: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)
    raw_brackets: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)

    @property
    def is_trading(self) -> bool:
        """Whether new positions may be opened."""
        return self.status == _TRADING

    @property
    def max_leverage(self) -> int:
        """The leverage of the smallest bracket."""
        return self.brackets[0].leverage

    def max_notional(self, leverage: int) -> Decimal:
        """The largest position that `leverage` may carry."""
        return max(bracket.cap for bracket in self.brackets if bracket.leverage >= leverage)

    def bracket_of(self, notional: Decimal) -> Bracket:
        """The bracket a position of this size stands in; the last one has no end."""
        for bracket in self.brackets:
            if notional <= bracket.cap:
                return bracket
        return self.brackets[-1]

    def maintenance(self, notional: Decimal) -> Decimal:
        """The margin below which a position of this size is liquidated."""
        bracket = self.bracket_of(notional)
        return notional * bracket.rate - bracket.cum


def paper_instrument(
    listed: Mapping[str, Any], leverage: Mapping[str, Any] | None = None, *, funding_interval_hours: int = 8
) -> PaperInstrument:
    """Read one element of `exchangeInfo.symbols` and, where it is known, one of `leverageBracket`.

    Without brackets the symbol gets made-up ones. Raises KeyError or ArithmeticError when a filter is missing or
    unreadable.
    """
    filters = {each["filterType"]: each for each in listed["filters"]}
    price, lot, market = filters["PRICE_FILTER"], filters["LOT_SIZE"], filters["MARKET_LOT_SIZE"]
    percent = filters["PERCENT_PRICE"]
    raw_brackets = dict(leverage) if leverage else _made_up_brackets(listed["symbol"])
    return PaperInstrument(
        symbol=listed["symbol"],
        base_asset=listed["baseAsset"],
        quote_asset=listed["quoteAsset"],
        margin_asset=listed["marginAsset"],
        status=listed["status"],
        tick_size=_plain(price["tickSize"]),
        min_price=_plain(price["minPrice"]),
        max_price=_plain(price["maxPrice"]),
        price_precision=int(listed["pricePrecision"]),
        quantity_precision=int(listed["quantityPrecision"]),
        step_size=_plain(lot["stepSize"]),
        min_qty=_plain(lot["minQty"]),
        max_qty=_plain(lot["maxQty"]),
        market_step_size=_plain(market["stepSize"]),
        market_min_qty=_plain(market["minQty"]),
        market_max_qty=_plain(market["maxQty"]),
        min_notional=_plain(filters["MIN_NOTIONAL"]["notional"]),
        multiplier_up=_plain(percent["multiplierUp"]),
        multiplier_down=_plain(percent["multiplierDown"]),
        max_num_orders=int(filters["MAX_NUM_ORDERS"]["limit"]),
        trigger_protect=_plain(listed["triggerProtect"]),
        market_take_bound=_plain(listed["marketTakeBound"]),
        liquidation_fee=_plain(listed["liquidationFee"]),
        max_modifications=int(listed.get("maxMoveOrderLimit", 10_000)),
        funding_interval_hours=funding_interval_hours,
        brackets=_brackets(raw_brackets["brackets"]),
        raw=dict(listed),
        raw_brackets=raw_brackets,
    )


def made_up_instrument(instrument: Instrument, *, base_asset: str | None = None) -> PaperInstrument:
    """A listing for a symbol that is not in `exchangeInfo`: the given filters, everything else as on most symbols."""
    symbol = instrument.symbol
    lot = {
        "minQty": _text(instrument.min_qty),
        "maxQty": _text(instrument.max_qty),
        "stepSize": _text(instrument.step_size),
    }
    price = {
        "minPrice": _text(instrument.min_price),
        "maxPrice": _text(instrument.max_price),
        "tickSize": _text(instrument.tick_size),
    }
    return paper_instrument(
        {
            "symbol": symbol,
            "pair": symbol,
            "contractType": "PERPETUAL",
            "deliveryDate": _PERPETUAL_DELIVERY_MS,
            "onboardDate": 1_569_398_400_000,
            "status": _TRADING,
            "maintMarginPercent": "2.5000",
            "requiredMarginPercent": "5.0000",
            "baseAsset": base_asset or symbol.removesuffix("USDT"),
            "quoteAsset": "USDT",
            "marginAsset": "USDT",
            "pricePrecision": decimals(instrument.tick_size),
            "quantityPrecision": decimals(instrument.step_size),
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "underlyingType": "COIN",
            "underlyingSubType": [],
            "triggerProtect": "0.1500",
            "liquidationFee": "0.015000",
            "marketTakeBound": "0.15",
            "maxMoveOrderLimit": 10_000,
            "filters": [
                {"filterType": "PRICE_FILTER", **price},
                {"filterType": "LOT_SIZE", **lot},
                {"filterType": "MARKET_LOT_SIZE", **lot},
                {"filterType": "MAX_NUM_ORDERS", "limit": 200},
                {"filterType": "MIN_NOTIONAL", "notional": _text(instrument.min_notional)},
                {
                    "filterType": "PERCENT_PRICE",
                    "multiplierUp": "1.1500",
                    "multiplierDown": "0.8500",
                    "multiplierDecimal": "4",
                },
                {"filterType": "POSITION_RISK_CONTROL", "positionControlSide": "NONE"},
            ],
            "orderTypes": [
                "LIMIT",
                "MARKET",
                "STOP",
                "STOP_MARKET",
                "TAKE_PROFIT",
                "TAKE_PROFIT_MARKET",
                "TRAILING_STOP_MARKET",
            ],
            "timeInForce": ["GTC", "IOC", "FOK", "GTX", "GTD"],
            "permissionSets": ["GRID", "COPY", "DCA", "PSB"],
        }
    )


def listed_instruments(
    exchange_info: Mapping[str, Any],
    leverage_brackets: Sequence[Mapping[str, Any]] = (),
    funding_info: Sequence[Mapping[str, Any]] = (),
    *,
    only: Iterable[str] | None = None,
) -> dict[str, PaperInstrument]:
    """Every readable symbol of a recorded `exchangeInfo`, with its brackets and funding interval where recorded."""
    wanted = None if only is None else set(only)
    brackets = {each["symbol"]: each for each in leverage_brackets}
    hours = {each["symbol"]: int(each["fundingIntervalHours"]) for each in funding_info}
    return {
        symbol: paper_instrument(each, brackets.get(symbol), funding_interval_hours=hours.get(symbol, 8))
        for each in exchange_info["symbols"]
        if wanted is None or each["symbol"] in wanted
        for symbol in (each["symbol"],)
    }


# (leverage, cap, maintenance rate): the shape most symbols have.
_MADE_UP: Final = (
    (75, 5_000, "0.010"),
    (50, 50_000, "0.015"),
    (25, 400_000, "0.020"),
    (20, 1_000_000, "0.025"),
    (10, 4_000_000, "0.050"),
    (5, 10_000_000, "0.100"),
    (4, 15_000_000, "0.125"),
    (2, 30_000_000, "0.250"),
    (1, 50_000_000, "0.500"),
)


def _made_up_brackets(symbol: str) -> dict[str, Any]:
    brackets: list[dict[str, Any]] = []
    floor, cum, before = 0, Decimal(0), Decimal(0)
    for number, (leverage, cap, text) in enumerate(_MADE_UP, 1):
        rate = Decimal(text)
        cum += floor * (rate - before)
        brackets.append(
            {
                "bracket": number,
                "initialLeverage": leverage,
                "notionalCap": cap,
                "notionalFloor": floor,
                "maintMarginRatio": float(rate),
                "cum": float(cum),
            }
        )
        floor, before = cap, rate
    return {"symbol": symbol, "brackets": brackets}


def _brackets(rows: Iterable[Mapping[str, Any]]) -> tuple[Bracket, ...]:
    return tuple(
        Bracket(
            number=int(row["bracket"]),
            leverage=int(row["initialLeverage"]),
            floor=Decimal(str(row["notionalFloor"])),
            cap=Decimal(str(row["notionalCap"])),
            rate=Decimal(str(row["maintMarginRatio"])),
            cum=Decimal(str(row["cum"])),
        )
        for row in rows
    )


def _plain(text: str) -> Decimal:
    value = Decimal(text).normalize()
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value


def _text(value: Decimal) -> str:
    return format(value, "f")


def decimals(unit: Decimal) -> int:
    """How many places a number has behind its point."""
    return max(0, -int(unit.normalize().as_tuple().exponent))
