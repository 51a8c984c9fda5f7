"""Secrets, schedules and archives over REST: what is asked, what is understood, and what becomes of every fault."""

import base64
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import google.auth
import pytest
import requests
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError

from tests.builders.documents import NOON
from tests.fakes.clock import ManualClock
from tests.fakes.google_rest import RestServer, serving
from withearth.cloud.bucket import Bucket, BucketBlobs
from withearth.cloud.faults import Service
from withearth.cloud.logs import JsonFormatter
from withearth.cloud.patience import Patience
from withearth.cloud.rest import GoogleRest
from withearth.cloud.schedules import CloudSchedules
from withearth.cloud.secret_manager import SecretManager
from withearth.domain.errors import Misconfigured, Unavailable
from withearth.settings import load_settings, reveal, reveal_anew

ATTEMPTS = 3
SERVICE = Service("Cloud Thing", "thing.googleapis.com", "roles/thing.user", "demo", "There is no thing: make one.")


@pytest.fixture
def server() -> RestServer:
    """A service."""
    return RestServer()


@pytest.fixture
def rest(server: RestServer) -> Iterator[GoogleRest]:
    """The line to it; it waits without waiting."""
    with serving(server) as address:
        yield GoogleRest(SERVICE, address, requests.Session(), Patience(ATTEMPTS, sleep=lambda _: None))


def secret(value: str) -> tuple[int, Any]:
    """Secret Manager's answer."""
    return 200, {
        "name": "projects/1/secrets/x/versions/3",
        "payload": {"data": base64.b64encode(value.encode()).decode()},
    }


# Faults


@pytest.mark.parametrize(
    ("status", "error", "kind", "words"),
    [
        (401, {}, Misconfigured, "gcloud auth application-default login"),
        (403, {"message": "no"}, Misconfigured, r"demo.*roles/thing\.user"),
        (
            403,
            {"details": [{"@type": "x"}, {"reason": "SERVICE_DISABLED"}]},
            Misconfigured,
            r"gcloud services enable thing\.googleapis\.com --project demo",
        ),
        (404, {}, Misconfigured, "There is no thing: make one."),
        (400, {"message": "bad name"}, Misconfigured, "HTTP 400.*bad name"),
        (429, {"message": "per minute"}, Unavailable, "quota.*per minute"),
        (503, {"message": "down"}, Unavailable, "HTTP 503.*down"),
        (500, "no JSON", Unavailable, "HTTP 500"),
    ],
)
def test_a_fault_is_a_sentence_with_its_remedy(
    server: RestServer, rest: GoogleRest, status: int, error: Any, kind: type[Exception], words: str
) -> None:
    """Repeated where it may pass by itself, told at once where a person has to mend it."""
    server.replies = [(status, error if isinstance(error, str) else {"error": error})]

    with pytest.raises(kind, match=words):
        rest.call("GET", "v1/things")
    assert (ATTEMPTS if kind is Unavailable else 1) == len(server.asked)


def test_a_service_that_does_not_answer_is_asked_again(server: RestServer, rest: GoogleRest) -> None:
    """Until it does."""
    server.replies = [(503, {}), (502, {}), (200, {"n": 1})]

    assert {"n": 1} == rest.call("GET", "v1/things")


def test_a_line_that_is_cut_is_no_answer() -> None:
    """Nobody listens there."""
    rest = GoogleRest(SERVICE, "http://127.0.0.1:9", requests.Session(), Patience(1))

    with pytest.raises(Unavailable, match=r"Cloud Thing did not answer \(ConnectionError\)"):
        rest.call("GET", "v1/things")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (DefaultCredentialsError("none"), Misconfigured),
        (RefreshError("revoked"), Misconfigured),
        (RefreshError("busy", retryable=True), Unavailable),
        (TransportError("metadata"), Unavailable),
    ],
)
def test_credentials_are_told_apart(monkeypatch: pytest.MonkeyPatch, error: Exception, kind: type[Exception]) -> None:
    """None, or revoked ones, are a person's business; a metadata server that does not answer is not."""

    def fail(**_: Any) -> None:
        raise error

    monkeypatch.setattr(google.auth, "default", fail)
    with pytest.raises(kind, match="credentials"):
        GoogleRest(SERVICE, patience=Patience(1)).call("GET", "v1/things")


# Secret Manager


def test_a_secret_is_fetched_once(server: RestServer, rest: GoogleRest) -> None:
    """Its newest version, and from memory after that."""
    server.replies = [secret("s3cr3t\n")]
    source = SecretManager("demo", ManualClock(NOON), rest)
    settings = load_settings({"XAI_API_KEY": "secret://xai-api-key"}, env_file=None)

    assert ["s3cr3t", "s3cr3t"] == [reveal(settings, "XAI_API_KEY", source) for _ in range(2)]
    (asked,) = server.asked
    assert ("GET", "/v1/projects/demo/secrets/xai-api-key/versions/latest:access") == (asked.method, asked.path)


