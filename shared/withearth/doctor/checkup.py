"""The checks of an installation, chosen by its settings. Everything here reads; nothing here judges or changes.

A new check is a function that reads and hands what it read to a pure one, and a line in `checks_of`, or in `IN_CLOUD`
for what only STORE=cloud has.
"""

import shutil
import sqlite3
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from requests.adapters import BaseAdapter

from withearth import __version__
from withearth.doctor import account, books, deployed, exchange, instruments, keys, machine, models
from withearth.doctor.findings import Finding, ok
from withearth.doctor.line import Line
from withearth.doctor.running import Check
from withearth.domain.clock import Clock
from withearth.domain.times import TICK, floor_to_tick, tick_id, to_ms
from withearth.settings import KEYS, SecretSource, Settings, is_reference, reveal

SYMBOLS_ASKED: Final = 20
"""Of how many symbols margin type and leverage are looked up: each is a request."""
TICKS_BACK: Final = 4
MODEL_TIMEOUT: Final = timedelta(seconds=10)
_NEWEST_TICK: Final = "SELECT id FROM documents WHERE collection = 'ticks' ORDER BY id DESC LIMIT 1"
_DEAD: Final = "SELECT count(*) FROM dead_letters"


@dataclass(frozen=True, slots=True)
class Practice:
    """What the checks share. `transport` answers instead of the network, `secrets` are where references lead."""

    settings: Settings
    clock: Clock
    transport: BaseAdapter | None = None
    secrets: SecretSource | None = None

    def line(self, address: str = "") -> Line:
        """The line to an address, or to the first exchange that matters."""
        return Line(address or self.addresses[0], self.settings.binance_http_timeout_ms, self.transport)

    @property
    def addresses(self) -> list[str]:
        """Where the exchanges are that matter with these settings: where orders go, and where prices come from."""
        from withearth.execution.environment import address_of

        orders = [address_of(self.settings)] if keys.sends_orders(self.settings) else []
        prices = [self.settings.fapi_base] if self.settings.market == "live" else []
        return list(dict.fromkeys([*orders, *prices]))


def checks_of(practice: Practice) -> list[Check]:
    """Every check that these settings call for."""
    settings = practice.settings
    found = [Check("settings", lambda: [_changed(settings)]), Check("versions", _versions)]
    if practice.addresses:
        found += [
            Check("exchange", lambda: _exchange(practice)),
            Check("instruments", lambda: _instruments(practice)),
        ]
    else:
        found.append(Check("exchange", lambda: [ok("exchange", f"Not asked: MARKET is {settings.market}.")]))
    found += [
        Check("key", lambda: [keys.presence(settings)]),
        Check("permissions", lambda: _permissions(practice)),
    ]
    if keys.sends_orders(settings) and keys.presence(settings).verdict == "ok":
        found.append(Check("account", lambda: _account(practice)))
    found += [Check("model", lambda: _models(practice)), Check("disk", lambda: _disk(settings))]
    chosen = IN_CLOUD if settings.store == "cloud" else ON_THIS_MACHINE
    return [*found, *(Check(name, _given(look, practice)) for name, look in chosen.items())]


def _given(look: Callable[[Practice], Sequence[Finding]], practice: Practice) -> Callable[[], Sequence[Finding]]:
    return lambda: look(practice)


def _changed(settings: Settings) -> Finding:
    given = [key for key in KEYS if settings.origin(key) != "default"]
    trades = f"orders go to {settings.venue}" if settings.execute_trades else "no order is sent"
    return ok(
        "settings", f"All {len(KEYS)} are valid, {len(given)} of them given; MARKET is {settings.market}, {trades}."
    )


def _versions() -> list[Finding]:
    installed = {package: _installed(package) for package in machine.PINNED}
    python = (sys.version_info.major, sys.version_info.minor)
    return machine.versions(__version__, python, sqlite3.sqlite_version_info, installed)


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _exchange(practice: Practice) -> list[Finding]:
    return [finding for address in practice.addresses for finding in _at(address, practice)]


def _at(address: str, practice: Practice) -> list[Finding]:
    line, clock = practice.line(address), practice.clock
    line.get("/fapi/v1/ping")  # the first request of a line takes longer, and would be counted as the clock's
    before = to_ms(clock.now())
    reply = line.get("/fapi/v1/time")
    after = to_ms(clock.now())
    return [exchange.reached(address, reply), exchange.skew(reply, before, after)]


def _instruments(practice: Practice) -> list[Finding]:
    listing, marks = practice.line().get("/fapi/v1/exchangeInfo"), practice.line().get("/fapi/v1/premiumIndex")
    refused = [exchange.refused("instruments", each) for each in (listing, marks) if each.status != HTTPStatus.OK]
    if refused:
        return refused[:1]
    listed = {row["symbol"]: row for row in _rows(listing.payload, "symbols")}
    prices = {row["symbol"]: str(row.get("markPrice")) for row in _rows({"all": marks.payload}, "all")}
    limits = listing.payload.get("rateLimits", ()) if isinstance(listing.payload, dict) else ()
    return [exchange.weight(listing, limits), *instruments.tradable(listed, prices, practice.settings)]


def _rows(payload: Any, name: str) -> list[Mapping[str, Any]]:
    rows = payload.get(name) if isinstance(payload, dict) else None
    return [row for row in rows if isinstance(row, dict) and "symbol" in row] if isinstance(rows, list) else []


