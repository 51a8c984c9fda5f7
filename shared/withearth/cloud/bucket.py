"""Texts in a bucket of Cloud Storage: archives, and payloads too large or too private for the books."""

import logging
from typing import Final

from withearth.cloud.faults import Service
from withearth.cloud.patience import Patience
from withearth.cloud.rest import GoogleRest
from withearth.domain.errors import WithEarthError

_TYPES: Final = {".csv": "text/csv; charset=utf-8", ".json": "application/json"}

ONCE: Final = Patience(attempts=1, attempt_s=4.0)
"""A decision, or the rest of a pass, waits behind it: an archive is tried again by the next pass, a payload is lost."""

log = logging.getLogger(__name__)


class Bucket:
    """A folder of a bucket. What is written under a name again replaces what was there."""

    def __init__(self, bucket: str, prefix: str, project: str, rest: GoogleRest | None = None) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        service = Service(
            name="Cloud Storage",
            api="storage.googleapis.com",
            role="roles/storage.objectUser",
            project=project or "of this account",
            missing=f"There is no bucket {bucket}: correct GCS_BUCKET, or make it with `terraform apply`.",
        )
        self._rest = rest or GoogleRest(service)

    def keep(self, name: str, text: str) -> None:
        """Write a text under a name below the folder. Raises Misconfigured or Unavailable."""
        kind = next((kind for ending, kind in _TYPES.items() if name.endswith(ending)), "text/plain; charset=utf-8")
        self._rest.call(
            "POST",
            f"upload/storage/v1/b/{self._bucket}/o",
            params={"uploadType": "media", "name": f"{self._prefix}{name}"},
            data=text.encode(),
            headers={"Content-Type": kind},
            patience=ONCE,
        )


class BucketBlobs:
    """The blobs port over a bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def put(self, name: str, text: str) -> None:
        """Keep a text below `payloads/`; what cannot be kept is logged and lost."""
        try:
            self._bucket.keep(f"payloads/{name}", text)
        except WithEarthError as error:
            log.warning("payload %s was not written: %s", name, error)
