"""Binance's public archive over HTTPS: one zip file a piece, and beside it the SHA-256 that it has to have.

Layout: https://github.com/binance/binance-public-data. A file counts only when its checksum is there and agrees; what
does not arrive whole is asked for again as often as the settings say. Impure: reads the network, from any thread.
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import requests

from withearth.domain.clock import Timer
from withearth.domain.errors import MarketFault, Unavailable
from withearth.domain.reasons import Reason
from withearth.history.periods import Period, Series
from withearth.market.routes import Access

CHECKSUM_BYTES_MAX: Final = 1_024
GIVE_UP_AFTER: Final = 8
"""Files in a row that the archive could not be reached for, each of them tried several times."""
_CHUNK: Final = 65_536
_SERVER_FAULT: Final = 500


@dataclass(frozen=True, slots=True)
class Archived:
    """A file of the archive, checked against its checksum."""

    url: str
    sha256: str
    content: bytes


class Archive:
    """The archive at one address. Once it has not been reached GIVE_UP_AFTER times in a row, Unavailable is raised."""

    def __init__(self, access: Access, timer: Timer) -> None:
        self._access = access
        self._timer = timer
        self._unreached = 0
        self._session = requests.Session()
        self._session.trust_env = False

    def fetch(self, series: Series, period: Period, bytes_max: int) -> Archived | None:
        """The zip file of a piece, None where the archive has none. Raises MarketFault, or Unavailable."""
        url = f"{self._access.base_url}/{path_of(series, period)}"
        told = self._get(f"{url}.CHECKSUM", CHECKSUM_BYTES_MAX)
        if told is None:
            return None
        expected = _checksum(url, told)
        content = self._get(url, bytes_max)
        if content is None:
            raise MarketFault(Reason.DATA_UNREADABLE, f"{url} is not there, but its checksum is: try again later")
        found = hashlib.sha256(content).hexdigest()
        if found != expected:
            raise MarketFault(
                Reason.DATA_UNREADABLE,
                f"{url} has the SHA-256 {found[:12]}…, its checksum file says {expected[:12]}…: nothing was kept of "
                "it, try again later",
            )
        return Archived(url, found, content)

    def _get(self, url: str, bytes_max: int) -> bytes | None:
        """A file, None for a 404. Raises MarketFault once all attempts have failed, or Unavailable."""
        for attempt in range(self._access.retries + 1):
            if attempt:
                self._timer.sleep(timedelta(milliseconds=self._access.backoff_ms * attempt))
            try:
                found = self._once(url, bytes_max)
            except MarketFault as error:
                fault = error
                if fault.reason is not Reason.MARKET_UNREACHABLE:
                    break
            else:
                self._unreached = 0
                return found
        self._unreached += fault.reason is Reason.MARKET_UNREACHABLE
        if self._unreached >= GIVE_UP_AFTER:
            raise Unavailable(f"{fault.detail}: the archive does not answer, look at the network and start again.")
        raise fault

    def _once(self, url: str, bytes_max: int) -> bytes | None:
        try:
            with self._session.get(url, timeout=self._access.timeout_ms / 1000, stream=True) as answer:
                if answer.status_code == requests.codes.not_found:
                    return None
                _refuse_status(url, answer.status_code)
                return _read(url, answer, bytes_max)
        except requests.RequestException as error:
            raise MarketFault(Reason.MARKET_UNREACHABLE, f"{url}: {type(error).__name__}") from error


def path_of(series: Series, period: Period) -> str:
    """Where the archive keeps a piece."""
    often = "monthly" if period.monthly else "daily"
    if series.timeframe is None:
        folder, name = f"fundingRate/{series.symbol}", f"{series.symbol}-fundingRate-{period.name}"
    else:
        folder = f"klines/{series.symbol}/{series.timeframe}"
        name = f"{series.symbol}-{series.timeframe}-{period.name}"
    return f"data/futures/um/{often}/{folder}/{name}.zip"


def _refuse_status(url: str, status: int) -> None:
    if status == requests.codes.unavailable_for_legal_reasons:
        raise MarketFault(Reason.REGION_REFUSED)
    if status >= _SERVER_FAULT:
        raise MarketFault(Reason.MARKET_UNREACHABLE, f"{url}: HTTP {status}")
    if status != requests.codes.ok:
        raise MarketFault(Reason.MARKET_REFUSED, f"{url}: HTTP {status}")


def _read(url: str, answer: requests.Response, bytes_max: int) -> bytes:
    """The body, as long as it is no longer than a file of this kind can be."""
    content = bytearray()
    for chunk in answer.iter_content(_CHUNK):
        content += chunk
        if len(content) > bytes_max:
            raise MarketFault(Reason.DATA_UNREADABLE, f"{url} is longer than {bytes_max} bytes, which no such file is")
    return bytes(content)


def _checksum(url: str, told: bytes) -> str:
    """The digest in a checksum file, `DIGEST  NAME` as sha256sum writes it, for the file it stands beside."""
    found = re.fullmatch(r"([0-9a-f]{64})\s+\*?(\S+)\s*", told.decode("utf-8", "replace"))
    if found is None or found.group(2) != url.rpartition("/")[2]:
        raise MarketFault(
            Reason.DATA_UNREADABLE, f"{url}.CHECKSUM is no checksum of that file: nothing was fetched, try again later"
        )
    return found.group(1)
