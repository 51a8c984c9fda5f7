from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.market_files import listed
from withearth.domain.errors import MarketFault
from withearth.domain.instrument import Instrument, instrument_from_exchange_info, is_tradable
from withearth.domain.reasons import Reason

TICKS = ["0.1", "0.01", "0.05", "0.00001", "1", "10", "0.25"]

ticks = st.sampled_from(TICKS)
prices = st.decimals("0", "1000000", places=8)


def _instrument(*, tick: str = "0.1", step: str = "0.001") -> Instrument:
    return instrument_from_exchange_info(listed("BTCUSDT", tick=tick, step=step))


def _without(filter_type: str) -> dict[str, Any]:
    entry = listed("BTCUSDT")
    return entry | {"filters": [each for each in entry["filters"] if each["filterType"] != filter_type]}


@given(prices, ticks)
def test_rounding_a_price_stays_within_a_tick_on_its_side(price: Decimal, tick: str) -> None:
    """Down is at or below and up at or above, both on the grid and less than a tick away."""
    instrument = _instrument(tick=tick)
    down, up = instrument.price_down(price), instrument.price_up(price)

    assert down <= price <= up
    assert price - down < instrument.tick_size
    assert up - price < instrument.tick_size
    assert down % instrument.tick_size == up % instrument.tick_size == 0


@given(prices, ticks)
def test_rounding_twice_changes_nothing(price: Decimal, tick: str) -> None:
    """A valid price is its own rounding, in both directions."""
    instrument = _instrument(tick=tick)
    down = instrument.price_down(price)

    assert down == instrument.price_down(down) == instrument.price_up(down)


@given(prices, ticks)
def test_a_quantity_is_only_ever_rounded_down(qty: Decimal, step: str) -> None:
    """An order is never larger than what was sized."""
    instrument = _instrument(step=step)
    down = instrument.qty_down(qty)

    assert qty - instrument.step_size < down <= qty
    assert down % instrument.step_size == 0


@given(prices, ticks)
def test_a_rounded_number_is_written_without_an_exponent(price: Decimal, tick: str) -> None:
    """The exchange reads plain decimals, so nothing becomes 1E+1 or 0E-8."""
    assert "E" not in str(_instrument(tick=tick).price_down(price))


@pytest.mark.parametrize(
    ("price", "taken"), [("100", True), ("100.1", True), ("100.05", False), ("0.05", False), ("1000000.1", False)]
)
def test_takes_price_knows_grid_and_range(price: str, taken: bool) -> None:
    """A price is valid on the grid, from the least to the greatest price."""
    assert taken is _instrument(tick="0.1").takes_price(Decimal(price))


@pytest.mark.parametrize(
    ("told", "tick"), [("0.10", "0.1"), ("0.0100", "0.01"), ("1", "1"), ("10", "10"), ("1.0", "1")]
)
def test_tick_and_step_come_from_the_filters_without_padding(told: str, tick: str) -> None:
    """`0.10` is the tick 0.1; the precisions of exchangeInfo are something else and not read."""
    entry = listed("BTCUSDT", tick=told) | {"pricePrecision": 2, "quantityPrecision": 0}

    assert tick == str(instrument_from_exchange_info(entry).tick_size)


def test_no_more_is_entered_than_leaves_at_the_market_at_once() -> None:
    """A stop and an exit are market orders, of which the exchange takes less than of a limit order."""
    assert Decimal(100) == instrument_from_exchange_info(listed("BTCUSDT")).max_qty


@pytest.mark.parametrize(
    "entry",
    [
        listed("BTCUSDT") | {"contractType": "CURRENT_QUARTER"},
        {"symbol": "BTCUSDT"},
        {},
        _without("PRICE_FILTER"),
        _without("LOT_SIZE"),
        _without("MARKET_LOT_SIZE"),
        _without("MIN_NOTIONAL"),
    ],
)
def test_what_is_no_perpetual_is_unknown(entry: dict[str, Any]) -> None:
    """Only perpetuals with all their filters become instruments."""
    with pytest.raises(MarketFault) as fault:
        instrument_from_exchange_info(entry)

    assert Reason.INSTRUMENT_UNKNOWN is fault.value.reason


@pytest.mark.parametrize("unit", ["0", "-0.1", "NaN", "Infinity", "dear", None])
@pytest.mark.parametrize("name", ["tick", "step"])
def test_a_unit_that_nothing_is_a_multiple_of_is_none(name: str, unit: Any) -> None:
    """Rounding to it would be an error in the middle of a decision."""
    with pytest.raises(MarketFault) as fault:
        instrument_from_exchange_info(listed("BTCUSDT", **{name: unit}))

    assert Reason.INSTRUMENT_UNKNOWN is fault.value.reason


@pytest.mark.parametrize(
    ("change", "tradable"),
    [
        ({}, True),
        ({"quoteAsset": "USDC", "marginAsset": "USDC"}, True),
        ({"quoteAsset": "USDT", "marginAsset": "USDC"}, False),
        ({"quoteAsset": "BTC", "marginAsset": "BTC"}, False),
        ({"status": "SETTLING"}, False),
        ({"status": "PENDING_TRADING"}, False),
        ({"deliveryDate": 1_800_000_000_000}, False),
        ({"underlyingType": "EQUITY"}, False),
        ({"underlyingType": "PREMARKET"}, False),
        ({"contractType": "TRADIFI_PERPETUAL"}, False),
        ({"contractType": "PERPETUAL DELIVERING"}, False),
    ],
)
def test_only_what_stays_and_asks_for_no_agreement_is_tradable(change: dict[str, Any], tradable: bool) -> None:
    """A coin's perpetual in USDT or USDC that trades, with no end announced."""
    assert tradable is is_tradable(listed("BTCUSDT") | change)


def test_a_symbol_that_leaves_keeps_its_filters() -> None:
    """What is open in it is still managed to its end."""
    leaving = instrument_from_exchange_info(listed("BTCUSDT", status="SETTLING"))

    assert not leaving.tradable
    assert leaving.tick_size == instrument_from_exchange_info(listed("BTCUSDT")).tick_size
