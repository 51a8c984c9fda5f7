import json
from decimal import Decimal

import pytest

from tests.recorded import market_dir
from withearth.domain.instrument import Instrument
from withearth.paper.engine.instruments import PaperInstrument, listed_instruments, made_up_instrument


@pytest.fixture(scope="module")
def recorded() -> dict[str, PaperInstrument]:
    """Every symbol of the recorded exchangeInfo, with its brackets and funding interval."""
    directory = market_dir()
    if directory is None:
        pytest.skip("no recorded market data on this machine")
    api = directory / "api" / "recorded"
    return listed_instruments(
        json.loads((api / "2026-07-04T1556Z" / "fapi-v1-exchangeInfo.json").read_bytes()),
        json.loads((api / "2026-05-07" / "fapi-v1-leverageBracket.json").read_bytes()),
        json.loads((api / "2026-07-04T1556Z" / "fapi-v1-fundingInfo.json").read_bytes()),
    )


def test_every_recorded_symbol_can_be_read(recorded: dict[str, PaperInstrument]) -> None:
    """All 820, whatever their state, with the exchange's own entry kept."""
    bitcoin = recorded["BTCUSDT"]

    assert 820 == len(recorded)
    assert (Decimal(120), Decimal(1000)) == (bitcoin.market_max_qty, bitcoin.max_qty)
    assert (150, Decimal(300_000)) == (bitcoin.max_leverage, bitcoin.max_notional(150))
    assert "POSITION_RISK_CONTROL" in {each["filterType"] for each in bitcoin.raw["filters"]}
    assert 4 == recorded["LPTUSDT"].funding_interval_hours


def test_maintenance_margin_never_jumps(recorded: dict[str, PaperInstrument]) -> None:
    """At the edge of two brackets both say the same, which is what lets time be skipped safely."""
    for each in recorded.values():
        for low, high in zip(each.brackets, each.brackets[1:], strict=False):
            jump = abs(low.cap * low.rate - low.cum - (low.cap * high.rate - high.cum))

            assert jump <= low.cap * Decimal("0.0001"), each.symbol


def test_a_made_up_listing_has_everything_a_recorded_one_has(recorded: dict[str, PaperInstrument]) -> None:
    """The wire can echo it as it is."""
    bitcoin = recorded["BTCUSDT"]
    made_up = made_up_instrument(
        Instrument(
            symbol="NEWUSDT",
            tick_size=Decimal("0.01"),
            step_size=Decimal(1),
            min_qty=Decimal(1),
            max_qty=Decimal(1000),
            min_notional=Decimal(5),
            min_price=Decimal("0.01"),
            max_price=Decimal(100_000),
        )
    )

    assert set(bitcoin.raw) == set(made_up.raw)
    assert (2, 0, "NEW") == (made_up.price_precision, made_up.quantity_precision, made_up.base_asset)
    assert made_up.brackets
    assert [each["filterType"] for each in made_up.raw["filters"]] == [
        each["filterType"] for each in bitcoin.raw["filters"]
    ]


def test_one_symbol_can_be_picked(recorded: dict[str, PaperInstrument]) -> None:
    """A replay lists only what it replays."""
    listed = {"symbols": [each.raw for each in recorded.values()]}

    assert ["ETHUSDT"] == list(listed_instruments(listed, only=["ETHUSDT"]))
