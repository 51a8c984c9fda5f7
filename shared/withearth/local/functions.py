"""All functions in one process, built by functions-framework exactly as the platform builds them."""

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import functions_framework
from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from withearth.bootstrap import ENVIRON_KEY
from withearth.domain.errors import Misconfigured
from withearth.flow.runtime import Runtime

FUNCTIONS: Final = ("dispatcher", "worker", "executor", "reconciler", "sentiment", "api")
REPOSITORY: Final = Path(__file__).resolve().parents[3]


@functools.cache
def function_app(name: str) -> Flask:
    """The WSGI application of one function. Raises Misconfigured outside a checkout, where there is no main.py."""
    source = REPOSITORY / "functions" / name / "main.py"
    if not source.is_file():
        raise Misconfigured(f"There is no {source}: run withearth from a checkout of its repository.")
    app: Flask = functions_framework.create_app(target=name, source=str(source), signature_type="http")  # type: ignore[no-untyped-call]
    return app


class FunctionHost:
    """Calls functions without a socket, with one runtime for all of them."""

    def __init__(self, runtime: Runtime) -> None:
        self._base: dict[str, Any] = {ENVIRON_KEY: runtime}

    def call(
        self,
        name: str,
        *,
        method: str = "POST",
        path: str = "/",
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        """The status and the body a function answers with. An exception in it is a 500, as on the platform."""
        builder = EnvironBuilder(
            path=path,
            method=method,
            data=body,
            headers=Headers(headers),
            content_type="application/json",
            environ_overrides=self._base,
        )
        chunks, status, _ = run_wsgi_app(function_app(name), builder.get_environ(), buffered=True)
        return int(status.split(" ", 1)[0]), b"".join(chunks)
