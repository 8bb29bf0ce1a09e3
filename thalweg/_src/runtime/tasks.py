"""The other tasks of a session's cluster, processes of their own: what a session asks them to run, and how it waits for them."""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Collection, Iterator
from typing import Any

import numpy as np

from thalweg._src.compiler.bodies import variable_key
from thalweg._src.compiler.interpret import RefValue, uninitialized
from thalweg._src.compiler.partition import Elsewhere
from thalweg._src.compiler.plan import Plan
from thalweg._src.compiler.stage import Cluster
from thalweg._src.core import errors
from thalweg._src.core.graph import Tensor
from thalweg._src.core.waiting import Attempt
from thalweg._src.formats import frames
from thalweg._src.runtime.links import GLANCE, Call, Link, ask, reach, wait
from thalweg._src.runtime.parts import Part, travelling


class Tasks:
    """Sessions of one session's own on the other tasks of its cluster, made when it first needs them.

    `addresses` maps the tasks to host:port; `ended` says whether the session was closed.
    """

    def __init__(self, addresses: dict[Elsewhere, str], config: Any, ended: threading.Event):
        self.addresses, self._ended = addresses, ended
        self._config = b"" if config is None else config.SerializeToString()
        self._name = secrets.token_hex(8)
        self._links: dict[Elsewhere, Link] = {}
        self._lock = threading.Lock()

    def prepare(self, plan: Plan, until: float | None) -> None:
        """Let the tasks of `plan` know what they will be asked to run. Waits for those that are not there."""
        for cluster, known in zip(plan.clusters, plan.executables, strict=True):
            if cluster.is_elsewhere and "part" not in known:
                link = self.link(cluster.colour, until)
                part = Part(cluster, plan.partition)  # type: ignore[arg-type]
                asked = {"session": self._name, "fetches": part.fetches, "targets": part.targets, "feeds": part.feeds}
                frame = frames.pack(asked, [part.graph_def.SerializeToString(deterministic=True)])
                with self._naming(cluster):
                    part.handle = ask(link.call("Register", frame))[0]["part"]
                known["part"] = part

    def start(self, cluster: Cluster, part: Part, value_of: Callable[[Tensor], Any]) -> Attempt:
        """An attempt that ends with the values of `cluster.outputs`, once its task has run it."""
        with self._naming(cluster):
            values = [travelling(t.name, value_of(t)) for t in part.takes]
            frame = frames.pack({"session": self._name, "part": part.handle}, values)
        link = self._links.get(cluster.colour)
        if link is None:
            raise _closed()
        call = link.call("Run", frame)
        attempt = Attempt(lambda attempt, error: _give_up(call, attempt, error))

        def ended() -> None:
            try:
                with self._naming(cluster):
                    attempt.fulfil(ask(call)[1])
            except BaseException as error:
                attempt.fail(error)
            attempt.announce()

        call.when_done(ended)
        return attempt

    def link(self, task: Elsewhere, until: float | None = None) -> Link:
        """The way to `task`, on which the session has one of its own then. Raises DeadlineExceededError."""
        with self._lock:
            if self._ended.is_set():
                raise _closed()
            if task not in self._links:
                link = reach(self.addresses[task])
                facts = {"session": self._name, "job": task.job, "task": task.task}
                wait(link, "Begin", frames.pack(facts, [self._config]), str(task), self._ended, until)
                self._links[task] = link
            return self._links[task]

    def devices(self, but: Collection[Elsewhere] = ()) -> Iterator[tuple[str, str, int, int]]:
        """The devices of these tasks `but` some: name, kind, bytes of memory, and a number that changes when the task starts anew."""
        for task in sorted(self.addresses.keys() - {*but}):
            for told in ask(self.link(task).call("Describe", frames.pack({})))[0]["devices"]:
                yield tuple(told)

    def close(self) -> None:
        """End the sessions on the other tasks."""
        with self._lock:
            links, self._links = self._links, {}
        for link in links.values():
            with contextlib.suppress(errors.OpError):  # a task that is gone has forgotten it anyway
                link.call("End", frames.pack({"session": self._name}), GLANCE).result()

    @contextlib.contextmanager
    def _naming(self, cluster: Cluster) -> Iterator[None]:
        """Errors of the task name our operation."""
        try:
            yield
        except errors.OpError as error:
            told = error.__dict__.get("told_of")
            error._op = error._op or next((op for op in cluster.ops if op.name == told), None)
            if isinstance(error, errors.UnavailableError):
                error._message = f"{cluster.colour}: {error._message}"
            raise


def _closed() -> errors.CancelledError:
    return errors.CancelledError(None, None, "The session was closed while the step ran.")


def _give_up(call: Call, attempt: Attempt, error: BaseException) -> None:
    if not attempt.done:
        attempt.fail(error)
        call.cancel()
        attempt.announce()


def value_in(session: Any, plan: Plan, env: dict[Tensor, Any], t: Tensor) -> Any:
    """The value of `t` that goes to another task: from `env`, or what a variable of this task holds now."""
    value = env.get(t)
    if value is not None and type(value) is not RefValue:
        return value
    source: Any = value.source if value is not None else plan.partition.source(t)  # type: ignore[union-attr]
    with session._store.lock:  # the next step may overwrite it
        found = session._store.values.get(variable_key(source))
        if found is None:
            raise uninitialized(source, t.op)
        return np.array(found)
