"""Threads that fill queues: `tf.train.QueueRunner`, `tf.train.start_queue_runners`."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core import errors, scopes
from thalweg._src.core.collection_protos import register_proto_function
from thalweg._src.core.graph import Operation, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.coordinator import Coordinator
from thalweg._src.lib.platform import logging as log
from thalweg._src.runtime.base_session import BaseSession
from thalweg._src.runtime.session import get_default_session


class QueueRunner:
    """A queue and the operations that fill it, each of which a thread runs again and again.

    When all of them have run out of input (`queue_closed_exception_types`, OutOfRangeError unless given), `close_op`
    closes the queue: what is in it can still be taken. When the coordinator stops, `cancel_op` closes it at once. An
    error goes to the coordinator; without one, it is kept in `exceptions_raised`, and who takes from the queue gets it
    once the queue is empty.
    """

    def __init__(
        self,
        queue: Any = None,
        enqueue_ops: Sequence[Any] | None = None,
        close_op: Operation | None = None,
        cancel_op: Operation | None = None,
        queue_closed_exception_types: tuple[type[errors.OpError], ...] | None = None,
        queue_runner_def: Any = None,
        import_scope: str | None = None,
    ):
        if queue_runner_def:
            if queue or enqueue_ops:
                raise ValueError("queue_runner_def and queue are mutually exclusive.")
            self._read(queue_runner_def, import_scope)
        else:
            if not queue or not enqueue_ops:
                raise ValueError("Must provide queue and enqueue_ops.")
            ends = queue_closed_exception_types
            if ends is not None and (
                not isinstance(ends, tuple) or not ends or not all(issubclass(t, errors.OpError) for t in ends)
            ):
                raise TypeError(
                    f"queue_closed_exception_types, when provided, must be a tuple of tf.error types, but saw: {ends}"
                )
            self._queue, self._enqueue_ops = queue, enqueue_ops
            self._close_op = queue.close() if close_op is None else close_op
            self._cancel_op = queue.close(cancel_pending_enqueues=True) if cancel_op is None else cancel_op
            self._ends = ends or (errors.OutOfRangeError,)
        self._lock = threading.Lock()
        self._runs: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()  # threads of each session
        self._exceptions_raised: list[BaseException] = []

    def _read(self, definition: Any, scope: str | None) -> None:
        graph = get_default_graph()

        def find(name: str) -> Any:
            return graph.as_graph_element(scopes.prepend_name_scope(name, scope))

        self._queue = find(definition.queue_name)
        self._enqueue_ops = [find(name) for name in definition.enqueue_op_name]
        self._close_op, self._cancel_op = find(definition.close_op_name), find(definition.cancel_op_name)
        codes = definition.queue_closed_exception_types
        self._ends = tuple(errors.exception_type_from_error_code(c) for c in codes) or (errors.OutOfRangeError,)

    @property
    def queue(self) -> Any:
        return self._queue

    @property
    def enqueue_ops(self) -> Sequence[Any]:
        return self._enqueue_ops

    @property
    def close_op(self) -> Operation:
        return self._close_op

    @property
    def cancel_op(self) -> Operation:
        return self._cancel_op

    @property
    def queue_closed_exception_types(self) -> tuple[type[errors.OpError], ...]:
        return self._ends

    @property
    def exceptions_raised(self) -> list[BaseException]:
        """What threads without a coordinator ended with."""
        return self._exceptions_raised

    @property
    def name(self) -> str:
        """The name of the queue."""
        return self._queue.name

    def _enqueuer(self, sess: Any, enqueue_op: Any) -> Callable[[Callable[[], bool]], Any]:
        """What a thread calls again and again, with what tells whether to stop."""
        if isinstance(sess, BaseSession):
            return sess._often(enqueue_op)
        call = sess.make_callable(enqueue_op)
        return lambda stop: call()

    def _run(self, sess: Any, enqueue_op: Any, coord: Coordinator | None = None) -> None:
        left = False
        try:
            enqueue = self._enqueuer(sess, enqueue_op)
            stop = coord.should_stop if coord else lambda: False
            while not stop():
                try:
                    enqueue(stop)
                except self._ends:
                    with self._lock:
                        self._runs[sess] -= 1
                        left = True
                        if self._runs[sess] == 0:
                            _quietly(sess, self._close_op)
                    return
        except Exception as error:
            if coord:
                coord.request_stop(error)
                return
            if getattr(sess, "_closed", False):
                return  # the session has ended, at whatever point of this step, and the thread with it
            log.error("Exception in QueueRunner: %s", error)
            with self._lock:
                self._exceptions_raised.append(error)
            self._fail(sess, error)
            raise
        finally:
            if not left:
                with self._lock:
                    self._runs[sess] -= 1

    def _fail(self, sess: Any, error: Exception) -> None:
        """Hand the error on to those that take from the queue, who would wait for ever."""
        made = self._queue if isinstance(self._queue, Operation) else self._queue.queue_ref.op
        found = sess._find_resource("queue", made) if isinstance(sess, BaseSession) else None
        if found is not None:
            found.fail(error)

    def _close_on_stop(
        self, sess: Any, cancel_op: Operation, coord: Coordinator, threads: Sequence[threading.Thread] = ()
    ) -> None:
        coord.wait_for_stop()
        _quietly(sess, cancel_op)
        # A thread may wait for something else than the queue: for another queue, or for gradients.
        while isinstance(sess, BaseSession) and not sess._closed and any(t.is_alive() for t in threads):
            sess._cancel_runs([t.ident for t in threads if t.ident is not None])
            time.sleep(0.01)

    def create_threads(
        self, sess: Any, coord: Coordinator | None = None, daemon: bool = False, start: bool = False
    ) -> list[threading.Thread]:
        """A thread for each enqueue op, and one that closes the queue when `coord` stops; none where they run already."""
        with self._lock:
            if self._runs.get(sess, 0) > 0:
                return []
            self._runs[sess] = len(self._enqueue_ops)
            self._exceptions_raised = []
        threads = [
            threading.Thread(target=self._run, args=(sess, op, coord), name=f"QueueRunnerThread-{self.name}-{op.name}")
            for op in self._enqueue_ops
        ]
        if coord:
            name = f"QueueRunnerThread-{self.name}-close_on_stop"
            args = (sess, self._cancel_op, coord, tuple(threads))
            threads.append(threading.Thread(target=self._close_on_stop, args=args, name=name))
        for thread in threads:
            if coord:
                coord.register_thread(thread)
            if daemon:
                thread.daemon = True
            if start:
                thread.start()
        return threads

    def to_proto(self, export_scope: str | None = None) -> Any:
        """A QueueRunnerDef; None where the queue is not in `export_scope`."""
        from thalweg._src.formats import protos

        if export_scope is not None and not self.name.startswith(export_scope):
            return None
        strip = lambda name: scopes.strip_name_scope(name, export_scope)
        return protos.QueueRunnerDef(
            queue_name=strip(self.name),
            enqueue_op_name=[strip(op.name) for op in self._enqueue_ops],
            close_op_name=strip(self._close_op.name),
            cancel_op_name=strip(self._cancel_op.name),
            queue_closed_exception_types=[errors.error_code_from_exception_type(t) for t in self._ends],
        )

    @staticmethod
    def from_proto(queue_runner_def: Any, import_scope: str | None = None) -> QueueRunner:
        """The runner that a QueueRunnerDef describes, in the default graph."""
        return QueueRunner(queue_runner_def=queue_runner_def, import_scope=import_scope)


def _quietly(sess: Any, op: Operation) -> None:
    try:
        sess.run(op)
    except Exception as error:  # the session or the queue may be closed already
        log.debug("Ignored exception: %s", error)


def add_queue_runner(qr: QueueRunner, collection: str = GraphKeys.QUEUE_RUNNERS) -> None:
    """Add a runner to those that `start_queue_runners` starts."""
    scopes.add_to_collection(collection, qr)


def start_queue_runners(
    sess: Any = None,
    coord: Coordinator | None = None,
    daemon: bool = True,
    start: bool = True,
    collection: str = GraphKeys.QUEUE_RUNNERS,
) -> list[threading.Thread]:
    """Start the threads of all queue runners of the graph and return them.

    Raises ValueError without a session, TypeError for what is none.
    """
    if sess is None:
        sess = get_default_session()
        if not sess:
            raise ValueError(
                "Cannot start queue runners: No default session is registered. Use `with sess.as_default()` or pass an explicit "
                "session to tf.start_queue_runners(sess=sess)"
            )
    if not isinstance(sess, BaseSession):
        if type(sess).__name__ in ("MonitoredSession", "SingularMonitoredSession"):
            return []  # it has started them itself
        raise TypeError(f"sess must be a `tf.Session` object. Given class: {type(sess)}")
    with sess.graph.as_default():
        runners = scopes.get_collection(collection)
        if not runners:
            log.warning("`tf.train.start_queue_runners()` was called when no queue runners were defined.")
        return [t for r in runners for t in r.create_threads(sess, coord=coord, daemon=daemon, start=start)]


register_proto_function(
    GraphKeys.QUEUE_RUNNERS,
    proto_type="QueueRunnerDef",
    to_proto=lambda runner, export_scope=None: runner.to_proto(export_scope),
    from_proto=lambda message, import_scope=None: QueueRunner.from_proto(message, import_scope),
)