def _permissions(practice: Practice) -> list[Finding]:
    settings = practice.settings
    if settings.venue != "live" or not keys.sends_orders(settings):
        return [keys.not_asked(settings)]
    line = Line(settings.binance_spot_base, settings.binance_http_timeout_ms, practice.transport)
    key, secret = (reveal(settings, name, practice.secrets) for name in ("BINANCE_API_KEY", "BINANCE_API_SECRET"))
    return keys.permissions(line.permissions(key, secret, to_ms(practice.clock.now())))


def _account(practice: Practice) -> list[Finding]:
    from withearth.execution.binance import open_binance_venue

    settings = practice.settings
    venue = open_binance_venue(settings, practice.clock, practice.transport, practice.secrets)
    positions, orders, conditionals = venue.everything()
    occupied = {each.symbol for each in positions} | {each.symbol for each in orders}
    occupied |= {each.symbol for each in conditionals}
    named = settings.symbols[:SYMBOLS_ASKED] if settings.names_symbols else ()
    modes = {symbol: venue.symbol_modes(symbol) for symbol in named}
    return [
        account.account_modes(venue.modes(), settings),
        *account.symbol_modes(modes, occupied, settings),
        account.margin(venue.balance().available, settings),
    ]


def _models(practice: Practice) -> list[Finding]:
    from withearth.decision.gemini import ModelFault
    from withearth.decision.gemini_service import GeminiService

    members, service = models.members(practice.settings), GeminiService(practice.settings, practice.secrets)
    faults: dict[str, tuple[Any, str] | None] = {}
    for name in dict.fromkeys(name for member in members for name in member):
        try:
            service.look_up(name, MODEL_TIMEOUT)
            faults[name] = None
        except ModelFault as fault:
            faults[name] = (fault.reason, fault.detail)
    return models.answerable(faults, members)


def _disk(settings: Settings) -> list[Finding]:
    found = []
    for setting, directory in (("STATE_DIR", settings.state_dir), ("LOG_DIR", settings.log_dir)):
        there = next(each for each in (directory.absolute(), *directory.absolute().parents) if each.exists())
        found.append(machine.disk(setting, str(directory), shutil.disk_usage(there).free))
    return found


def _local_store(practice: Practice) -> list[Finding]:
    from withearth.local.scheduler import CLOUD_JOBS
    from withearth.store.sqlite import APPLICATION_ID, LAYOUT_VERSION

    looked = books.look_at(practice.settings.state_dir / "store.db", _NEWEST_TICK)
    newest = looked.rows[0][0] if looked.rows else None
    jobs = [f"{job.function} {job.cron}" for job in CLOUD_JOBS]
    return [
        books.file_state("store", looked, APPLICATION_ID, LAYOUT_VERSION),
        books.schedules(newest, practice.clock.now(), jobs),
    ]


def _local_bus(practice: Practice) -> list[Finding]:
    from withearth.local.state import SUBSCRIPTIONS
    from withearth.messaging.bus_rows import LAYOUT

    looked = books.look_at(practice.settings.state_dir / "bus.db", _DEAD)
    waiting = int(looked.rows[0][0]) if looked.rows else 0
    return [
        books.file_state("bus", looked, LAYOUT.application_id, LAYOUT.version),
        books.subscriptions([each.name for each in SUBSCRIPTIONS]),
        books.dead_letters(waiting),
    ]


def _cloud_store(practice: Practice) -> list[Finding]:
    from withearth.bootstrap import choose_store
    from withearth.flow.documents import tick_ref

    now = practice.clock.now()
    lately = [tick_ref(tick_id(floor_to_tick(now) - TICK * back)) for back in range(TICKS_BACK)]
    found = [each.ref.id for each in choose_store(practice.settings).get_many(lately) if each is not None]
    return [
        ok("store", f"Firestore of {practice.settings.project_id} can be read."),
        books.schedules(max(found, default=None), now, ["Cloud Scheduler"]),
    ]


def _cloud_bus(practice: Practice) -> list[Finding]:
    from withearth.cloud.pubsub_admin import push_subscriptions
    from withearth.local.state import SUBSCRIPTIONS

    settings = practice.settings
    found = push_subscriptions(settings.project_id, settings.pubsub_emulator_host)
    return deployed.subscriptions(found, SUBSCRIPTIONS)


def _cloud_schedules(practice: Practice) -> list[Finding]:
    from withearth.bootstrap import open_cloud_schedules
    from withearth.local.scheduler import CLOUD_JOBS

    return deployed.schedules(open_cloud_schedules(practice.settings).all(), [job.function for job in CLOUD_JOBS])


def _cloud_secrets(practice: Practice) -> list[Finding]:
    """Every reference that is made use of leads to a value. The value itself is not looked at."""
    settings, found = practice.settings, []
    for key in keys.needed(settings):
        if is_reference(getattr(settings, key.lower()).get_secret_value()):
            reveal(settings, key, practice.secrets)
            found.append(key)
    if not found:
        return [ok("secrets", "Nothing in Secret Manager is needed with these settings.")]
    return [ok("secrets", f"{', '.join(found)} can be read in Secret Manager.")]


Look = Callable[[Practice], Sequence[Finding]]
ON_THIS_MACHINE: Final[Mapping[str, Look]] = {"store": _local_store, "bus": _local_bus}
IN_CLOUD: Final[Mapping[str, Look]] = {
    "store": _cloud_store,
    "bus": _cloud_bus,
    "schedules": _cloud_schedules,
    "secrets": _cloud_secrets,
}
"""What STORE=cloud adds, by the name of the check."""
