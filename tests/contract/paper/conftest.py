"""The paper exchange under contract: reached by the official SDK in process, and by other clients over loopback."""

from collections.abc import Iterator

import pytest

from tests.builders.paper import HttpVenue, Venue, serve


@pytest.fixture
def venue(monkeypatch: pytest.MonkeyPatch) -> Venue:
    """The SDK on an exchange whose clock stands still, and which is also the client's clock."""
    opened = Venue()
    # The SDK's one way to another clock: it looks this function up for every request.
    monkeypatch.setattr("binance_common.utils.get_timestamp", opened.client_ms)
    return opened


@pytest.fixture
def http_venue() -> Iterator[HttpVenue]:
    """An exchange behind a port of its own."""
    with serve() as opened:
        yield opened
