from decimal import Decimal

import pytest

from tests.builders.terms import long_terms, short_terms
from withearth.domain.instrument import Instrument
from withearth.domain.reasons import Reason
from withearth.execution.entry import Touch, entry_fault, limit_price
from withearth.execution.record import Terms

INSTRUMENT = Instrument(
    symbol="BTCUSDT",
    tick_size=Decimal("0.1"),
    step_size=Decimal("0.001"),
    min_qty=Decimal("0.001"),
    max_qty=Decimal(100),
    min_notional=Decimal(5),
    min_price=Decimal(1),
    max_price=Decimal(1000),
    band=(Decimal("0.95"), Decimal("1.05")),
)
MARKET = Touch(Decimal("99.9"), Decimal("100.1"))


def price(terms: Terms, *, crosses: bool = False, slippage_bps: str = "20", touch: Touch = MARKET) -> Decimal:
    """The limit price in a market around 100."""
    return limit_price(terms, touch, INSTRUMENT, Decimal(slippage_bps), crosses=crosses)


def test_an_entry_rests_on_its_own_side_first() -> None:
    """A long at the best bid, a short at the best ask; crossing, the other way round."""
    assert (Decimal("99.9"), Decimal("100.1")) == (price(long_terms()), price(short_terms()))
    assert (Decimal("100.1"), Decimal("99.9")) == (
        price(long_terms(), crosses=True),
        price(short_terms(), crosses=True),
    )


def test_an_entry_never_pays_more_than_the_slippage() -> None:
    """With the market gone, the price stays within the slippage of the intent's entry, rounded to rest."""
    gone_up, gone_down = Touch(Decimal(103), Decimal(104)), Touch(Decimal(96), Decimal(97))

    assert Decimal("100.2") == price(long_terms(), touch=gone_up)
    assert Decimal("99.8") == price(short_terms(), touch=gone_down)
    assert Decimal("100.0") == price(long_terms(), touch=gone_up, slippage_bps="9")


@pytest.mark.parametrize(
    ("bid", "ask", "fault"),
    [
        ("99.9", "100.1", None),
        ("98", "98.2", Reason.LEVELS_OVERTAKEN),
        ("97", "97.2", Reason.LEVELS_OVERTAKEN),
        ("104", "104.2", Reason.LEVELS_OVERTAKEN),
        ("98.1", "98.2", Reason.STOP_TOO_CLOSE),
        ("98.2", "98.3", None),
        ("98.5", "99.5", Reason.STOP_TOO_CLOSE),
    ],
)
def test_r12_a_stop_that_would_go_off_at_once_is_refused_before_the_entry(
    bid: str, ask: str, fault: Reason | None
) -> None:
    """R12: a stop at 98 is validated against the market, the tick and the spread, and the trade refused instead."""
    assert entry_fault(long_terms(), Touch(Decimal(bid), Decimal(ask)), INSTRUMENT) is fault


def test_r12_a_short_mirrors_it() -> None:
    """R12: for a short the stop is above the market."""
    assert entry_fault(short_terms(), MARKET, INSTRUMENT) is None
    assert entry_fault(short_terms(), Touch(Decimal("101.8"), Decimal("101.9")), INSTRUMENT) is Reason.STOP_TOO_CLOSE
    assert entry_fault(short_terms(), Touch(Decimal(95), Decimal(96)), INSTRUMENT) is Reason.LEVELS_OVERTAKEN


def test_r12_a_price_outside_the_exchange_s_band_is_refused_before_the_entry() -> None:
    """R12: entry and stop lie within PERCENT_PRICE of the market."""
    assert entry_fault(long_terms(sl=Decimal(94)), MARKET, INSTRUMENT) is Reason.PRICE_BAND
    assert entry_fault(short_terms(sl=Decimal(106)), MARKET, INSTRUMENT) is Reason.PRICE_BAND
