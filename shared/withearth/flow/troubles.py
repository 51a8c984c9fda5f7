"""Troubles: what is wrong between the account and our books, in words that the status bar shows."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from withearth.execution.venue import EXTERNAL
from withearth.flow.account import sheet_of
from withearth.flow.documents import account_ref, canary_ref, drift_ref
from withearth.flow.runtime import Runtime
from withearth.views.overview import CANARY

UNKNOWN: Final = "EQUITY_UNKNOWN"
DRIFT: Final = "DRIFT"


def troubles(runtime: Runtime, now: datetime) -> Sequence[str] | None:
    """None without a venue, empty when all is well."""
    if runtime.venue is None:
        return None
    refs = [account_ref(runtime.mode), drift_ref(runtime.mode), canary_ref()]
    account, drift, canary = runtime.store.get_many(refs)
    sheet, found = sheet_of(account), list[str]()
    if runtime.mode in EXTERNAL and (sheet is None or not sheet.is_known(now)):
        found.append(UNKNOWN)
    if drift is not None and drift.data["differences"]:
        found.append(DRIFT)
    if canary is not None and canary.data["mode"] == runtime.mode and canary.data.get("fault"):
        found.append(CANARY)
    return found
