from decimal import Decimal
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders.books import a_book
from tests.builders.instruments import an_instrument
from withearth.domain.book import OrderBook
from withearth.domain.errors import Refused
from withearth.domain.instrument import Instrument
from withearth.domain.reasons import Reason
from withearth.domain.side import Side
from withearth.risk.sizing import Sizing, size, smallest_order
from withearth.settings import Settings, load_settings

REFUSALS = {Reason.MARGIN_TOO_SMALL, Reason.BELOW_MIN_QUANTITY, Reason.BELOW_MIN_NOTIONAL}

sides = st.sampled_from(Side)
steps = st.sampled_from(["0.001", "0.01", "0.1", "1", "10", "0.005"])
risks = st.sampled_from(["5", "20", "100", "2500"])
leverages = st.sampled_from(["1", "5", "20"])
entries = st.decimals("0.01", "100000", places=2)
quantities = st.decimals("0.001", "100000", places=3)


@cache
def _settings(risk: str = "100", leverage: str = "5") -> Settings:
    keys = {"RISK_USDT": risk, "LEVERAGE": leverage, "MAX_SPREAD_BPS": "2.0", "MAX_DEPTH_FRACTION": "0.10"}
    return load_settings(keys, env_file=None)


def _size(
    *,
    side: Side = Side.LONG,
    entry: str | Decimal = "100",
    book: OrderBook | None = None,
    margin: str | Decimal = "1000",
    instrument: Instrument | None = None,
    settings: Settings | None = None,
) -> Decimal:
    """A size on a spread of half of MAX_SPREAD_BPS: three quarters of RISK_USDT, unless something bounds it."""
    sizing = Sizing(side, Decimal(entry), book or a_book(), Decimal(margin))
    return size(sizing, instrument or an_instrument(), settings or _settings())


def _refusal(**changed: object) -> Reason:
    with pytest.raises(Refused) as refused:
        _size(**changed)  # type: ignore[arg-type]
    return refused.value.reason


@pytest.mark.parametrize(("spread_bps", "qty"), [("0.0002", "0.999"), ("1", "0.750"), ("1.5", "0.625"), ("2", "0.500")])
def test_a_wider_spread_makes_a_smaller_trade(spread_bps: str, qty: str) -> None:
    """From the whole of RISK_USDT without a spread down to half of it at MAX_SPREAD_BPS."""
    assert qty == str(_size(book=a_book(spread_bps=spread_bps)))


def test_a_spread_beyond_the_limit_makes_no_smaller_trade_than_half() -> None:
    """The gate refuses such a spread; the size does not turn negative for it."""
    assert _size(book=a_book(spread_bps="30")) == Decimal("0.5")


def test_a_trade_takes_no_more_than_its_share_of_the_depth() -> None:
    """A tenth of the ten levels that it would take: of 1 each at 100, that is 1 in all."""
    thin = a_book(ask_qty="0.5")

    assert Decimal("0.5") == _size(book=thin, entry="100")
    assert Decimal("0.75") == _size(book=thin, side=Side.SHORT)


def test_a_short_takes_from_the_bids() -> None:
    """The other side's depth does not matter."""
    thin = a_book(bid_qty="0.5")

    assert Decimal("0.499") == _size(book=thin, side=Side.SHORT)
    assert Decimal("0.75") == _size(book=thin, side=Side.LONG)


def test_only_ten_levels_count_as_depth() -> None:
    """What rests behind them is no help."""
    assert _size(book=a_book(ask_qty="0.5", levels=10)) == _size(book=a_book(ask_qty="0.5", levels=30))


def test_r17_margin_times_leverage_bounds_the_notional() -> None:
    """R17: whatever was predicted, 4 USDT at five times leverage carry 20 and not a cent more."""
    assert Decimal("0.2") == _size(margin="4")
    assert Decimal("0.08") == _size(margin="4", settings=_settings(leverage="2"))


def test_a_size_is_cut_down_to_the_step() -> None:
    """Never rounded up."""
    assert Decimal("0.7") == _size(instrument=an_instrument(step="0.1"))
    assert Decimal("0.24") == _size(entry="300", instrument=an_instrument(step="0.03"))


def test_a_size_is_at_most_the_largest_order() -> None:
    """LOT_SIZE's maxQty."""
    assert Decimal("0.4") == _size(instrument=an_instrument(max_qty="0.4"))


