"""What a task of a cluster does for the sessions of others: it runs their parts of graphs, on what it keeps."""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections.abc import Callable
from typing import Any

from thalweg._src.compiler.partition import Elsewhere
from thalweg._src.compiler.plan import Plan
from thalweg._src.core import errors
from thalweg._src.core.graph import Graph, Tensor
from thalweg._src.core.graph_import import import_graph_def
from thalweg._src.core.structured import Structured
from thalweg._src.formats import frames, protos
from thalweg._src.formats.errors import FormatError
from thalweg._src.runtime.base_session import BaseSession
from thalweg._src.runtime.parts import travelling
from thalweg._src.runtime.servers import LocalServer, propagated, standing
from thalweg._src.runtime.state import Part, Store
from thalweg._src.runtime.values import feed_value

METHODS = ("Begin", "Describe", "End", "Register", "Reset", "Run")


class PartSession(BaseSession):
    """A session on the part of a graph that another process registered. All parts of a guest share what the guest has."""

    _reaches_others = False

    def __init__(self, guest: Guest, graph: Graph):
        self._task = guest.task
        super().__init__(guest.server.target, graph, guest.config)
        self._guest, self._store = guest, guest.store

    def _result(self, plan: Plan, t: Tensor, env: dict[Tensor, Any]) -> Any:
        if isinstance(env.get(plan.stand_ins.get(t, t)), Structured):
            raise errors.UnimplementedError(
                None, t.op, f"{t.name} is a TensorArray, which stays on one task of a cluster"
            )
        return super()._result(plan, t, env)

    @property
    def _owner(self) -> Any:
        return self._guest


class Guest:
    """A session of another process: the parts of its graph, what it alone has here, and which task this is to it."""

    def __init__(self, server: LocalServer, config: Any, task: Elsewhere):
        self.server, self.config, self.task = server, config, task
        alone = standing(server, server.target, config, task).alone
        self.store: Store = Store() if alone else Part(server.store)
        self.parts: dict[str, tuple[PartSession, Any, list[Any]]] = {}  # with what is fetched, and what is fed

    def close(self) -> None:
        for session, _, _ in self.parts.values():
            session.close()


class Worker:
    """Answers the questions that come to a server."""

    def __init__(self, server: LocalServer):
        self._server = weakref.ref(server)  # its gRPC service does not keep it alive
        self._guests: dict[str, Guest] = {}
        self._graphs: weakref.WeakValueDictionary[str, Graph] = weakref.WeakValueDictionary()
        self._lock = threading.Lock()

    def answer(self, method: str, frame: bytes, when_cancelled: Callable[[Callable[[], None]], Any]) -> bytes:
        """The answer to a question, errors included. `when_cancelled` is told what to call when nobody waits for it any more."""
        try:
            facts, items = frames.unpack(frame)
            return getattr(self, f"_{method.lower()}")(facts, items, when_cancelled)
        except errors.OpError as error:
            return _told(error.error_code, error.message, error.op.name if error.op is not None else "")
        except FormatError as error:
            return _told(errors.DATA_LOSS, str(error))
        except Exception as error:
            return _told(errors.INTERNAL, f"{type(error).__name__}: {error}")

    @property
    def server(self) -> LocalServer:
        found = self._server()
        if found is None:
            raise errors.UnavailableError(None, None, "The server has been closed.")
        return found

    def _guest(self, name: str) -> Guest:
        guest = self._guests.get(name)
        if guest is None:
            raise errors.AbortedError(
                None, None, f"Session handle is not found: {name}. Possibly this worker just restarted."
            )
        return guest

    def _begin(self, facts: dict[str, Any], items: list[bytes], _: Any) -> bytes:
        own = self.server
        config = protos.ConfigProto.FromString(items[0]) if items[0] else own.config
        if (facts["job"], facts["task"]) != (own.job, own.task) and not propagated(config):
            raise errors.InvalidArgumentError(
                None,
                None,
                f"/job:{facts['job']}/task:{facts['task']} was looked for where /job:{own.job}/task:{own.task} is: the "
                f"cluster of this task is {own.cluster}",
            )
        with self._lock:
            if facts["session"] not in self._guests:
                self._guests[facts["session"]] = Guest(own, config, Elsewhere(facts["job"], facts["task"]))
        return frames.pack({})

    def _end(self, facts: dict[str, Any], items: list[bytes], _: Any) -> bytes:
        with self._lock:
            guest = self._guests.pop(facts["session"], None)
        if guest is not None:
            guest.close()
        return frames.pack({})

    def _describe(self, facts: dict[str, Any], items: list[bytes], _: Any) -> bytes:
        from thalweg._src.runtime.devices import session_devices

        own = self.server
        found = session_devices(own.config, f"/job:{own.job}/replica:0/task:{own.task}")
        devices = [(d.name, d.device_type, d.memory_limit_bytes, d.incarnation) for d in found]
        cluster = {job: sorted(tasks.items()) for job, tasks in own.cluster.items()}
        return frames.pack({"job": own.job, "task": own.task, "cluster": cluster, "devices": devices})

    def _register(self, facts: dict[str, Any], items: list[bytes], _: Any) -> bytes:
        guest = self._guest(facts["session"])
        asked = (facts["fetches"], facts["targets"], facts["feeds"])
        key = hashlib.sha256(items[0] + repr(asked).encode()).hexdigest()
        if key not in guest.parts:
            graph = self._graph(key, items[0])
            session = PartSession(guest, graph)
            wanted = session._fetches((*facts["fetches"], *facts["targets"]))
            feeds = [graph.get_tensor_by_name(f"{name}:0") for name in facts["feeds"]]
            guest.parts[key] = (session, wanted, feeds)
        return frames.pack({"part": key})

    def _graph(self, key: str, proto: bytes) -> Graph:
        """The graph of a part, the same for all sessions that register it."""
        with self._lock:
            graph = self._graphs.get(key)
            if graph is None:
                graph = Graph()
                with graph.as_default():
                    import_graph_def(protos.GraphDef.FromString(proto), name="")
                self._graphs[key] = graph
            return graph

    def _run(
        self, facts: dict[str, Any], items: list[Any], when_cancelled: Callable[[Callable[[], None]], Any]
    ) -> bytes:
        guest = self._guest(facts["session"])
        session, wanted, feeds = guest.parts[facts["part"]]
        thread = threading.get_ident()
        answered = threading.Event()

        def cancel() -> None:
            if not answered.is_set():
                session._cancel_runs([thread])

        when_cancelled(cancel)
        try:
            given = {t: feed_value(t, value) for t, value in zip(feeds, items, strict=True)}
            values = session._execute(wanted, given)
            return frames.pack({}, [travelling(t.name, v) for t, v in zip(wanted.tensors, values, strict=True)])
        finally:
            answered.set()

    def _reset(self, facts: dict[str, Any], items: list[bytes], _: Any) -> bytes:
        self.server.reset(facts["containers"])
        return frames.pack({})


def _told(code: int, message: str, op: str = "") -> bytes:
    return frames.pack({"error": {"code": code, "message": message, "op": op}})
