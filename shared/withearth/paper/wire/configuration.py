"""What an account can set: leverage, margin, modes, fees; and the listen key of its stream."""

import hashlib
from typing import Any, Final

from withearth.paper.engine.errors import Refusal, VenueError
from withearth.paper.engine.kinds import MarginType, PositionSide
from withearth.paper.wire import errors
from withearth.paper.wire.call import LISTEN_KEY_LIVES_MS, Call
from withearth.paper.wire.market_data import order_limits
from withearth.paper.wire.numbers import plain

SUCCESS: Final = {"code": 200, "msg": "success"}
_ADD: Final = "1"
_REDUCE: Final = "2"
_MARGIN_TYPES: Final = {"ISOLATED": MarginType.ISOLATED, "CROSSED": MarginType.CROSSED}


def set_leverage(call: Call) -> dict[str, Any]:
    """POST /leverage."""
    symbol, leverage = call.symbol(), call.params.integer("leverage")
    if leverage is None:
        raise errors.missing("leverage")
    allowed = call.exchange.set_leverage(call.account, symbol, leverage)
    return {"symbol": symbol, "leverage": leverage, "maxNotionalValue": plain(allowed)}


def set_margin_type(call: Call) -> dict[str, Any]:
    """POST /marginType."""
    symbol, margin_type = call.symbol(), _MARGIN_TYPES.get(call.params.required("marginType"))
    if margin_type is None:
        raise errors.invalid("marginType")
    call.exchange.set_margin_type(call.account, symbol, margin_type)
    return SUCCESS


def set_position_margin(call: Call) -> dict[str, Any]:
    """POST /positionMargin."""
    symbol, amount, kind = call.symbol(), call.params.number("amount"), call.params.required("type")
    if amount is None:
        raise errors.missing("amount")
    if kind not in {_ADD, _REDUCE}:
        raise errors.invalid("type")
    side = call.params.word("positionSide", PositionSide, Refusal.INVALID_POSITION_SIDE)
    call.exchange.modify_isolated_margin(call.account, symbol, amount, add=kind == _ADD, side=side)
    return {"code": 200, "msg": "Successfully modify position margin.", "amount": float(amount), "type": int(kind)}


def position_mode(call: Call) -> dict[str, Any]:
    """GET /positionSide/dual."""
    return {"dualSidePosition": call.account.dual_side}


def set_position_mode(call: Call) -> dict[str, Any]:
    """POST /positionSide/dual."""
    call.exchange.set_position_mode(call.account, dual_side=_flag(call, "dualSidePosition"))
    return SUCCESS


def assets_mode(call: Call) -> dict[str, Any]:
    """GET /multiAssetsMargin."""
    return {"multiAssetsMargin": call.account.multi_assets}


def set_assets_mode(call: Call) -> dict[str, Any]:
    """POST /multiAssetsMargin."""
    call.exchange.set_multi_assets(call.account, multi_assets=_flag(call, "multiAssetsMargin"))
    return SUCCESS


def _flag(call: Call, name: str) -> bool:
    call.params.required(name)
    return bool(call.params.flag(name))


def leverage_brackets(call: Call) -> list[dict[str, Any]]:
    """GET /leverageBracket."""
    return [dict(call.exchange.instrument(symbol).raw_brackets) for symbol in call.symbols()]


def account_config(call: Call) -> dict[str, Any]:
    """GET /accountConfig."""
    return {
        "feeTier": 0,
        "canTrade": True,
        "canDeposit": True,
        "canWithdraw": True,
        "dualSidePosition": call.account.dual_side,
        "updateTime": 0,
        "multiAssetsMargin": call.account.multi_assets,
        "tradeGroupId": -1,
    }


def symbol_config(call: Call) -> list[dict[str, Any]]:
    """GET /symbolConfig."""
    return [_symbol_config(call, symbol) for symbol in call.symbols()]


def _symbol_config(call: Call, symbol: str) -> dict[str, Any]:
    # A symbol may cap leverage below the 20 that every account starts with.
    instrument = call.exchange.instrument(symbol)
    leverage = min(call.account.leverage(symbol), instrument.max_leverage)
    return {
        "symbol": symbol,
        "marginType": call.account.margin_type(symbol).value,
        "isAutoAddMargin": False,
        "leverage": leverage,
        "maxNotionalValue": plain(instrument.max_notional(leverage)),
    }


def commission_rate(call: Call) -> dict[str, Any]:
    """GET /commissionRate."""
    instrument = call.exchange.instrument(call.symbol())
    return {
        "symbol": instrument.symbol,
        "makerCommissionRate": f"{instrument.maker_fee:.6f}",
        "takerCommissionRate": f"{instrument.taker_fee:.6f}",
        "rpiCommissionRate": f"{instrument.maker_fee / 4:.6f}",
    }


def order_rate_limits(call: Call) -> list[dict[str, Any]]:
    """GET /rateLimit/order."""
    return order_limits(call)[::-1]


def fee_burn(call: Call) -> dict[str, Any]:
    """GET /feeBurn."""
    return {"feeBurn": call.account.key in call.desk.fee_burn}


def set_fee_burn(call: Call) -> dict[str, Any]:
    """POST /feeBurn. Remembered, and without effect: fees are paid in the margin asset."""
    (call.desk.fee_burn.add if _flag(call, "feeBurn") else call.desk.fee_burn.discard)(call.account.key)
    return SUCCESS


def trading_status(call: Call) -> dict[str, Any]:
    """GET /apiTradingStatus: no quantitative rule is ever violated here."""
    return {"indicators": {}, "updateTime": call.now_ms}


def start_stream(call: Call) -> dict[str, Any]:
    """POST /listenKey: the active key, which lives another hour."""
    call.desk.listen_keys[call.account.key] = call.now_ms + LISTEN_KEY_LIVES_MS
    return {"listenKey": _listen_key(call)}


def keep_stream(call: Call) -> dict[str, Any]:
    """PUT /listenKey."""
    if call.desk.listen_keys.get(call.account.key, 0) <= call.now_ms:
        raise VenueError(Refusal.INVALID_LISTEN_KEY)
    return start_stream(call)


def close_stream(call: Call) -> dict[str, Any]:
    """DELETE /listenKey."""
    if call.desk.listen_keys.pop(call.account.key, 0) <= call.now_ms:
        raise VenueError(Refusal.INVALID_LISTEN_KEY)
    return {}


def _listen_key(call: Call) -> str:
    return hashlib.sha256(f"listen:{call.account.key}".encode()).hexdigest()
