"""The doctor where real money is meant: the paper exchange stands in for Binance, and somebody for its spot API."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from requests import PreparedRequest, Response
from requests.adapters import BaseAdapter

from tests.builders.installation import settings_of
from tests.builders.trading import KEY, SYMBOL, World
from tests.pipeline.execution.test_live_venue import LIVE
from tests.unit.test_doctor import RIGHT
from withearth.doctor.checkup import Practice, checks_of
from withearth.doctor.findings import Finding, Verdict, is_safe
from withearth.doctor.running import run
from withearth.domain.times import to_ms
from withearth.paper.faults import Fault, FaultKind
from withearth.paper.transport import PaperTransport


class Binance(BaseAdapter):
    """Both of Binance's addresses, and every request that was made."""

    def __init__(self, world: World, permissions: dict[str, Any]) -> None:
        super().__init__()
        self._futures = PaperTransport(world.face, faults=world.faults)
        self._permissions = permissions
        self.asked: list[PreparedRequest] = []

    def send(self, request: PreparedRequest, *_: Any, **options: Any) -> Response:
        """Answer for the spot API, and let the paper exchange answer for futures."""
        self.asked.append(request)
        if urlsplit(str(request.url)).hostname != "api.binance.com":
            return self._futures.send(request, **options)
        answer = Response()
        answer.status_code, answer._content = 200, json.dumps(self._permissions).encode()
        return answer

    def close(self) -> None:
        """Nothing to close."""


def examined(tmp_path: Path, world: World, **permissions: Any) -> tuple[list[Finding], Binance]:
    """What the doctor finds with these rights, and what it asked."""
    binance = Binance(world, RIGHT | permissions)
    settings = settings_of(tmp_path, **LIVE | {"SYMBOLS": SYMBOL})
    return run(checks_of(Practice(settings, world, binance))), binance


def wrong(found: list[Finding]) -> dict[str, str]:
    """The problems, by their check."""
    return {each.check: each.text for each in found if each.verdict is Verdict.PROBLEM}


def test_a_live_account_that_is_set_up_well_is_safe(tmp_path: Path) -> None:
    """Every question is asked of the right address, signed where it has to be, and none of them changes anything."""
    world = World()
    found, binance = examined(tmp_path, world)

    assert is_safe(found), wrong(found)
    assert {"GET"} == {each.method for each in binance.asked}
    assert {urlsplit(str(each.url)).hostname for each in binance.asked} == {"fapi.binance.com", "api.binance.com"}
    [asked] = [each for each in binance.asked if "apiRestrictions" in str(each.url)]
    query, _, signature = urlsplit(str(asked.url)).query.partition("&signature=")
    assert signature == hmac.new(KEY.encode(), query.encode(), hashlib.sha256).hexdigest()
    assert parse_qs(query)["timestamp"] == [str(to_ms(world.now()))]
    assert asked.headers["X-MBX-APIKEY"] == KEY


@pytest.mark.parametrize("right", ["enableWithdrawals", "enableReading", "enableFutures", "ipRestrict"])
def test_a_key_with_a_wrong_right_is_never_safe(tmp_path: Path, right: str) -> None:
    """One right that is not as it should be is enough."""
    found, _ = examined(tmp_path, World(), **{right: not RIGHT[right]})

    assert set(wrong(found)) == {"permissions"}


def test_an_account_in_another_mode_is_a_problem(tmp_path: Path) -> None:
    """Hedge mode, where the settings say one-way."""
    world = World()
    world.exchange.set_position_mode(world.account, dual_side=True)
    found, _ = examined(tmp_path, world)

    assert set(wrong(found)) == {"account"}
    assert "POSITION_MODE" in wrong(found)["account"]


def test_a_ban_is_told_by_whom_it_meets_and_hides_nothing_else(tmp_path: Path) -> None:
    """What the exchange does not say is no verdict on the symbols; key, books and disk are looked at all the same."""
    world = World()
    world.faults.add(Fault(FaultKind.BANNED, times=100))
    found, _ = examined(tmp_path, world)

    assert set(wrong(found)) == {"exchange", "clock", "instruments", "account"}
    assert "HTTP 418" in wrong(found)["exchange"]
    assert "did not tell (HTTP 418)" in wrong(found)["instruments"]
    assert {"store", "bus", "disk", "key", "permissions"} <= {each.check for each in found}
