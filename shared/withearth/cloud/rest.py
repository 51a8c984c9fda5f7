"""Calls to Google's smaller services over REST, with what Firestore's client has loaded anyway: no client of their own.

Secrets, schedules and archives are a handful of calls, each a documented address; a library for each would cost every
function tens of milliseconds and megabytes at its start.
"""

import threading
from collections.abc import Mapping
from typing import Any, Final

import google.auth
import requests
from google.auth.exceptions import GoogleAuthError
from google.auth.transport.requests import AuthorizedSession

from withearth.cloud.faults import DETAIL_CHARACTERS, Service, credentials_fault, denied, quota_used_up
from withearth.cloud.patience import PATIENCE, Patience
from withearth.domain.errors import Misconfigured, Unavailable, WithEarthError

SCOPES: Final = ("https://www.googleapis.com/auth/cloud-platform",)
SERVER_FAULT: Final = 500


class GoogleRest:
    """One service at its address, called with the credentials of this machine. Safe for many threads."""

    def __init__(
        self,
        service: Service,
        address: str = "",
        session: requests.Session | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        """`address` and `session` stand in for the service and its credentials, which are looked for when needed."""
        self._service = service
        self._address = address or f"https://{service.api}"
        self._session = session
        self._patience = patience
        self._lock = threading.Lock()

    def call(
        self,
        method: str,
        path: str,
        *,
        service: Service | None = None,
        patience: Patience | None = None,
        **options: Any,
    ) -> Any:
        """The JSON of the answer, an empty map where there is none. `options` are those of requests.

        Repeated while the service does not answer: only for what may be done twice. Raises Misconfigured, with the
        sentences of `service` where something is particular to this call, and Unavailable.
        """
        subject, patient = service or self._service, patience or self._patience
        return patient.repeat(lambda: self._once(method, path, subject, {"timeout": patient.attempt_s, **options}))

    def _once(self, method: str, path: str, service: Service, options: Mapping[str, Any]) -> Any:
        try:
            session = self._opened()
            answer = session.request(method, f"{self._address}/{path}", allow_redirects=False, **options)
        except GoogleAuthError as error:
            raise credentials_fault(error, service) from error
        except requests.RequestException as error:
            raise Unavailable(f"{service.name} did not answer ({type(error).__name__}).") from error
        if answer.status_code == requests.codes.ok:
            return answer.json() if answer.content else {}
        raise _fault(answer, service)

    def _opened(self) -> requests.Session:
        with self._lock:
            if self._session is None:
                credentials, _ = google.auth.default(scopes=SCOPES)
                self._session = AuthorizedSession(credentials)
            return self._session


def _fault(answer: requests.Response, service: Service) -> WithEarthError:
    error = _error_of(answer)
    detail = str(error.get("message", ""))[:DETAIL_CHARACTERS]
    match answer.status_code:
        case requests.codes.unauthorized:
            return credentials_fault(Exception(), service)
        case requests.codes.forbidden:
            reasons = [each.get("reason") for each in error.get("details", []) if isinstance(each, dict)]
            return denied(service, str(next(filter(None, reasons), "")))
        case requests.codes.not_found:
            return Misconfigured(service.missing)
        case requests.codes.too_many_requests:
            return quota_used_up(service, detail)
        case status if status >= SERVER_FAULT:
            return Unavailable(f"{service.name} did not answer (HTTP {status}): {detail}")
        case status:
            return Misconfigured(f"{service.name} refuses the request (HTTP {status}): {detail}")


def _error_of(answer: requests.Response) -> dict[str, Any]:
    try:
        error = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}
