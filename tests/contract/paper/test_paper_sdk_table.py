"""The table of endpoints beside the official SDK: the same paths, verbs and security, and answers its models take."""

import json
from typing import Final

import pytest
from binance_common import utils

from tests.builders.paper import BTC, Venue, wire_dir
from tests.contract.paper.recordings import NO_DATA
from tests.contract.paper.test_paper_sdk_account import CALLS as ACCOUNT_CALLS
from tests.contract.paper.test_paper_sdk_market import CALLS as MARKET_CALLS
from withearth.paper.wire.endpoints import TABLE
from withearth.paper.wire.security import Security

CALLS: Final = MARKET_CALLS | ACCOUNT_CALLS


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
    data = CALLS[name](venue.rest).data()

    assert not isinstance(data, dict)
    assert utils._relaxed_models == set()
