"""One decision as a page on the terminal: what it knew, what it asked, what was answered, what came of it."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from withearth.decision.spend import usd
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe

_FRAME_FEATURES = (
    "bars",
    "close",
    "rsi14",
    "atr14",
    "sma20",
    "volatility20",
    "relative_volume20",
    "support50",
    "resistance50",
)
_SNAPSHOT_ROWS = (
    "price",
    "spread_bps",
    "quote_age_ms",
    "day_trend",
    "funding_rate",
    "minutes_to_funding",
    "depth_imbalance",
    "depth_age_ms",
    "depth_modelled",
)
_TRADE_ROWS = (
    "status",
    "side",
    "qty",
    "entry",
    "tp",
    "sl",
    "exit",
    "exit_reason",
    "pnl",
    "fees",
    "funding",
    "net_pnl",
    "r_multiple",
    "opened_at",
    "closed_at",
    "mode",
)


def print_story(console: Console, story: Mapping[str, Any]) -> None:
    """Print every part of the story that there is."""
    for title, part in _parts(story):
        console.print(Panel(part, title=title, title_align="left"))


def _parts(story: Mapping[str, Any]) -> Iterator[tuple[str, RenderableType]]:
    decision = story["decision"]
    yield _heading(decision), _verdict(decision)
    if decision.get("snapshot") is not None:
        yield "Features", Group(_pairs(_chosen(decision["snapshot"], _SNAPSHOT_ROWS)), _frames(decision["snapshot"]))
    if decision.get("asked") is not None:
        yield "Asked", _asked(decision["asked"])
    for title, part, names in _plain_parts(story):
        if part is not None:
            yield title, _pairs(_chosen(part, names))
    if story["events"]:
        told = ((f"{each['at']:%Y-%m-%d %H:%M:%S}", f"{each['kind']} {each['text']}") for each in story["events"])
        yield "Events", _pairs(told)


def _plain_parts(story: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any] | None, Sequence[str]]]:
    """The parts that are shown name by name."""
    decision = story["decision"]
    for title, name in (("Answered", "prediction"), ("Assessed", "assessment")):
        part = decision.get(name)
        yield title, part, list(part or ())
    yield "Intent", story["intent"], ("state", "blocked_by", "expires_at")
    yield "Trade", story["trade"], _TRADE_ROWS
    yield "Which barrier came first", story["label"], ("state", "barrier", "met_at", "regime")


def _heading(decision: Mapping[str, Any]) -> str:
    return f"{decision['decision_id']} as of {decision.get('as_of', 'unknown')}"


def _verdict(decision: Mapping[str, Any]) -> Table:
    codes = decision.get("reasons") or ()
    blocked = [("blocked by", f"{code}: {Reason[code].sentence}") for code in codes]
    told = [("market", decision.get("market")), ("stage", decision.get("stage")), ("detail", decision.get("detail"))]
    told += [("asked", each) for each in decision.get("fallbacks", ())]
    done = "would be traded" if decision.get("intent") is not None else "was not traded"
    return _pairs([*told, *blocked, ("verdict", done if decision["state"] == "DONE" else decision["state"])])


def _frames(snapshot: Mapping[str, Any]) -> Table:
    names = [each.value for each in Timeframe if each in snapshot["frames"]]
    table = Table("", *names)
    for feature in _FRAME_FEATURES:
        table.add_row(feature, *(_shown(snapshot["frames"][name][feature]) for name in names))
    return table


def _asked(asked: Mapping[str, Any]) -> Group:
    """What was asked and answered, of all members where there were several."""
    heading = [
        ("predictor", asked["predictor"]),
        ("cost", f"{usd(asked['cost_micro_usd'])} USD"),
        ("tokens", asked["tokens"]),
    ]
    timing = [("latency", f"{asked['latency_ms']} ms")]
    rest = ("service", "prompt_version", "schema_version", "request_hash", "contaminated", "sentiment", "calibration")
    parts: list[RenderableType] = [_pairs([*heading, *timing, *_chosen(asked, rest)])]
    if asked.get("request") is not None:
        request = json.loads(asked["request"])
        parts.append(Panel(Text(request["contents"][0]["parts"][0]["text"]), title="question", title_align="left"))
    parts += [
        Panel(_pairs(attempt.items()), title=f"attempt at {attempt['model']}", title_align="left")
        for attempt in asked.get("attempts", ())
    ]
    parts += [Panel(_asked(member["asked"]), title="member", title_align="left") for member in asked.get("members", ())]
    return Group(*parts)


def _chosen(document: Mapping[str, Any], names: Iterable[str]) -> Iterator[tuple[str, Any]]:
    return ((name, document[name]) for name in names if name in document)


def _pairs(rows: Iterable[tuple[str, Any]]) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in rows:
        # What a model wrote is shown as it is, never as markup.
        table.add_row(name, Text(_shown(value)))
    return table


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
