import json
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
import requests
from typer.testing import CliRunner

from tests.builders.wire import BTC, NOON_MS
from withearth.cli import paper
from withearth.cli.app import app
from withearth.domain.errors import Misconfigured
from withearth.domain.times import from_ms
from withearth.local.clocks import VirtualClock
from withearth.market.synthetic import SyntheticMarket
from withearth.market.synthetic_listing import listing_of
from withearth.paper.assembly import PaperAccount, assemble_exchange, invented_listing, recorded_listing
from withearth.paper.engine.instruments import made_up_instrument


def test_it_serves_until_it_is_stopped(tmp_path: Path) -> None:
    """The command prints its base URL, answers there, and ends well on a termination signal."""
    command = [sys.executable, "-c", "from withearth.cli.app import main; main()", "paper-exchange", "--port", "0"]
    started = "2026-01-02T03:04"
    process = subprocess.Popen(
        [*command, "--symbols", BTC, "--from", started, "--speed", "0", "--admin"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=tmp_path,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert "SYNTHETIC" in process.stdout.readline()
        address = process.stdout.readline().split()[-1]
        state = requests.get(f"{address}/admin/state", timeout=30).json()
        process.send_signal(signal.SIGTERM)

        assert f"{started}:00+00:00" == from_ms(state["now"]).isoformat()
        assert (["paper"], [BTC]) == (state["accounts"], list(state["prices"]))
        assert 0 == process.wait(30)


def test_it_may_be_stopped_as_soon_as_it_says_that_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads the address may send the signal at once."""
    monkeypatch.setattr(paper, "_announce", lambda *_, **__: signal.raise_signal(signal.SIGINT))

    result = CliRunner().invoke(app, ["paper-exchange", "--symbols", BTC, "--port", "0"])

    assert 0 == result.exit_code


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--account", "key:very-secret"], "write KEY:SECRET:DEPOSIT"),
        (["--account", "key:very-secret:-5"], "write KEY:SECRET:DEPOSIT"),
        (["--account", "key:very-secret:NaN"], "write KEY:SECRET:DEPOSIT"),
        (["--market", "imagined"], "MARKET is imagined"),
        (["--from", "yesterday"], "--from is 'yesterday'"),
        (["--from", "2020-01-01"], "has no price"),
    ],
)
def test_a_wrong_call_is_one_sentence(options: list[str], sentence: str) -> None:
    """And no secret is repeated in it."""
    result = CliRunner().invoke(app, ["paper-exchange", "--symbols", BTC, *options])

    assert isinstance(result.exception, Misconfigured)
    assert sentence in str(result.exception)
    assert "very-secret" not in str(result.exception) + result.output


def test_a_secret_may_be_a_public_key_in_a_file(tmp_path: Path) -> None:
    """Any other text is the HMAC secret itself, colons included."""
    file = tmp_path / "key.pem"
    file.write_text("-----BEGIN PUBLIC KEY-----")

    assert PaperAccount("k", "-----BEGIN PUBLIC KEY-----", Decimal(5)) == paper._account(f"k:{file}:5")
    assert PaperAccount("k", "a:b", Decimal("0.5")) == paper._account("k:a:b:0.5")


def test_a_symbol_without_a_price_is_told_at_once() -> None:
    """Before anybody can trade on it."""
    market = SyntheticMarket(1, [BTC], start=from_ms(NOON_MS), spread_bps=Decimal(1))
    clock = VirtualClock(from_ms(NOON_MS - 400 * 86_400_000))

    with pytest.raises(Misconfigured, match="BTCUSDT has no price"):
        assemble_exchange(market, invented_listing(market, [BTC]), clock, [])


def test_a_listing_is_the_newest_recorded_one(tmp_path: Path) -> None:
    """With its brackets; a symbol that is not in it is named."""
    listed = dict(made_up_instrument(listing_of(BTC).instrument).raw)
    for folder, precision in (("2025-01-01", 1), ("2026-01-01", 4)):
        directory = tmp_path / "api" / "recorded" / folder
        directory.mkdir(parents=True)
        symbols = {"symbols": [{**listed, "pricePrecision": precision}]}
        (directory / "fapi-v1-exchangeInfo.json").write_text(json.dumps(symbols))

    assert 4 == recorded_listing(tmp_path, [BTC])[BTC].price_precision
    with pytest.raises(Misconfigured, match="ETHUSDT is in no exchangeInfo"):
        recorded_listing(tmp_path, [BTC, "ETHUSDT"])
