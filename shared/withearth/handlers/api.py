"""The read API and the seed endpoints of the original server, as one HTTP function.

Answers are JSON; a wrong request is told in one sentence with a 4xx. Stack traces are given only under `debug=1`,
and never with a secret in them.
"""

import traceback
from collections.abc import Callable
from typing import Any, Final

from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from withearth import __version__
from withearth.domain.canonical import canonical_json
from withearth.domain.errors import Refused, WithEarthError
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe, from_ms
from withearth.flow.documents import DECISIONS, EVENTS, TRADES, view_ref
from withearth.flow.journal import journal_row
from withearth.flow.runtime import Runtime
from withearth.flow.trader import trade_now
from withearth.flow.views import labels, signal
from withearth.settings import redact
from withearth.store.port import Query

ROWS_MAX: Final = 500
DEFAULT_ROWS: Final = 100

Endpoint = Callable[[Runtime, Request], Any]


def health(runtime: Runtime, _request: Request) -> Any:
    """Whether the store answers, and what this installation is."""
    overview = _view(runtime, "overview")
    return {"status": "ok", "version": __version__, "last_tick": overview.get("last_tick")} | labels(runtime)


def trader(runtime: Runtime, request: Request) -> Any:
    """Run the named symbols (default: all) through the pipeline now."""
    asked = request.values.get("symbols", "")
    symbols = [each.strip().upper() for each in asked.split(",") if each.strip()] or list(runtime.settings.symbols)
    debug = request.values.get("debug") == "1"
    results = [_trade_safely(runtime, symbol, debug=debug) for symbol in symbols]
    failed = sum("error" in each for each in results)
    return {"status": "ok" if not failed else "error" if failed == len(results) else "partial", "results": results}


def _trade_safely(runtime: Runtime, symbol: str, *, debug: bool) -> dict[str, Any]:
    """One symbol's answer. Whatever happens to it, the other symbols get theirs."""
    try:
        return trade_now(runtime, symbol)
    except Exception as error:  # noqa: BLE001 - a fault in one symbol must not cost the others their answer
        code = error.reason.value if isinstance(error, Refused) else type(error).__name__
        answer: dict[str, Any] = {"symbol": symbol, "result": None, "exec": None, "error": code}
        if isinstance(error, WithEarthError):
            answer["message"] = redact(str(error), runtime.settings)
        if debug:
            answer["trace"] = redact(traceback.format_exc(), runtime.settings)
        return answer


def overview(runtime: Runtime, _request: Request) -> Any:
    """Totals, newest tick, open trades and equity points."""
    positions, equity = _view(runtime, "positions"), _view(runtime, "equity")
    return (
        labels(runtime)
        | _view(runtime, "overview")
        | {"positions": positions.get("positions", []), "equity_points": equity.get("points", [])}
    )


def trades(runtime: Runtime, request: Request) -> Any:
    """The newest journal rows first."""
    query = Query(TRADES, order_by="opened_at", direction="descending", limit=_number(request, "limit"))
    return labels(runtime) | {"trades": [journal_row(each.data) for each in runtime.store.query(query)]}


def logs(runtime: Runtime, request: Request) -> Any:
    """The newest events first."""
    query = Query(EVENTS, order_by="at", direction="descending", limit=_number(request, "lines"))
    lines = [
        {name: value for name, value in each.data.items() if name != "expire_at"} for each in runtime.store.query(query)
    ]
    return labels(runtime) | {"logs": lines}


def signals(runtime: Runtime, _request: Request) -> Any:
    """The newest decision of every symbol."""
    return labels(runtime) | {"at": None, "signals": []} | _view(runtime, "signals")


def limits(runtime: Runtime, _request: Request) -> Any:
    """The trading state, and every limit with its use at the reconciler's last pass."""
    nothing: dict[str, Any] = {"at": None, "trading": None, "readable": None, "limits": []}
    return labels(runtime) | nothing | _view(runtime, "limits")


