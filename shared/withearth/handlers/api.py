"""The read API and the seed endpoints of the original server, as one HTTP function.

Answers are JSON; a wrong request is told in one sentence with a 4xx. Stack traces are given only under `debug=1`,
and never with a secret in them.
"""

import traceback
from collections.abc import Callable
from typing import Any, Final

from werkzeug.exceptions import BadRequest, HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.utils import redirect
from werkzeug.wrappers import Request, Response

from withearth import __version__
from withearth.domain.canonical import canonical_json
from withearth.domain.errors import Misconfigured, Refused, WithEarthError
from withearth.domain.reasons import Reason
from withearth.domain.times import TICK, Timeframe, floor_to_tick, from_ms
from withearth.flow.documents import (
    DECISIONS,
    EVENTS,
    FEED,
    TRADES,
    DecisionState,
    chart_ref,
    intent_ref,
    view_ref,
)
from withearth.flow.journal import journal_row
from withearth.flow.runtime import Runtime
from withearth.flow.story import story
from withearth.flow.universe import symbols_of
from withearth.handlers.paging import page, rows_asked
from withearth.settings import redact
from withearth.store.port import Query, Stored
from withearth.views.charts import CHART_BARS, chart
from withearth.views.feed import feed_row, order_outcome

VIEWS: Final = ("overview", "money", "positions", "heatmap", "limits", "calibration", "control")
CHART_KEPT_FOR: Final = 2 * TICK
"""A kept chart that is older belongs to a symbol whose chart is kept no more."""

Endpoint = Callable[..., Any]


def labels(runtime: Runtime) -> dict[str, Any]:
    """What the seed's answers carry, so that no number is ever mistaken for another kind of number."""
    return {"mode": runtime.mode, "market": runtime.market.origin.value, "predictor": runtime.predictor.name}


def health(runtime: Runtime, _request: Request) -> Any:
    """Whether the store answers, and what this installation is."""
    tick = _view(runtime, "overview").get("last_tick")
    last_tick = None if tick is None else tick["tick_id"]
    return {"status": "ok", "version": __version__, "last_tick": last_tick} | labels(runtime)


def trader(runtime: Runtime, request: Request) -> Any:
    """Run the named symbols (default: all) through the pipeline now."""
    asked = request.values.get("symbols", "")
    symbols = [each.strip().upper() for each in asked.split(",") if each.strip()] or list(symbols_of(runtime))
    debug = request.values.get("debug") == "1"
    results = [_trade_safely(runtime, symbol, debug=debug) for symbol in symbols]
    failed = sum("error" in each for each in results)
    return {"status": "ok" if not failed else "error" if failed == len(results) else "partial", "results": results}


def _trade_safely(runtime: Runtime, symbol: str, *, debug: bool) -> dict[str, Any]:
    """One symbol's answer. Whatever happens to it, the other symbols get theirs."""
    from withearth.flow.trader import trade_now  # noqa: PLC0415 - it brings the whole flow, and answers only read

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
    positions, money = _view(runtime, "positions"), _view(runtime, "money")
    return (
        labels(runtime)
        | _view(runtime, "overview")
        | money.get("total", {})
        | {"positions": positions.get("positions", []), "equity_points": money.get("points", [])}
    )


def view(runtime: Runtime, _request: Request, name: str) -> Any:
    """One of the views, null before it was first written."""
    return _view(runtime, name) or None


def feed(runtime: Runtime, request: Request) -> Any:
    """The newest ticks with their decisions first."""
    found, following = page(runtime.store, FEED, "at", request)
    return {"feeds": [each.data for each in found], "next": following}


def trades(runtime: Runtime, request: Request) -> Any:
    """The newest journal rows first."""
    found, following = page(runtime.store, TRADES, "opened_at", request)
    rows = [{**journal_row(each.data), **each.data} for each in found]
    return labels(runtime) | {"trades": rows, "next": following}


def events(runtime: Runtime, request: Request) -> Any:
    """The newest events first."""
    found, following = page(runtime.store, EVENTS, "at", request)
    return {"events": [_told(each) for each in found], "next": following}


def logs(runtime: Runtime, request: Request) -> Any:
    """The newest events first, in the seed's words."""
    found, _ = page(runtime.store, EVENTS, "at", request, "lines")
    return labels(runtime) | {"logs": [_told(each) for each in found]}


def _told(event: Stored) -> dict[str, Any]:
    return {name: value for name, value in event.data.items() if name != "expire_at"}


