"""Gemini through Google's own SDK: with an API key, or on Vertex AI with the process's own credentials.

The SDK is imported when the first question is put, because it costs a second and tens of megabytes. The response is
taken as the bytes that came, so that what is stored is what was said. A call ends at its timeout however slowly the
other side sends: the SDK's own timeout starts anew with every byte.
"""

import functools
import queue
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar

from withearth.decision.gemini import ModelFault
from withearth.domain.errors import Misconfigured, WithEarthError
from withearth.domain.reasons import Reason
from withearth.settings import SecretSource, Settings, reveal, reveal_anew

if TYPE_CHECKING:
    from google.genai import Client
    from google.genai.errors import APIError

DETAIL_CHARACTERS: Final = 120
NOT_FOUND: Final = 404
TOO_MANY: Final = 429
OVERLOADED: Final = 503
SERVER_FAULT: Final = 500
KEY_REFUSED: Final = frozenset({400, 401, 403})
"""How Gemini answers to a key it does not know; 400 can mean something else, too."""

Result = TypeVar("Result")


class GeminiService:
    """Carries requests through google-genai."""

    def __init__(self, settings: Settings, secrets: SecretSource | None = None) -> None:
        self._settings = settings
        self._secrets = secrets
        self._lock = threading.Lock()

    @functools.cached_property
    def version(self) -> str:
        """The SDK and the way in."""
        from google.genai.version import __version__  # noqa: PLC0415 - paid for by who asks

        return f"google-genai {__version__}{' on vertex' if self._settings.vertex_project else ''}"

    def generate(self, model: str, body: dict[str, Any], timeout: timedelta) -> str:
        """The response's body as text. Raises ModelFault."""
        return self._answered(timeout, lambda: self._call(model, body, timeout))

    def look_up(self, model: str, timeout: timedelta) -> None:
        """Return when the service knows the model; asking costs nothing. Raises ModelFault."""
        self._answered(timeout, lambda: functools.partial(self._client().models.get, model=model))

    def _call(self, model: str, body: dict[str, Any], timeout: timedelta) -> Callable[[], str]:
        from google.genai import types  # noqa: PLC0415 - paid for by who asks

        client = self._client()
        config = types.GenerateContentConfig.model_validate(
            body["generationConfig"]
            | {
                "systemInstruction": body["systemInstruction"]["parts"][0]["text"],
                "automaticFunctionCalling": {"disable": True},
                "httpOptions": {"timeout": max(1, timeout // timedelta(milliseconds=1))},
                "shouldReturnHttpResponse": True,
            }
        )

        def call() -> str:
            text = body["contents"][0]["parts"][0]["text"]
            response = client.models.generate_content(model=model, contents=text, config=config)
            return "" if response.sdk_http_response is None else response.sdk_http_response.body or ""

        return call

    def _answered(self, timeout: timedelta, prepare: Callable[[], Callable[[], Result]]) -> Result:
        """What the prepared call returns in time. Raises ModelFault, whatever goes wrong."""
        try:
            # What is imported and built once is no part of the model's time.
            call = self._told(prepare())
            return within(timeout, call)
        except ModelFault:
            raise
        except Misconfigured as error:
            raise ModelFault(Reason.MODEL_REFUSED, str(error)) from error
        except Exception as error:
            # Credentials, proxies, the SDK's own parsing: whatever else a call can raise, the decision is to hold.
            raise ModelFault(Reason.MODEL_UNREACHABLE, type(error).__name__, charged=True) from error

    def _told(self, call: Callable[[], Result]) -> Callable[[], Result]:
        """A call of the SDK, with its errors as ModelFault."""
        import httpx2  # noqa: PLC0415 - the SDK's transport, paid for with it
        from google.genai import errors  # noqa: PLC0415 - paid for by who asks

        def told() -> Result:
            try:
                return call()
            except errors.APIError as error:
                if error.code in KEY_REFUSED:
                    self._renew()
                raise _api_fault(error) from error
            except httpx2.TimeoutException as error:
                raise _timed_out() from error
            except httpx2.ConnectError as error:
                raise ModelFault(Reason.MODEL_UNREACHABLE, type(error).__name__) from error

        return told

    def _renew(self) -> None:
        """Take up a newer key with the next question, where the settings only refer to it."""
        if self._secrets is None or self._settings.vertex_project:
            return
        with self._lock, suppress(WithEarthError):
            reveal_anew(self._settings, "GOOGLE_API_KEY", self._secrets)
            vars(self).pop("_built_client", None)

    def _client(self) -> "Client":
        with self._lock:
            return self._built_client

    @functools.cached_property
    def _built_client(self) -> "Client":
        from google import genai  # noqa: PLC0415 - paid for by who asks

        options = genai.types.HttpOptions(base_url=self._settings.g_base_url or None)
        if self._settings.vertex_project:
            return genai.Client(
                vertexai=True,
                project=self._settings.vertex_project,
                location=self._settings.vertex_location,
                http_options=options,
            )
        key = reveal(self._settings, "GOOGLE_API_KEY", self._secrets)
        return genai.Client(vertexai=False, api_key=key, http_options=options)


def within(timeout: timedelta, call: Callable[[], Result]) -> Result:
    """What `call` returns or raises, or MODEL_TIMEOUT once the time is over.

    The call goes on in a thread of its own that nobody waits for, as nothing can end a read from outside.
    """
    answers: queue.SimpleQueue[tuple[Result | None, BaseException | None]] = queue.SimpleQueue()

    def run() -> None:
        try:
            answers.put((call(), None))
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is waited for
            answers.put((None, error))

    threading.Thread(target=run, name="model-call", daemon=True).start()
    try:
        result, error = answers.get(timeout=timeout.total_seconds())
    except queue.Empty:
        raise _timed_out() from None
    if error is not None:
        raise error
    return result  # type: ignore[return-value]  # there is a result where there is no error


def _timed_out() -> ModelFault:
    return ModelFault(Reason.MODEL_TIMEOUT, "", charged=True)


def _api_fault(error: "APIError") -> ModelFault:
    """The fault behind an HTTP error. Its detail is the status only: a message could hold anything."""
    code = error.code or 0
    detail = f"{code} {re.sub(r'[^A-Z_]', '', str(error.status or ''))}"[:DETAIL_CHARACTERS]
    return ModelFault(_reason(code), detail, retry_after=_retry_after(error) if code == TOO_MANY else None)


def _reason(code: int) -> Reason:
    if code == NOT_FOUND:
        return Reason.MODEL_RETIRED
    if code in {TOO_MANY, OVERLOADED}:
        return Reason.MODEL_BUSY
    return Reason.MODEL_UNREACHABLE if code >= SERVER_FAULT else Reason.MODEL_REFUSED


def _retry_after(error: "APIError") -> timedelta | None:
    """The delay a 429 asks for in its RetryInfo."""
    found = re.search(r"'retryDelay': '(\d{1,6}(?:\.\d{1,9})?)s'", str(error.details))
    return None if found is None else timedelta(seconds=float(found.group(1)))
