"""Builds a small directory of recorded market data: manifest, Parquet candles, funding and exchangeInfo."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from withearth.domain.candles import FloatArray, IntArray
from withearth.domain.times import Timeframe, to_ms

_COLUMNS = ("open", "high", "low", "close", "volume")
_EXCHANGE_INFO = "api/recorded/2026-07-04T1556Z/fapi-v1-exchangeInfo.json"


class Bars(NamedTuple):
    """Raw rows, sound or not: open times in milliseconds, and open to volume in one row each."""

    open_ms: IntArray
    ohlcv: FloatArray

    def take(self, rows: Any) -> "Bars":
        """Some of the rows, in the given order."""
        return Bars(self.open_ms[rows], self.ohlcv[:, rows])

    def closed_at(self, as_of: datetime, timeframe: Timeframe = Timeframe.M5) -> "Bars":
        """The rows closed at an instant."""
        return self.take(self.open_ms + timeframe.ms <= to_ms(as_of))


def some_bars(start: datetime, count: int, timeframe: Timeframe = Timeframe.M5, *, price: float = 100.0) -> Bars:
    """Sound bars without a gap: a seeded walk on a grid of 0.01."""
    rng = np.random.default_rng(count)
    closes = np.round(price * np.exp(np.cumsum(rng.normal(0, 0.001, count))), 2)
    opens = np.concatenate([[price], closes[:-1]])
    highs = np.round(np.maximum(opens, closes) + 0.03, 2)
    lows = np.round(np.minimum(opens, closes) - 0.03, 2)
    volumes = np.round(rng.uniform(500, 1500, count), 3)
    open_ms = to_ms(start) + np.arange(count, dtype=np.int64) * timeframe.ms
    return Bars(open_ms, np.array([opens, highs, lows, closes, volumes]))


def listed(symbol: str, *, tick: str = "0.01", step: str = "0.001", status: str = "TRADING") -> dict[str, Any]:
    """One element of `exchangeInfo.symbols`."""
    return {
        "symbol": symbol,
        "contractType": "PERPETUAL",
        "status": status,
        "pair": symbol,
        "baseAsset": symbol.removesuffix("USDT"),
        "quoteAsset": "USDT",
        "marginAsset": "USDT",
        "underlyingType": "COIN",
        "pricePrecision": 2,
        "quantityPrecision": 3,
        "baseAssetPrecision": 8,
        "quotePrecision": 8,
        "triggerProtect": "0.0500",
        "liquidationFee": "0.012500",
        "marketTakeBound": "0.05",
        "deliveryDate": 4133404800000,
        "onboardDate": 1567965300000,
        "filters": [
            {"filterType": "PRICE_FILTER", "minPrice": tick, "maxPrice": "1000000", "tickSize": tick},
            {"filterType": "LOT_SIZE", "minQty": step, "maxQty": "1000", "stepSize": step},
            {"filterType": "MARKET_LOT_SIZE", "minQty": step, "maxQty": "100", "stepSize": step},
            {"filterType": "MAX_NUM_ORDERS", "limit": 200},
            {"filterType": "MIN_NOTIONAL", "notional": "5"},
            {
                "filterType": "PERCENT_PRICE",
                "multiplierUp": "1.0500",
                "multiplierDown": "0.9500",
                "multiplierDecimal": "4",
            },
        ],
    }


class MarketFiles:
    """Adds files to a directory and lists them in its manifest, which `write` completes."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.manifest: list[dict[str, Any]] = []
        self._listed: list[dict[str, Any]] = []

    def candles(self, symbol: str, bars: Bars, timeframe: Timeframe = Timeframe.M5) -> Self:
        """Record bars as one Parquet file."""
        columns = {"open_time": pa.array(bars.open_ms)}
        columns |= {name: pa.array(values) for name, values in zip(_COLUMNS, bars.ohlcv, strict=True)}
        return self.table(symbol, pa.table(columns), timeframe)

    def table(self, symbol: str, table: Any, timeframe: Timeframe = Timeframe.M5) -> Self:
        """Record any Arrow table as one Parquet file of candles."""
        path = self._path(f"klines/usds-futures/{timeframe}/{symbol}_{len(self.manifest)}.parquet")
        pq.write_table(table, path)
        return self._list(path, "klines", symbol, table.num_rows, interval=str(timeframe))

    def funding(self, symbol: str, settlements: list[tuple[int, str]]) -> Self:
        """Record settled funding rates as (milliseconds, rate)."""
        path = self._path(f"funding/usds-futures/{symbol}.csv")
        path.write_text("".join(f"{at},{rate}\n" for at, rate in [("funding_time", "funding_rate"), *settlements]))
        return self._list(path, "funding_rate_history", symbol, len(settlements))

    def instrument(self, entry: dict[str, Any]) -> Self:
        """List an instrument in the recorded exchangeInfo."""
        self._listed.append(entry)
        return self

    def write(self) -> Path:
        """Write exchangeInfo and manifest. The directory is complete."""
        path = self._path(_EXCHANGE_INFO)
        path.write_text(json.dumps({"symbols": self._listed}))
        self._list(path, "recorded_api_response", None, None)
        (self.directory / "MANIFEST.json").write_text(json.dumps({"files": self.manifest}))
        return self.directory

    def _path(self, name: str) -> Path:
        path = self.directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _list(self, path: Path, kind: str, symbol: str | None, rows: int | None, interval: str | None = None) -> Self:
        row = {"file": str(path.relative_to(self.directory)), "kind": kind, "market": "usds-futures"}
        optional = {"symbol": symbol, "rows": rows, "interval": interval}
        self.manifest.append(row | {key: value for key, value in optional.items() if value is not None})
        return self