def test_a_refused_secret_is_fetched_anew_once_a_minute(server: RestServer, rest: GoogleRest) -> None:
    """Its owner may have stored a newer one; a door that stays shut costs one call a minute."""
    server.replies = [secret("old"), secret("new")]
    clock = ManualClock(NOON)
    source = SecretManager("demo", clock, rest)
    settings = load_settings({"XAI_API_KEY": "secret://x"}, env_file=None)

    assert "old" == reveal(settings, "XAI_API_KEY", source)
    assert "old" == reveal_anew(settings, "XAI_API_KEY", source)
    clock.advance(timedelta(minutes=1))
    assert "new" == reveal_anew(settings, "XAI_API_KEY", source)
    assert 2 == len(server.asked)


def test_a_fetched_secret_never_reaches_a_log(server: RestServer, rest: GoogleRest) -> None:
    """It stands in no setting, and is starred all the same."""
    server.replies = [secret("fetched-and-hidden")]
    settings = load_settings({"XAI_API_KEY": "secret://x"}, env_file=None)
    reveal(settings, "XAI_API_KEY", SecretManager("demo", ManualClock(NOON), rest))
    record = logging.makeLogRecord({"msg": "Bearer fetched-and-hidden", "levelname": "INFO"})

    assert "fetched" not in JsonFormatter(settings).format(record)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((404, {"error": {}}), r"no secret x with a value in the project demo.*gcloud secrets versions add x"),
        ((403, {"error": {}}), r"roles/secretmanager\.secretAccessor"),
        ((200, {"payload": {}}), "is no text"),
        ((200, {"payload": {"data": base64.b64encode(b"\xff\xfe").decode()}}), "is no text"),
    ],
)
def test_a_secret_that_cannot_be_had_is_told(server: RestServer, rest: GoogleRest, reply: Any, words: str) -> None:
    """By its name, with the remedy, and without its value."""
    server.replies = [reply]

    with pytest.raises(Misconfigured, match=words) as told:
        SecretManager("demo", ManualClock(NOON), rest).resolve("x")
    assert told.value.__cause__ is None or "xff" not in str(told.value.__cause__)


# Cloud Scheduler


def test_schedules_are_listed_with_their_state(server: RestServer, rest: GoogleRest) -> None:
    """Name, cron, next run, and how the last one went."""
    job = {
        "name": "projects/demo/locations/asia-northeast1/jobs/dispatcher",
        "schedule": "*/5 * * * *",
        "state": "PAUSED",
        "scheduleTime": "2026-01-01T00:05:00Z",
        "lastAttemptTime": "2026-01-01T00:00:00Z",
        "status": {"code": 13, "message": "HTTP 500"},
    }
    server.replies = [(200, {"jobs": [job | {"name": "x/reconciler", "state": "ENABLED", "status": {}}, job]})]
    first, second = CloudSchedules("demo", "asia-northeast1", rest).all()

    assert ("dispatcher", "*/5 * * * *", True) == (first.name, first.cron, first.paused)
    assert "2026-01-01T00:00:00Z failed: HTTP 500" == first.last
    assert ("reconciler", False, "2026-01-01T00:00:00Z called") == (second.name, second.paused, second.last)
    assert "/v1/projects/demo/locations/asia-northeast1/jobs" == server.asked[0].path


@pytest.mark.parametrize("verb", ["pause", "resume", "run"])
def test_a_schedule_is_changed_by_its_name(server: RestServer, rest: GoogleRest, verb: str) -> None:
    """One call, and a sentence where there is none of that name."""
    schedules = CloudSchedules("demo", "asia-northeast1", rest)
    getattr(schedules, verb)("dispatcher")

    (asked,) = server.asked
    assert ("POST", f"/v1/projects/demo/locations/asia-northeast1/jobs/dispatcher:{verb}") == (asked.method, asked.path)
    server.replies = [(404, {})]
    with pytest.raises(Misconfigured, match="There is no schedule dispatch in the region asia-northeast1"):
        getattr(schedules, verb)("dispatch")


# Cloud Storage


def test_an_archive_is_an_object_below_the_prefix(server: RestServer, rest: GoogleRest) -> None:
    """The whole text in one request, over what was there."""
    Bucket("archive", "/trading_bot/", "demo", rest).keep("journal/20240101.csv", "a,한\n")

    (asked,) = server.asked
    assert ("POST", "/upload/storage/v1/b/archive/o") == (asked.method, asked.path)
    assert {"uploadType": "media", "name": "trading_bot/journal/20240101.csv"} == asked.query
    assert ("a,한\n".encode(), "text/csv; charset=utf-8") == (asked.body, asked.content_type)


def test_without_a_prefix_objects_lie_at_the_top(server: RestServer, rest: GoogleRest) -> None:
    """No empty folder."""
    Bucket("archive", "", "demo", rest).keep("a.json", "{}")

    assert "a.json" == server.asked[0].query["name"]


@pytest.mark.parametrize("status", [403, 503])
def test_a_payload_that_cannot_be_kept_is_logged(
    server: RestServer, rest: GoogleRest, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """No decision waits for it: it is tried once, also where the service might answer later."""
    blobs = BucketBlobs(Bucket("archive", "p", "demo", rest))
    blobs.put("20240101/x.json", "{}")
    assert "p/payloads/20240101/x.json" == server.asked[0].query["name"]

    server.replies = [(status, {})]
    blobs.put("20240101/y.json", "{}")
    assert 2 == len(server.asked)
    assert "payload 20240101/y.json was not written" in caplog.text
