"""What goes wrong between us and one of Google's services, as one sentence with its remedy.

What a person has to mend is Misconfigured: a function answers 500, and the message waits in its subscription, and then
among the dead letters, until it is mended. Everything else may succeed later and is Unavailable.
"""

from dataclasses import dataclass
from typing import Any, Final

from google.api_core.exceptions import GoogleAPICallError
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError, RefreshError, TransportError
from grpc import StatusCode

from withearth.domain.errors import Misconfigured, Unavailable, WithEarthError

SWITCHED_OFF: Final = "SERVICE_DISABLED"
DETAIL_CHARACTERS: Final = 300


@dataclass(frozen=True, slots=True)
class Service:
    """One of Google's services: what it is called, its API, the role a caller needs, and what makes what is missing."""

    name: str
    api: str
    role: str
    project: str
    missing: str


def told(error: Exception, service: Service) -> WithEarthError:
    """The error to raise instead of one of a Google client's."""
    status = status_of(error)
    if isinstance(error, GoogleAuthError) or status is StatusCode.UNAUTHENTICATED:
        return credentials_fault(error, service)
    match status:
        case StatusCode.PERMISSION_DENIED:
            return denied(service, str(getattr(error, "reason", "")))
        case StatusCode.NOT_FOUND:
            return Misconfigured(service.missing)
        case StatusCode.INVALID_ARGUMENT | StatusCode.UNIMPLEMENTED:
            return Misconfigured(f"{service.name} refuses the request: {detail_of(error)}")
        case StatusCode.RESOURCE_EXHAUSTED:
            return quota_used_up(service, detail_of(error))
    name = type(error).__name__ if status is None else status.name
    return Unavailable(f"{service.name} did not answer ({name}): {detail_of(error)}")


def denied(service: Service, reason: str) -> Misconfigured:
    """The API is off, or this account has not the role."""
    if reason == SWITCHED_OFF:
        return Misconfigured(
            f"{service.api} is switched off in the project {service.project}: run "
            f"`gcloud services enable {service.api} --project {service.project}`, or correct PROJECT_ID."
        )
    return Misconfigured(
        f"{service.name} refuses this account in the project {service.project}: correct PROJECT_ID, or give the "
        f"account the role, `gcloud projects add-iam-policy-binding {service.project} --role {service.role} "
        "--member serviceAccount:EMAIL`."
    )


def quota_used_up(service: Service, detail: str) -> Unavailable:
    """Too much was asked for."""
    return Unavailable(
        f"{service.name}: a quota of the project {service.project} is used up ({detail}): "
        "it fills again by itself; raise it under IAM & Admin, Quotas, if this goes on."
    )


def credentials_fault(error: Exception, service: Service) -> WithEarthError:
    """No credentials, or such as are not accepted; a metadata server that does not answer may do so later."""
    passing = isinstance(error, TransportError) or (isinstance(error, RefreshError) and error.retryable)
    if passing and not isinstance(error, DefaultCredentialsError):
        return Unavailable(f"{service.name}: Google's credentials cannot be fetched now ({type(error).__name__}).")
    return Misconfigured(
        f"{service.name}: there are no valid Google credentials here: run `gcloud auth application-default login`, "
        "or set FIRESTORE_EMULATOR_HOST and PUBSUB_EMULATOR_HOST for the emulators."
    )


FAULTS: Final[tuple[type[Exception], ...]] = (GoogleAPICallError, GoogleAuthError)
"""What the clients raise."""


def status_of(error: Exception) -> Any:
    """The gRPC status of an error of a client, None where it has none."""
    return getattr(error, "grpc_status_code", None)


def detail_of(error: Exception) -> str:
    """What the service said, as far as anybody reads it."""
    return str(getattr(error, "message", error))[:DETAIL_CHARACTERS]
