"""The market as it was recorded: a directory of files behind the market port.

Promises: what a call returns depends only on rows that were closed or settled at the asked instant. A symbol whose
files are unsound is refused on every call, with the same reason, and no other symbol notices. No book was recorded
beside the candles, so quotes and depth are modelled around the last close (see `modelled_book`).

Chosen deliberately: the instrument's filters are those of the newest recorded `exchangeInfo`, also for earlier years;
nobody recorded how they changed. The funding rate of a quote is the one settled last, because the rate that is due
next was not recorded either.

Impure: reads each symbol's files once, on first use, from any thread.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from threading import Lock
from typing import Any, Final

from withearth.domain.book import OrderBook, Quote
from withearth.domain.candles import DAY_BARS, Candles, quote_turnover
from withearth.domain.errors import MarketFault, Misconfigured
from withearth.domain.instrument import Instrument, instrument_from_exchange_info
from withearth.domain.reasons import Reason
from withearth.domain.times import Timeframe, from_ms, to_ms
from withearth.market.manifest import RecordedFile, read_manifest
from withearth.market.modelled_book import VOLUME_BARS, modelled_book, modelled_quote
from withearth.market.port import MarketOrigin, Settlement
from withearth.market.recorded_files import Recording, read_recording

_EXCHANGE_INFO: Final = "fapi-v1-exchangeInfo.json"


class RecordedMarket:
    """Recorded USDⓈ-M futures of one directory. Raises Misconfigured when it is not such a directory."""

    def __init__(self, directory: Path, *, spread_bps: Decimal) -> None:
        files = read_manifest(directory).futures()
        self._directory = directory
        self._spread_bps = spread_bps
        self._files = _files_by_symbol(files)
        self._listed = _newest_exchange_info(directory, files)
        self._instruments: dict[str, Instrument] = {}
        self._recordings: dict[str, Recording | MarketFault] = {}
        self._loading = Lock()

    @property
    def origin(self) -> MarketOrigin:
        """Where the prices come from."""
        return MarketOrigin.RECORDED

    def symbols(self) -> tuple[str, ...]:
        """The symbols of which 5m candles were recorded, in alphabetical order."""
        return tuple(
            sorted(
                symbol
                for symbol, files in self._files.items()
                if any(file.kind == "klines" and file.interval == Timeframe.M5 for file in files)
            )
        )

    def span(self, symbol: str) -> tuple[datetime, datetime]:
        """When the first 5m bar opens and the last one closes. There may be gaps between. Raises MarketFault."""
        bars = self._recording(symbol).candles[Timeframe.M5]
        if not len(bars):
            raise MarketFault(Reason.NO_CANDLES, f"{symbol} has no recorded 5m candles")
        return from_ms(int(bars.open_ms[0])), from_ms(bars.last_close_ms)

    def instrument(self, symbol: str) -> Instrument:
        """The filters of the newest recorded exchangeInfo. Raises MarketFault with INSTRUMENT_UNKNOWN."""
        known = self._instruments.get(symbol)
        if known is None:
            if symbol not in self._listed:
                raise MarketFault(Reason.INSTRUMENT_UNKNOWN, f"{symbol} is not in the recorded exchangeInfo")
            known = self._instruments[symbol] = instrument_from_exchange_info(self._listed[symbol])
        return known

    def quotes(self, symbols: Iterable[str], as_of: datetime) -> Mapping[str, Quote]:
        """A modelled quote at the last closed 5m bar of each symbol that has one, and the funding known then."""
        quotes = {}
        for symbol in symbols:
            try:
                quotes[symbol] = self._quote(symbol, as_of)
            except MarketFault:
                continue  # an absent quote is how the port says it; the reason comes with the candles
        return quotes

    def candles(self, symbol: str, timeframe: Timeframe, as_of: datetime, limit: int) -> Candles:
        """The newest `limit` bars closed at `as_of`. Raises MarketFault when a file of the symbol is unsound."""
        return self._recording(symbol).candles[timeframe].closed_at(to_ms(as_of), limit)

    def tradable(self, as_of: datetime) -> tuple[str, ...]:
        """The symbols that may be entered and of which a 5m bar has closed within the day before."""
        return tuple(symbol for symbol in self.symbols() if self._trades(symbol, as_of))

    def turnover(self, as_of: datetime) -> Mapping[str, float]:
        """What each tradable symbol traded in the 24 hours before, in the quote asset."""
        return {symbol: quote_turnover(self._day(symbol, as_of)) for symbol in self.tradable(as_of)}

    def windows(self, symbol: str, as_of: datetime, limit: int) -> Mapping[Timeframe, Candles]:
        """The newest `limit` closed bars of every timeframe. Raises MarketFault when a file is unsound."""
        return {timeframe: self.candles(symbol, timeframe, as_of, limit) for timeframe in Timeframe}

    def depth(self, symbol: str, as_of: datetime) -> OrderBook:
        """A modelled book at the last closed 5m bar. Raises MarketFault."""
        return modelled_book(self.instrument(symbol), self._bars(symbol, as_of, VOLUME_BARS), self._spread_bps)

    def settlements(self, symbol: str, after: datetime, until: datetime) -> tuple[Settlement, ...]:
        """The recorded settlements with after < at ≤ until; none where no funding was recorded."""
        return self._recording(symbol).funding.between(after, until)

    def _trades(self, symbol: str, as_of: datetime) -> bool:
        try:
            return self.instrument(symbol).tradable and len(self._day(symbol, as_of)) > 0
        except MarketFault:
            return False

    def _day(self, symbol: str, as_of: datetime) -> Candles:
        return self.candles(symbol, Timeframe.M5, as_of, DAY_BARS).opened_since(to_ms(as_of) - Timeframe.D1.ms)

    def _quote(self, symbol: str, as_of: datetime) -> Quote:
        bars, funding = self._bars(symbol, as_of, 1), self._recording(symbol).funding.known_at(as_of)
        return modelled_quote(self.instrument(symbol), bars, self._spread_bps, funding)

    def _bars(self, symbol: str, as_of: datetime, limit: int) -> Candles:
        bars = self.candles(symbol, Timeframe.M5, as_of, limit)
        if not len(bars):
            raise MarketFault(Reason.NO_CANDLES, f"{symbol} has no recorded 5m candle before {as_of.isoformat()}")
        return bars

    def _recording(self, symbol: str) -> Recording:
        found = self._recordings.get(symbol) or self._load(symbol)
        if isinstance(found, MarketFault):
            raise MarketFault(found.reason, found.detail)
        return found

    def _load(self, symbol: str) -> Recording | MarketFault:
        with self._loading:
            if symbol not in self._recordings:
                self._recordings[symbol] = self._read(symbol)
            return self._recordings[symbol]

    def _read(self, symbol: str) -> Recording | MarketFault:
        if symbol not in self._files:
            return MarketFault(Reason.NO_CANDLES, f"nothing is recorded of {symbol}")
        try:
            return read_recording(self._directory, self._files[symbol])
        except MarketFault as fault:
            return MarketFault(fault.reason, f"{symbol}: {fault.detail}")


def _files_by_symbol(files: Iterable[RecordedFile]) -> Mapping[str, list[RecordedFile]]:
    by_symbol: defaultdict[str, list[RecordedFile]] = defaultdict(list)
    for file in files:
        if file.symbol and file.kind in {"klines", "funding_rate_history"}:
            by_symbol[file.symbol].append(file)
    return dict(by_symbol)


def _newest_exchange_info(directory: Path, files: Iterable[RecordedFile]) -> Mapping[str, Mapping[str, Any]]:
    # The folder above the file is the instant of the recording, so the newest one sorts last.
    name = max((file.file for file in files if file.file.endswith(f"/{_EXCHANGE_INFO}")), default=_EXCHANGE_INFO)
    try:
        listed = json.loads((directory / name).read_bytes())["symbols"]
        return {entry["symbol"]: entry for entry in listed}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Misconfigured(
            f"{directory / name} is no recorded exchangeInfo ({error}): expected the exchange's answer with its "
            "'symbols'; restore the file, or name another directory of market data."
        ) from error
