"""Builds instruments with the filters a test is about."""

from decimal import Decimal

from withearth.domain.instrument import Instrument


def an_instrument(
    *,
    tick: str = "0.01",
    step: str = "0.001",
    min_qty: str | None = None,
    max_qty: str = "1000",
    min_notional: str = "5",
    max_price: str = "1000000",
) -> Instrument:
    """An instrument whose smallest quantity is one step, and whose smallest price is one tick."""
    return Instrument(
        symbol="BTCUSDT",
        tick_size=Decimal(tick),
        step_size=Decimal(step),
        min_qty=Decimal(min_qty or step),
        max_qty=Decimal(max_qty),
        min_notional=Decimal(min_notional),
        min_price=Decimal(tick),
        max_price=Decimal(max_price),
    )
