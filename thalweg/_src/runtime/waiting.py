"""Runs in which an operation may wait for what other threads do: for an element of a queue, or for room in one.

While it waits the rest of the run goes on as far as it does not depend on that, and no lock is held. What ends the waiting early: another
operation of the run fails, the session is closed, or the time that was allowed has passed.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Generator, Iterator
from typing import Any

from thalweg._src.compiler.interpret import Interpreter
from thalweg._src.compiler.stage import Cluster
from thalweg._src.core import errors
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.waiting import Attempt, advance, begun, finish
from thalweg._src.runtime.hosting import on_host
from thalweg._src.runtime.tasks import value_in

Part = tuple[Cluster, Any, list[Operation]]  # a cluster, its executables, and those of its ops that have not run


class _Later(Exception):
    """The operation waits; it is gone on with when its attempt is done."""


class _Events(threading.local):
    """Events of this thread that no run uses; one that is set late only wakes the next run in vain."""

    def __init__(self) -> None:
        self.free: list[threading.Event] = []


_events = _Events()


class Execution:
    """One run of a plan with operations that may wait. `until` is the time (monotonic) at which it is given up, or None."""

    def __init__(self, session: Any, plan: Any, env: dict[Tensor, Any], until: float | None, trace: Any = None):
        self.session, self.plan, self.env, self.until, self.trace = session, plan, env, until, trace
        self.pending: dict[Operation, tuple[Any, Attempt]] = {}  # the work of each that waits, and what it waits for
        self.calls: dict[Cluster, Attempt] = {}  # what other tasks are running
        self.thread = threading.get_ident()
        self._wake = _events.free.pop() if _events.free else threading.Event()
        self._cancelled: BaseException | None = None
        self._runners: dict[Cluster, tuple[Interpreter, Any]] = {}

    def run(self) -> None:
        """Run all clusters of the plan, leaving values in `env`."""
        plan = self.plan
        left: list[Part] = [
            (c, exe, list(c.ops) if c.is_host else []) for c, exe in zip(plan.clusters, plan.executables, strict=True)
        ]
        with self.going_on():
            left = self._sweep(left)
            if self.pending and self.until is None and self.trace is None:
                for cluster, executables, _ in left:  # in the time that would be spent waiting
                    self.session._compile_ahead(cluster, executables, self.env)
            while self.pending or self.calls:
                self._wait()
                left = self._sweep(left)

    @contextlib.contextmanager
    def going_on(self) -> Iterator[None]:
        """While the run goes on: it can be cancelled, and what still waits at the end of the block is withdrawn."""
        running = self.session._running
        running.add(self)
        try:
            if self.session._cancelled.is_set():  # it was closed while this was on its way
                self.cancel(errors.CancelledError(None, None, "Session was closed."))
            yield
        finally:
            running.discard(self)
            for attempt in self.calls.values():
                attempt.cancel(errors.CancelledError(None, None, "The step has ended with an error of another task."))
            if self.pending:
                with contextlib.suppress(errors.OpError):  # it is another error that ends the run
                    self._give_up(
                        errors.CancelledError(None, None, "Step was cancelled by an error of another operation.")
                    )
            self._wake.clear()
            _events.free.append(self._wake)

    def finished(self, op: Operation, work: Any, value: Attempt) -> Any:
        """The outputs of an operation that waits for the attempt `value`, on which all that is left of the run depends."""
        ended = False
        while not ended:
            self.pending[op] = (work, value)
            value.when_done(self._wake.set)
            while not value.done:
                self._sleep()
            del self.pending[op]
            ended, value = advance(work, value)
        return value

    def cancel(self, error: BaseException) -> None:
        """End the run with `error` if it waits, or as soon as it does. Called from other threads."""
        self._cancelled = error
        self._wake.set()

    def _sweep(self, parts: list[Part]) -> list[Part]:
        """Run what does not depend on operations that wait; returns the rest."""
        late: list[Part] = []
        held: set[str] = set()  # variables of what is late: whoever comes after it must wait too
        behind: set[Cluster] = set()  # what is late
        for cluster, executables, ops in parts:
            if not cluster.after.isdisjoint(behind) or (cluster.is_elsewhere and not self._ran(cluster, executables)):
                late.append((cluster, executables, ops))
                behind.add(cluster)
                held.update(cluster.sources)
            elif cluster.is_elsewhere:
                continue
            elif cluster.is_host:
                rest = self._run_ops(cluster, ops, held)
                if rest:
                    late.append((cluster, executables, rest))
                    behind.add(cluster)
                    held.update(cluster.sources)
            elif self.pending and (
                any(map(self._waits, cluster.ops))
                or not held.isdisjoint(cluster.sources)
                or any(t not in self.env for t in cluster.inputs)
            ):
                late.append((cluster, executables, ops))
                behind.add(cluster)
                held.update(cluster.sources)
            else:
                self.session._run_cluster(self.plan, cluster, executables, self.env, self.trace)
        return late

    def _ran(self, cluster: Cluster, executables: Any) -> bool:
        """Have a cluster of another task run. Whether it has: then what it gives is in `env`."""
        attempt = self.calls.get(cluster)
        if attempt is None:
            plan, env = self.plan, self.env
            attempt = self.session._tasks.start(
                cluster, executables["part"], lambda t: value_in(self.session, plan, env, t)
            )
            self.calls[cluster] = attempt
            attempt.when_done(self._wake.set)
        if not attempt.done:
            return False
        del self.calls[cluster]
        self.env.update(zip(cluster.outputs, attempt.result(), strict=True))
        return True

    def _waits(self, op: Operation) -> bool:
        return any(w in self.pending for w in self.plan.waits.before[op])

    def _lacks(self, op: Operation) -> bool:
        """Whether an input comes from an executable that is late, since others of its operations wait."""
        return any(t not in self.env for t in op._inputs)

    def _run_ops(self, cluster: Cluster, ops: list[Operation], held: set[str]) -> list[Operation]:
        if cluster not in self._runners:
            self.session._keep_streams(cluster, self.env)
            self._runners[cluster] = self.session._interpreter(cluster, self.env, self._later, trace=self.trace)
        runner, state = self._runners[cluster]
        rest = []
        for op in ops:
            touches = op in self.plan.waits.touches
            late = self._waits(op) or (touches and not held.isdisjoint(cluster.sources)) or self._lacks(op)
            if self.pending and late:
                rest.append(op)
                continue
            for t in () if op.opdef.keeps_place else op._inputs:
                self.env[t] = on_host(self.env[t])
            with contextlib.suppress(_Later):
                if touches:
                    self.session._run_locked(cluster, runner, state, op, self.env)
                else:
                    runner.run_one(op, self.env)
                    if runner.written:  # in a body that may wait, and so ran without the lock
                        with self.session._store.lock:
                            self.session._commit(cluster, runner, state)
                            state.clear()
        return rest

    def _later(self, op: Operation, work: Any) -> Any:
        """What a lowering of `op` returned, or _Later raised where that is work that has to wait."""
        work = begun(work)
        if not isinstance(work, Generator):
            return work
        if op not in self.plan.waits.before:  # in a body: the rest of the body can't go on without it
            return finish(work, self._block)
        ended, value = advance(work)
        if ended:
            return value
        self.pending[op] = (work, value)
        value.when_done(self._wake.set)
        raise _Later

    def _block(self, attempt: Attempt) -> None:
        attempt.when_done(self._wake.set)
        try:
            while not attempt.done:
                self._sleep()
        except BaseException as error:
            attempt.cancel(error)
            raise

    def _sleep(self) -> None:
        """Until something is done. Raises the error that cancels the run."""
        left = None if self.until is None else self.until - time.monotonic()
        if self._cancelled is None and (left is None or left > 0):
            self._wake.wait(left)
        self._wake.clear()
        if self._cancelled is not None:
            if self.session._server is None:  # what each operation waits for says it best; a server says who cancelled
                self._give_up(self._cancelled)
            raise self._cancelled
        if left is not None and self.until is not None and time.monotonic() >= self.until:
            raise errors.DeadlineExceededError(None, None, "Timed out waiting for notification")

    def _wait(self) -> None:
        """Until one of the operations that wait can go on, and go on with it, or another task has done what it was to."""
        while not any(a.done for a in (*self.calls.values(), *(a for _, a in self.pending.values()))):
            self._sleep()
        for op, (work, attempt) in list(self.pending.items()):
            if not attempt.done:
                continue
            del self.pending[op]
            runner = next(r for c, (r, _) in self._runners.items() if op in c.ops)
            with contextlib.suppress(_Later):
                runner.run_one(op, self.env, functools.partial(self._resume, op, work, attempt))

    def _resume(self, op: Operation, work: Any, attempt: Attempt) -> Any:
        ended, value = advance(work, attempt)
        if ended:
            return value
        self.pending[op] = (work, value)
        value.when_done(self._wake.set)
        raise _Later

    def _give_up(self, error: BaseException) -> None:
        waiting, self.pending = self.pending, {}
        for work, attempt in waiting.values():
            attempt.cancel(error)
            work.close()
        for op, (_, attempt) in waiting.items():
            if isinstance(attempt.error, errors.OpError):
                attempt.error._op = op
                raise attempt.error