def test_a_size_below_the_smallest_order_is_raised_to_it() -> None:
    """75 wanted, 90 the least the exchange takes, 100 allowed."""
    assert Decimal("0.9") == _size(instrument=an_instrument(min_notional="90"))
    assert Decimal("0.8") == _size(instrument=an_instrument(min_qty="0.8"))


def test_a_smallest_order_worth_exactly_the_limit_is_taken() -> None:
    """RISK_USDT itself is allowed."""
    assert Decimal(1) == _size(instrument=an_instrument(min_notional="100"))


def test_a_smallest_order_above_the_limit_is_refused() -> None:
    """Rather no trade than one larger than RISK_USDT; the code says which filter asked for more."""
    assert Reason.BELOW_MIN_NOTIONAL is _refusal(instrument=an_instrument(min_notional="100.01"))
    assert Reason.BELOW_MIN_QUANTITY is _refusal(instrument=an_instrument(min_qty="1.001"))


def test_margin_that_does_not_carry_the_smallest_order_is_refused() -> None:
    """Orders start at 5 USDT, which needs 1 at five times leverage."""
    assert Reason.MARGIN_TOO_SMALL is _refusal(margin="0.9999")
    assert Decimal("0.05") == _size(margin="1")


def test_an_account_without_margin_is_refused() -> None:
    """Nothing free, nothing traded."""
    assert Reason.MARGIN_TOO_SMALL is _refusal(margin="0")


def test_an_instrument_whose_largest_order_is_worth_too_little_is_refused() -> None:
    """An order above maxQty is never sent to reach the minimum notional."""
    assert Reason.BELOW_MIN_NOTIONAL is _refusal(instrument=an_instrument(max_qty="0.5", min_notional="60"))


@pytest.mark.parametrize(
    ("price", "instrument", "qty"),
    [
        ("100", an_instrument(min_notional="5"), "0.050"),
        ("99.99", an_instrument(min_notional="5"), "0.051"),
        ("42000.1", an_instrument(min_notional="100"), "0.003"),
        ("100", an_instrument(min_notional="5", min_qty="0.2"), "0.2"),
        ("0.1", an_instrument(step="1", min_notional="5", max_qty="100000"), "50"),
        ("7", an_instrument(step="10", min_notional="5"), "10"),
    ],
)
def test_the_smallest_order_satisfies_both_filters(price: str, instrument: Instrument, qty: str) -> None:
    """The first quantity on the step that reaches LOT_SIZE and MIN_NOTIONAL, in plain digits."""
    assert qty == str(smallest_order(Decimal(price), instrument))


@given(
    st.tuples(sides, entries, steps, risks, leverages),
    st.decimals("0", "5000", places=2),
    st.tuples(quantities, st.decimals("0.01", "4", places=2)),
    st.tuples(st.sampled_from(["1", "5", "20", "100"]), st.sampled_from(["0.5", "300", "1000000"])),
)
def test_no_size_ever_breaks_a_limit(
    asked: tuple[Side, Decimal, str, str, str],
    margin: Decimal,
    depth: tuple[Decimal, Decimal],
    filters: tuple[str, str],
) -> None:
    """Refused under a documented code, or within risk, margin and every filter of the exchange."""
    (side, entry, step, risk, leverage), (qty_level, spread_bps), (min_notional, max_qty) = asked, depth, filters
    book = a_book(entry, spread_bps=spread_bps, bid_qty=qty_level, ask_qty=qty_level)
    instrument = an_instrument(step=step, min_notional=min_notional, max_qty=str(max(Decimal(max_qty), Decimal(step))))
    settings = _settings(risk, leverage)
    try:
        qty = _size(side=side, entry=entry, book=book, margin=margin, instrument=instrument, settings=settings)
    except Refused as refusal:
        if refusal.reason not in REFUSALS:
            raise
        return

    assert qty * entry <= settings.risk_usdt
    assert qty * entry <= margin * settings.leverage
    assert qty * entry >= instrument.min_notional
    assert instrument.min_qty <= qty <= instrument.max_qty
    assert qty % instrument.step_size == 0
    assert "E" not in str(qty)
    share = settings.max_depth_fraction * book.notional(side)
    assert qty * entry <= share or qty == smallest_order(entry, instrument)