def signals(runtime: Runtime, _request: Request) -> Any:
    """The newest decision of every symbol."""
    newest = runtime.store.query(Query(FEED, order_by="at", direction="descending", limit=1))
    told = [{"at": each.data["at"], "signals": each.data["rows"]} for each in newest]
    return labels(runtime) | {"at": None, "signals": []} | (told[0] if told else {})


def limits(runtime: Runtime, _request: Request) -> Any:
    """The trading state, and every limit with its use at the reconciler's last pass."""
    nothing: dict[str, Any] = {"at": None, "trading": None, "readable": None, "limits": []}
    return labels(runtime) | nothing | _view(runtime, "limits")


def latest_signal(runtime: Runtime, request: Request) -> Any:
    """The newest decision of one symbol."""
    symbol = _symbol(runtime, request.args.get("symbol"))
    query = Query(DECISIONS, where={"symbol": symbol}, order_by="decided_at", direction="descending", limit=1)
    found = runtime.store.query(query)
    if not found:
        return labels(runtime) | {"symbol": symbol, "signal": None}
    intent = runtime.store.get(intent_ref(found[0].ref.id))
    return labels(runtime) | {
        "symbol": symbol,
        "signal": feed_row(found[0].data, order_outcome(None if intent is None else intent.data)),
    }


def decision(runtime: Runtime, _request: Request, decision_id: str) -> Any:
    """Everything about one decision, once it is made."""
    try:
        found = story(runtime.store, decision_id)
    except Misconfigured as error:
        raise NotFound(str(error)) from error
    if found["decision"]["state"] != DecisionState.DONE:
        raise NotFound(f"{decision_id} is being decided: ask again in a minute.")
    return found


def symbol_chart(runtime: Runtime, _request: Request, symbol: str) -> Any:
    """The chart of one symbol as the worker left it lately, or worked out now for one that it leaves out."""
    known, at = _symbol(runtime, symbol), floor_to_tick(runtime.clock.now())
    stored = runtime.store.get(chart_ref(known))
    if stored is not None and at - stored.data["at"] <= CHART_KEPT_FOR:
        return stored.data
    windows = {each: runtime.market.candles(known, each, at, CHART_BARS) for each in Timeframe}
    return chart(known, at, windows)


def candles(runtime: Runtime, request: Request) -> Any:
    """The newest closed candles of one symbol, oldest first."""
    symbol = _symbol(runtime, request.args.get("symbol"))
    asked = request.args.get("tf", Timeframe.M5.value)
    if asked not in {each.value for each in Timeframe}:
        raise BadRequest(f"tf is {asked!r}, allowed are {', '.join(Timeframe)}.")
    timeframe = Timeframe(asked)
    bars = runtime.market.candles(symbol, timeframe, runtime.clock.now(), rows_asked(request, "limit"))
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
        Rule(f"/api/views/<any({','.join(VIEWS)}):name>", endpoint=view, methods=["GET"]),
        Rule("/api/feed", endpoint=feed, methods=["GET"]),
        Rule("/api/trades", endpoint=trades, methods=["GET"]),
        Rule("/api/events", endpoint=events, methods=["GET"]),
        Rule("/api/decisions/<decision_id>", endpoint=decision, methods=["GET"]),
        Rule("/api/charts/<symbol>", endpoint=symbol_chart, methods=["GET"]),
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
        endpoint, arguments = ROUTES.bind_to_environ(request.environ).match()
        found = endpoint(runtime, request, **arguments)
        return found if isinstance(found, Response) else json_answer(found)
    except HTTPException as error:
        return json_answer({"status": "error", "message": error.description}, error.code or 500)
    except Refused as refusal:
        return json_answer(
            {"status": "error", "code": refusal.reason.value, "message": redact(str(refusal), runtime.settings)}, 404
        )
    except WithEarthError as error:
        return json_answer({"status": "error", "message": redact(str(error), runtime.settings)}, 503)


def json_answer(payload: Any, status: int = 200) -> Response:
    """An answer in canonical JSON, which nobody may keep."""
    return Response(canonical_json(payload), status, mimetype="application/json", headers={"Cache-Control": "no-store"})


def _view(runtime: Runtime, name: str) -> dict[str, Any]:
    stored = runtime.store.get(view_ref(name))
    return {} if stored is None else dict(stored.data)


def _symbol(runtime: Runtime, asked: str | None) -> str:
    symbols = symbols_of(runtime)
    symbol = next(iter(symbols), "") if asked is None else asked.upper()
    if symbol not in symbols:
        raise Refused(Reason.SYMBOL_NOT_CONFIGURED, f"{symbol}, SYMBOLS is {','.join(runtime.settings.symbols)}")
    return symbol
