"""The state of the exchange as JSON values, and back: exact, and with the same future.

Decimals become strings, words their spelling. What can be computed from the rest (what rests where, who holds what) is
not written down.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from decimal import Decimal
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, TypeVar, get_args, get_type_hints

from withearth.paper.engine.account import Account, Position
from withearth.paper.engine.kinds import MarginType
from withearth.paper.engine.ledger import Fill, Income
from withearth.paper.engine.orders import AlgoOrder, Amendment, Order
from withearth.paper.engine.venue import Counters, SymbolState, Venue

_VERSION: Final = 1
_T = TypeVar("_T")


def snapshot(venue: Venue) -> dict[str, Any]:
    """The whole state but the feed's, the instruments' and the switches'."""
    return {
        "version": _VERSION,
        "now_ms": venue.now_ms,
        "seed": venue.seed,
        "counters": asdict(venue.counters),
        "accounts": [_account_document(account) for account in venue.accounts.values()],
        "symbols": {
            symbol: {
                # Time priority is a property of the whole exchange, not of one account.
                "orders": list(state.orders),
                "algos": list(state.algos),
                "taken": {str(price): str(quantity) for price, quantity in state.taken.items()},
                "taken_ms": state.taken_ms,
                "holders": list(state.holders),
                "funding_ms": state.funding_ms,
            }
            for symbol, state in venue.states.items()
        },
    }


def restore(venue: Venue, document: Mapping[str, Any]) -> None:
    """Become what `snapshot` saw. Raises ValueError for another version's document."""
    if document.get("version") != _VERSION:
        raise ValueError(f"a snapshot of version {_VERSION} was expected, was {document.get('version')!r}")
    venue.now_ms, venue.seed = document["now_ms"], document["seed"]
    venue.counters = Counters(**document["counters"])
    venue.accounts = {each["key"]: _account(each) for each in document["accounts"]}
    orders = {key: order for account in venue.accounts.values() for key, order in account.open_orders.items()}
    algos = {key: algo for account in venue.accounts.values() for key, algo in account.open_algos.items()}
    venue.states = {
        symbol: SymbolState(
            orders={key: orders[key] for key in each["orders"]},
            algos={key: algos[key] for key in each["algos"]},
            holders=dict.fromkeys(each["holders"]),
            taken={Decimal(price): Decimal(quantity) for price, quantity in each["taken"].items()},
            taken_ms=each["taken_ms"],
            funding_ms=each["funding_ms"],
        )
        for symbol, each in document["symbols"].items()
    }
    venue.changed()


def _account_document(account: Account) -> dict[str, Any]:
    return {
        "key": account.key,
        "dual_side": account.dual_side,
        "multi_assets": account.multi_assets,
        "wallet": {asset: str(amount) for asset, amount in account.wallet.items()},
        "leverages": dict(account.leverages),
        "margin_types": {symbol: kind.value for symbol, kind in account.margin_types.items()},
        "positions": [_plain(each) for each in account.positions.values()],
        "orders": [_plain(each) for each in account.orders.values()],
        "open_orders": list(account.open_orders),
        "algos": [_plain(each) for each in account.algos.values()],
        "open_algos": list(account.open_algos),
        "fills": [_plain(each) for each in account.fills],
        "income": [_plain(each) for each in account.income],
        "amendments": [_plain(each) for each in account.amendments],
        "countdowns": dict(account.countdowns),
    }


def _account(document: Mapping[str, Any]) -> Account:
    orders = {each["order_id"]: _value(Order, each) for each in document["orders"]}
    algos = {each["algo_id"]: _value(AlgoOrder, each) for each in document["algos"]}
    positions = [_value(Position, each) for each in document["positions"]]
    return Account(
        key=document["key"],
        dual_side=document["dual_side"],
        multi_assets=document["multi_assets"],
        wallet={asset: Decimal(amount) for asset, amount in document["wallet"].items()},
        leverages=dict(document["leverages"]),
        margin_types={symbol: MarginType(kind) for symbol, kind in document["margin_types"].items()},
        positions={(each.symbol, each.side): each for each in positions},
        orders=orders,
        open_orders={key: orders[key] for key in document["open_orders"]},
        algos=algos,
        open_algos={key: algos[key] for key in document["open_algos"]},
        fills=[_value(Fill, each) for each in document["fills"]],
        income=[_value(Income, each) for each in document["income"]],
        amendments=[_value(Amendment, each) for each in document["amendments"]],
        countdowns=dict(document["countdowns"]),
        order_ids={(order.symbol, order.client_order_id): key for key, order in orders.items()},
        algo_ids={algo.client_algo_id: key for key, algo in algos.items()},
    )


def _plain(value: Any) -> dict[str, Any]:
    return {each.name: _scalar(getattr(value, each.name)) for each in fields(value)}


def _scalar(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    return value.value if isinstance(value, StrEnum) else value


def _value(kind: Callable[..., _T], document: Mapping[str, Any]) -> _T:
    readers = _readers(kind)
    return kind(**{name: readers[name](value) for name, value in document.items()})


@cache
def _readers(kind: Callable[..., Any]) -> dict[str, Callable[[Any], Any]]:
    return {name: _reader(hint) for name, hint in get_type_hints(kind).items()}


def _reader(hint: Any) -> Callable[[Any], Any]:
    if isinstance(hint, UnionType):
        (inner,) = (each for each in get_args(hint) if each is not NoneType)
        read = _reader(inner)
        return lambda value: None if value is None else read(value)
    if hint is Decimal or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        reader: Callable[[Any], Any] = hint
        return reader
    return lambda value: value
