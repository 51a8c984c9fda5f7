"""A gRPC server on the loopback that keeps what Google's own clients send, and answers or fails as it was told."""

import inspect
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import grpc
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status

FIRESTORE: Final = "/google.firestore.v1.Firestore/"
PUBLISH: Final = "/google.pubsub.v1.Publisher/Publish"


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is none: its status, what it says, and the reason that Google gives for a denial."""

    status: grpc.StatusCode
    text: str = "told to fail"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """What the server can be asked: the client's types, and the answer, a generator where it streams."""

    request: Any
    reply: Any
    answer: Callable[[Any], Any]


@dataclass
class GoogleServer(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Knows the given methods; `calls` are the requests, as (method, request), in their order."""

    methods: dict[str, Method]
    calls: list[tuple[str, Any]] = field(default_factory=list)
    failures: dict[str, list[Failure]] = field(default_factory=lambda: defaultdict(list))
    metadata: list[dict[str, str]] = field(default_factory=list)

    def fail(self, method: str, *failures: Failure | grpc.StatusCode) -> None:
        """Let the next calls of a method fail, one after the other."""
        self.failures[method] += [each if isinstance(each, Failure) else Failure(each) for each in failures]

    def requests(self, method: str) -> list[Any]:
        """The requests of one method."""
        return [request for name, request in self.calls if name == method]

    def service(self, details: Any) -> Any:
        """The handler of a method, None for one that is not known."""
        method = self.methods.get(details.method)
        if method is None:
            return None

        def heard(request: Any, context: Any) -> None:
            self.calls.append((details.method, request))
            self.metadata.append(dict(details.invocation_metadata))
            if self.failures[details.method]:
                _abort(context, self.failures[details.method].pop(0))

        def unary(request: Any, context: Any) -> Any:
            heard(request, context)
            return method.answer(request)

        def streamed(request: Any, context: Any) -> Iterator[Any]:
            heard(request, context)
            yield from method.answer(request)

        types = (method.request.deserialize, method.reply.serialize)
        if inspect.isgeneratorfunction(method.answer):
            return grpc.unary_stream_rpc_method_handler(streamed, *types)
        return grpc.unary_unary_rpc_method_handler(unary, *types)


def _abort(context: Any, failure: Failure) -> None:
    if failure.reason:
        status = Status(code=failure.status.value[0], message=failure.text)
        status.details.add().Pack(ErrorInfo(reason=failure.reason, domain="googleapis.com"))
        context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(failure.status, failure.text)


@contextmanager
def serving(server: GoogleServer) -> Iterator[str]:
    """The host:port under which it answers."""
    with ThreadPoolExecutor(4) as pool:
        grpc_server = grpc.server(pool, options=[("grpc.max_receive_message_length", -1)])
        grpc_server.add_generic_rpc_handlers((server,))
        port = grpc_server.add_insecure_port("127.0.0.1:0")
        grpc_server.start()
        yield f"127.0.0.1:{port}"
        grpc_server.stop(None).wait()