def latest_signal(runtime: Runtime, request: Request) -> Any:
    """The newest decision of one symbol."""
    symbol = _symbol(runtime, request)
    query = Query(DECISIONS, where={"symbol": symbol}, order_by="decided_at", direction="descending", limit=1)
    found = runtime.store.query(query)
    return labels(runtime) | {"symbol": symbol, "signal": signal(found[0].data) if found else None}


def candles(runtime: Runtime, request: Request) -> Any:
    """The newest closed candles of one symbol, oldest first."""
    symbol = _symbol(runtime, request)
    asked = request.args.get("tf", Timeframe.M5.value)
    if asked not in {each.value for each in Timeframe}:
        raise BadRequest(f"tf is {asked!r}, allowed are {', '.join(Timeframe)}.")
    timeframe = Timeframe(asked)
    bars = runtime.market.candles(symbol, timeframe, runtime.clock.now(), _number(request, "limit"))
    names = ("open", "high", "low", "close", "volume")
    rows = [
        {"open_time": from_ms(open_ms), **dict(zip(names, values, strict=True))}
        for open_ms, values in zip(bars.open_ms.tolist(), bars.ohlcv.T.tolist(), strict=True)
    ]
    return labels(runtime) | {"symbol": symbol, "tf": timeframe.value, "candles": rows}


def home(_runtime: Runtime, _request: Request) -> Response:
    """Send a visitor to the dashboard."""
    return redirect("/dashboard")


ROUTES: Final = Map(
    [
        Rule("/", endpoint=home, methods=["GET"]),
        Rule("/health", endpoint=health, methods=["GET"]),
        Rule("/tasks/trader", endpoint=trader, methods=["GET", "POST"]),
        Rule("/api/overview", endpoint=overview, methods=["GET"]),
        Rule("/api/trades", endpoint=trades, methods=["GET"]),
        Rule("/api/logs", endpoint=logs, methods=["GET"]),
        Rule("/api/signals", endpoint=signals, methods=["GET"]),
        Rule("/api/limits", endpoint=limits, methods=["GET"]),
        Rule("/api/signals/latest", endpoint=latest_signal, methods=["GET"]),
        Rule("/api/candles", endpoint=candles, methods=["GET"]),
    ],
)


def answer(runtime: Runtime, request: Request) -> Response:
    """Route the request and answer it; never raises."""
    try:
        endpoint: Endpoint
        endpoint, _ = ROUTES.bind_to_environ(request.environ).match()
        found = endpoint(runtime, request)
        return found if isinstance(found, Response) else _json(found)
    except HTTPException as error:
        return _json({"status": "error", "message": error.description}, error.code or 500)
    except Refused as refusal:
        return _json(
            {"status": "error", "code": refusal.reason.value, "message": redact(str(refusal), runtime.settings)}, 404
        )
    except WithEarthError as error:
        return _json({"status": "error", "message": redact(str(error), runtime.settings)}, 503)


def _json(payload: Any, status: int = 200) -> Response:
    return Response(canonical_json(payload), status, mimetype="application/json", headers={"Cache-Control": "no-store"})


def _view(runtime: Runtime, name: str) -> dict[str, Any]:
    stored = runtime.store.get(view_ref(name))
    return {} if stored is None else dict(stored.data)


def _number(request: Request, name: str) -> int:
    text = request.args.get(name, str(DEFAULT_ROWS))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= ROWS_MAX:
        raise BadRequest(f"{name} is {text!r}, allowed is a whole number from 1 to {ROWS_MAX}.")
    return int(text)


def _symbol(runtime: Runtime, request: Request) -> str:
    symbol = request.args.get("symbol", runtime.settings.symbols[0]).upper()
    if symbol not in runtime.settings.symbols:
        raise Refused(Reason.SYMBOL_NOT_CONFIGURED, f"{symbol}, SYMBOLS is {','.join(runtime.settings.symbols)}")
    return symbol
