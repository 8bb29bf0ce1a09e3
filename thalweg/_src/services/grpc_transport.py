"""Tasks of a cluster reach each other by gRPC: one method for each kind of question, whose messages are frames."""

from __future__ import annotations

import atexit
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any

from thalweg._src.core import errors
from thalweg._src.services.threads import Threads
from thalweg._src.services.worker import METHODS, Worker

_SERVICE = "thalweg.Task"
_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
]
# A task that was started again is found again within a second.
_AGAIN = [
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.min_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.enable_http_proxy", 0),
]


def _grpc() -> Any:
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")  # that a task has ended, an error of tf.errors says
    try:
        import grpc
    except ImportError as error:
        raise ImportError(
            "A cluster of several processes needs the package grpcio: pip install 'thalweg[distributed]'"
        ) from error
    return grpc


class _Call:
    """A question that was sent."""

    def __init__(self, future: Any):
        self._future = future

    def when_done(self, then: Callable[[], None]) -> None:
        self._future.add_done_callback(lambda _: then())

    def cancel(self) -> None:
        self._future.cancel()

    def result(self) -> bytes:
        """The answer. Raises the error of tf.errors whose code gRPC gives."""
        grpc = _grpc()
        try:
            return self._future.result()
        except grpc.FutureCancelledError:
            raise errors.CancelledError(None, None, "The call was cancelled") from None
        except grpc.RpcError as error:
            kind = errors.exception_type_from_error_code(error.code().value[0])
            raise kind._rebuild(error.details() or str(error.code()), error.code().value[0]) from None


class _Link:
    """A channel to an address."""

    def __init__(self, address: str):
        self._channel = _grpc().insecure_channel(address, [*_OPTIONS, *_AGAIN])
        self._methods: dict[str, Any] = {}

    def call(self, method: str, frame: bytes, seconds: float | None = None) -> _Call:
        found = self._methods.get(method)
        if found is None:
            found = self._methods[method] = self._channel.unary_unary(f"/{_SERVICE}/{method}")
        return _Call(found.future(frame, timeout=seconds, wait_for_ready=seconds is not None))


class GrpcTransport:
    """See runtime/links.py."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._links: dict[str, _Link] = {}
        self._servers: weakref.WeakKeyDictionary[Any, Any] = weakref.WeakKeyDictionary()

    def reach(self, address: str) -> _Link:
        """The channel to an address: one for all sessions of the process."""
        with self._lock:
            if address not in self._links:
                self._links[address] = _Link(address)
            return self._links[address]

    def serve(self, server: Any, address: str) -> int:
        """Answer for `server`, a LocalServer, until it is forgotten. Raises UnknownError where the port is taken."""
        grpc = _grpc()
        worker = Worker(server)

        def handler(method: str) -> Any:
            return grpc.unary_unary_rpc_method_handler(
                lambda frame, context: worker.answer(method, frame, context.add_callback)
            )

        made = grpc.server(Threads("thalweg-task"), options=[*_OPTIONS, ("grpc.so_reuseport", 0)])
        made.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(_SERVICE, {method: handler(method) for method in METHODS})]
        )
        try:
            port = made.add_insecure_port(address)
        except RuntimeError:
            port = 0
        if not port:
            raise errors.UnknownError(None, None, f"Could not start gRPC server: {address} is in use or not of here")
        made.start()
        with self._lock:
            self._servers[server] = made
        atexit.register(made.stop, None)
        return port
