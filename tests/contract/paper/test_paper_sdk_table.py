"""The table of endpoints beside the official SDK: the same paths, verbs and security, and answers its models take."""

import json
from typing import Final

import pytest
from binance_common import utils

from tests.builders.paper import BTC, Venue, data_dir, wire_dir
from tests.contract.paper.calls import PRIVATE, PUBLIC
from tests.contract.paper.recordings import NO_DATA, RECORDINGS
from withearth.paper.assembly import recorded_listing
from withearth.paper.wire.endpoints import TABLE
from withearth.paper.wire.security import Security

CALLS: Final = {**PUBLIC, **PRIVATE}


def test_every_endpoint_is_one_of_the_sdks() -> None:
    """Path, verb and whether it is signed are those of the SDK's own tests."""
    directory = wire_dir()
    if directory is None:
        pytest.skip(NO_DATA)
    index = json.loads((directory / "connector_python" / "rest" / "_index.json").read_text())
    signed = {(each["http"], each["path"]): each["signed"] for each in index}
    here = {endpoint: each.security is Security.SIGNED for endpoint, each in TABLE.items()}

    assert here.items() <= signed.items()


@pytest.mark.parametrize("name", CALLS)
def test_the_sdks_models_take_every_answer(venue: Venue, name: str) -> None:
    """A field of another type than the SDK's would loosen its model for the rest of the process."""
    venue.rest.start_user_data_stream()
    venue.rest.new_order(symbol=BTC, side="BUY", type="MARKET", quantity="0.010")
    venue.rest.new_order(symbol=BTC, side="BUY", type="LIMIT", quantity="0.010", price="45000", time_in_force="GTC")
    before = set(utils._relaxed_models)
    data = CALLS[name](venue.rest).data()

    assert not isinstance(data, dict)
    assert before == utils._relaxed_models


def test_a_recorded_listing_is_told_as_it_was_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Symbols, filters and brackets of the live exchange come back word for word."""
    directory = data_dir()
    if directory is None:
        pytest.skip(NO_DATA)
    symbols = (BTC, "ETHUSDT", "1000PEPEUSDT")
    venue = Venue(recorded_listing(directory / "market", symbols))
    monkeypatch.setattr("binance_common.utils.get_timestamp", venue.client_ms)
    venue.rest.exchange_information()
    told = {each["symbol"]: each for each in venue.answer["symbols"]}
    venue.rest.notional_and_leverage_brackets(symbol=BTC)

    recorded = {each["symbol"]: each for each in RECORDINGS["exchangeInfo"].answer()["symbols"]}
    assert {symbol: recorded[symbol] for symbol in symbols} == told
    assert venue.answer == [each for each in RECORDINGS["leverageBracket"].answer() if each["symbol"] == BTC]
