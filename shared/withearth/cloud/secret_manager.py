"""Secrets of a project's Secret Manager, fetched when they are needed and kept in memory only.

A value that did not open its door is fetched again, since its owner may have put a newer version there: at most once a
minute, whatever is refused.
"""

import base64
import binascii
import threading
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from withearth.cloud.faults import Service
from withearth.cloud.rest import GoogleRest
from withearth.domain.clock import Clock
from withearth.domain.errors import Misconfigured

REFRESH_EVERY: Final = timedelta(minutes=1)


def service_of(project: str) -> Service:
    """What Secret Manager is called in sentences."""
    return Service("Secret Manager", "secretmanager.googleapis.com", "roles/secretmanager.secretAccessor", project, "")


class SecretManager:
    """The newest version of each secret of one project. Safe for many threads."""

    def __init__(self, project: str, clock: Clock, rest: GoogleRest | None = None) -> None:
        self._service = service_of(project)
        self._rest = rest or GoogleRest(self._service)
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[str, datetime]] = {}

    def resolve(self, name: str) -> str:
        """The value stored under this name. Raises Misconfigured or Unavailable."""
        with self._lock:
            if name not in self._kept:
                self._kept[name] = (self._fetched(name), self._clock.now())
            return self._kept[name][0]

    def forget(self, name: str) -> None:
        """Fetch the value again when it is asked for next, unless it was fetched within the last minute."""
        with self._lock:
            _, fetched_at = self._kept.get(name, ("", None))
            if fetched_at is not None and self._clock.now() - fetched_at >= REFRESH_EVERY:
                del self._kept[name]

    def _fetched(self, name: str) -> str:
        project = self._service.project
        missing = (
            f"There is no secret {name} with a value in the project {project}: "
            f"`gcloud secrets versions add {name} --project {project} --data-file -` stores one."
        )
        path = f"v1/projects/{project}/secrets/{name}/versions/latest:access"
        answer = self._rest.call("GET", path, service=replace(self._service, missing=missing))
        try:
            return base64.b64decode(answer["payload"]["data"], validate=True).decode()
        except (KeyError, TypeError, ValueError, binascii.Error):
            # From nothing, because the error could quote the value.
            raise Misconfigured(f"The secret {name} of the project {project} is no text: store it anew.") from None
