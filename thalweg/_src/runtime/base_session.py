"""What the sessions share: they run graphs and keep their variables."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from thalweg._src.compiler import recompute
from thalweg._src.compiler.bodies import variable_key
from thalweg._src.compiler.interpret import RefValue, uninitialized
from thalweg._src.compiler.partition import Elsewhere
from thalweg._src.compiler.plan import Plan
from thalweg._src.core import default_sessions, errors, laying, leaving
from thalweg._src.core import graph as graph_lib
from thalweg._src.core.eager import EagerGraph
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.lazy import jax
from thalweg._src.formats import frames
from thalweg._src.runtime import partial_runs, precision, profile
from thalweg._src.runtime.cluster_runs import ClusterRuns
from thalweg._src.runtime.fetch import Fetches, expand_feed
from thalweg._src.runtime.links import reach, wait
from thalweg._src.runtime.placing import Devices
from thalweg._src.runtime.processor import keep_memory, limit_threads
from thalweg._src.runtime.servers import (
    address_of,
    addresses_of,
    admitted,
    propagated,
    server_of,
    standing,
    task_at,
)
from thalweg._src.runtime.state import Part, Store
from thalweg._src.runtime.straight import SessionStreams, Straight, straight
from thalweg._src.runtime.tasks import Tasks
from thalweg._src.runtime.tracing import Trace
from thalweg._src.runtime.values import FEED_IS_TENSOR, feed_value, shape_of, to_user
from thalweg._src.runtime.waiting import Execution

TURNS = 15  # of a queue runner, from one look at the session to the next
_OFF = 2  # RewriterConfig.OFF
LOCAL = ("", "local", "inprocess")  # targets that name no server


class BaseSession(ClusterRuns):
    """What `Session` and `InteractiveSession` share."""

    _is_eager = False  # whether tensors outside of runs may share buffers with variables
    _reaches_others = True  # whether parts of its graph may run on other tasks of the cluster
    _tasks: Tasks | None = None  # those other tasks
    _task: Elsewhere | None = None  # which one this is, where whoever began the session says so
    _mates: Sequence[Elsewhere] = ()  # tasks that are in this process too
    _master: str | None = None  # the address of the task that the session is of, where that is another process

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None):
        if graph is None:
            graph = graph_lib.get_default_graph()
            if type(graph) is EagerGraph and not self._is_eager:
                graph = Graph()  # what runs at once leaves nothing for a session
        elif not isinstance(graph, Graph):
            raise TypeError(f"graph must be a tf.Graph, but got {type(graph)}")
        if target is None:
            target = ""
        if isinstance(target, bytes):
            target = target.decode()
        if not isinstance(target, str):
            raise TypeError(f"target must be a string, but got {target!r}")
        if config is not None and type(config).__name__ != "ConfigProto":
            raise TypeError(f"config must be a tf.ConfigProto, but got {type(config)}")
        self._server = server_of(target)
        self._master = address_of(target) if self._server is None else None
        if self._server is None and self._master is None and target not in LOCAL:
            raise errors.NotFoundError(
                None, None, f"No session factory registered for the given session options: {target!r}"
            )
        self._cancelled = threading.Event()
        limit_threads(config)
        keep_memory()
        if self._server is None:
            self._store, self._devices = Store(), Devices(config)
        else:
            config = config if config is not None else self._server.config
            at = standing(self._server, target, config, self._task)
            self._store = Store() if at.alone else Part(self._server.store)
            self._devices = Devices(config, *at.own, at.cluster, at.is_here)
            self._server.sessions.add(self)
            others = {task: address for task, address in addresses_of(at.cluster).items() if task != at.own}
            self._mates = [task for task in others if at.is_here(*task)]
            if self._reaches_others and others:
                self._tasks = Tasks(others, config, self._cancelled)
        self._graph, self._target, self._config = graph, target, config
        self._closed = False
        self._aborted: errors.OpError | None = None
        self._plans: dict[Any, Plan] = {}
        self._changing: set[Tensor] = set()  # tensors whose shapes have been seen to change from run to run
        self._shortcuts: dict[Any, Any] = {}
        self._lock = threading.Lock()
        self._planning = threading.RLock()  # a plan may run a part of the graph while it is made
        self._partial: dict[str, Any] = {}
        self._debug = os.environ.get("THALWEG_DEBUG", "")
        self._kernels = config is None or config.graph_options.rewrite_options.remapping != _OFF
        self._mixed = precision.of_new_session(config)
        self._recompute = recompute.asked_for(config)
        self._last_plan: Plan | None = None
        self._placed = 0  # so many operations of the graph have devices that are there
        self._steps = 0
        self._running: set[Execution] = set()  # runs that may wait
        self._walked_streams = SessionStreams()

    # -- facts

    @property
    def _owner(self) -> Any:
        """Whose the resources are that have no name to share them by."""
        return self

    @property
    def graph(self) -> Graph:
        """The graph that this session runs."""
        return self._graph

    @property
    def graph_def(self) -> Any:
        """The graph as a GraphDef."""
        shaped = self._config is not None and self._config.graph_options.infer_shapes
        return self._graph.as_graph_def(add_shapes=shaped)

    @property
    def sess_str(self) -> bytes:
        return self._target.encode()

    @property
    def plan(self) -> Plan | None:
        """The plan of the last run: `print(sess.plan)` shows its clusters (thalweg's own)."""
        return self._last_plan

    def list_devices(self) -> list[Any]:
        """The devices that this session can use."""
        from thalweg._src.runtime.devices import DeviceAttributes, session_devices

        self._reach_master(None)
        own = [] if self._master is not None else session_devices(self._config, self._devices.prefix)
        mates = [d for task in self._mates for d in session_devices(self._config, str(task))]
        far = [] if self._tasks is None else self._tasks.devices([*self._mates])
        return [*own, *mates, *(DeviceAttributes(*told) for told in far)]

    def close(self) -> None:
        """End the session and free what it keeps. Running it afterwards raises RuntimeError."""
        self._closed = True
        self._cancelled.set()
        for run in list(self._running):
            run.cancel(
                errors.CancelledError(None, None, "Step was cancelled by an explicit call to `Session::Close()`.")
            )
        with self._store.lock:
            resources = self._store.resources
            own = resources if self._server is None else [k for k in resources if self._owner in k]
            found = [resources.pop(k) for k in list(own)]
            self._store.clear()
        for resource in found:
            cancel = getattr(resource, "cancel", None)
            if callable(cancel):
                cancel()
        self._plans.clear()
        self._shortcuts.clear()
        if self._tasks is not None:
            self._tasks.close()

    @property
    def _is_alone(self) -> bool:
        """Whether all that the session runs is run by this process."""
        if self._tasks is None:
            return self._master is None
        return self._server is not None and len(self._mates) == len(self._tasks.addresses)

    def _reach_master(self, until: float | None) -> None:
        """Learn of the cluster of a target that is another process, before the first run."""
        with self._planning:
            if self._master is None or self._tasks is not None:
                return
            link = reach(self._master)
            told = wait(link, "Describe", frames.pack({}), self._target, self._cancelled, until)[0]
            own = Elsewhere(told["job"], told["task"])
            cluster = {job: dict(tasks) for job, tasks in told["cluster"].items()}
            if propagated(self._config):
                cluster = propagated(self._config)
                own = task_at(cluster, lambda address: address == self._master, self._target)
            cluster = admitted(cluster, own, self._config)
            cluster[own.job][own.task] = self._master
            self._devices = Devices(self._config, *own, cluster, is_far=True)
            self._tasks = Tasks(addresses_of(cluster), self._config, self._cancelled)

    def _abort(self, why: str) -> None:
        """End the session from outside: what it runs, and what is run with it later, raises AbortedError."""
        self._aborted = errors.AbortedError(None, None, f"Session was aborted: {why}")
        for run in list(self._running):
            run.cancel(self._aborted)

    def as_default(self) -> contextlib.AbstractContextManager[BaseSession]:
        """Make this the session that `eval` and `run` use in a `with` block. It is not closed at the end."""
        return _as_default(self)

    # -- running

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Run what `fetches` need and return their values in the same structure.

        `fetches`: a Tensor, an Operation (None comes back), a name, a SparseTensor, or lists, tuples and dicts of those.
        `feed_dict`: {tensor: value}. Raises RuntimeError on a closed session, ValueError and TypeError for fetches and feeds that
        can't be, and errors of `tf.errors` where an operation fails; the variables are then as they were.
        """
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        graph = self._graph
        if graph.version == 0:
            raise RuntimeError("The Session graph is empty.  Add operations to the graph before calling run().")
        wanted = self._fetches(fetches)
        feeds = self._feeds(feed_dict) if feed_dict else {}
        if options is not None or run_metadata is not None:
            return profile.run(self, wanted, feeds, options, run_metadata)
        return wanted.build(self._execute(wanted, feeds))

    def _fetches(self, fetches: Any) -> Fetches:
        key: Any = fetches
        kind = type(fetches)
        if kind is list or kind is tuple:
            key = (kind, *[f if type(f) in (Tensor, Operation, str) else None for f in fetches])
            if None in key:
                return Fetches(self._graph, fetches)
        elif kind not in (Tensor, Operation, str):
            return Fetches(self._graph, fetches)
        found = self._shortcuts.get(key)
        if found is None:
            found = self._shortcuts[key] = Fetches(self._graph, fetches)
        return found

    def _feeds(self, feed_dict: Any) -> dict[Tensor, Any]:
        if not hasattr(feed_dict, "items"):
            raise TypeError(f"feed_dict must be a dict, not {type(feed_dict).__name__}")
        out: dict[Tensor, Any] = {}
        graph = self._graph
        for key, value in feed_dict.items():
            if type(key) is Tensor and key.op.graph is graph and key not in graph._unfeedable:
                out[key] = feed_value(key, value)
                continue
            for k, v in expand_feed(key, value):
                try:
                    t = graph.as_graph_element(k, allow_tensor=True, allow_operation=False)
                except (TypeError, ValueError, KeyError) as error:
                    raise TypeError(
                        f"Cannot interpret feed_dict key as Tensor: {error.args[0] if error.args else error}"
                    ) from None
                if isinstance(v, Tensor) or type(v).__name__ == "Variable":
                    raise TypeError(FEED_IS_TENSOR)
                if not graph.is_feedable(t):
                    raise ValueError(f"Tensor {t} may not be fed.")
                out[t] = feed_value(t, v)
        return out

    def _plan(self, wanted: Fetches, feeds: dict[Tensor, Any]) -> Plan:
        plan = self._known_plan(wanted, feeds)[0]
        if plan is None:
            with self._planning:  # threads that run the same share its plan, and what is compiled for it
                plan, plain, key = self._known_plan(wanted, feeds)
                if plan is None:
                    plan = self._new_plan(wanted, feeds)
                    self._plans[key if plan.for_values else plain] = plan
        return plan

    def _known_plan(self, wanted: Fetches, feeds: dict[Tensor, Any]) -> tuple[Plan | None, Any, Any]:
        """The plan for these fetches and feeds, if there is one that holds, and its two keys: without shapes, and with them."""
        # Shapes of feeds decide only which small ones a plan is compiled for, so only those are part of the key.
        plain = (wanted.key, tuple(feeds), self._graph._mutations)
        plan = self._plans.get(plain)
        key: Any = plain
        if plan is None:
            small = [(t, v.shape) for t, v in feeds.items() if v.ndim < 2 and v.dtype.kind != "f"]
            key = (plain, tuple(small))
            plan = self._plans.get(key)
        if plan is not None and plan.asked and any(self._has(k) != had for k, had in plan.asked.items()):
            plan = None  # the order of effects depends on which variables have values
        return plan, plain, key

    def _new_plan(self, wanted: Fetches, feeds: dict[Tensor, Any]) -> Plan:
        leaving.watch()
        self._check_devices()
        place = self._devices.place
        shapes_of = {t: shape_of(v) for t, v in feeds.items()}
        task_of = self._devices.task_of if self._tasks is not None else None
        plan = Plan(wanted.tensors, wanted.targets, shapes_of, place, self._has, self._changing, task_of)
        for op in plan.ops:
            if op._device:
                self._devices.check(op)  # also what costs nothing anywhere must be somewhere that is there
            dims = op.outputs[0]._dims if op.opdef.source and op.outputs[0].dtype._ref else None
            if dims is not None and 0 in dims and None not in dims:
                self._store.ensure_empty(variable_key(op), dims, op.outputs[0].dtype.as_numpy_dtype)
        if self._config is not None and self._config.log_device_placement:
            for op in plan.ops:
                print(f"{op.name}: ({op.type}): {self._devices.name_of(op)}", flush=True)
        return plan

    def _cancel_runs(self, threads: Collection[int]) -> None:
        """End what waits on these threads, by their idents: CancelledError. What does not wait goes on."""
        for run in list(self._running):
            if run.thread in threads:
                run.cancel(errors.CancelledError(None, None, "The run was cancelled, because its thread was to stop."))

    def _find_resource(self, kind: str, op: Operation) -> Any:
        """The resource that `op` has made in this session; None where it has not run."""
        shared = op._attrs.get("shared_name")
        key = (kind, op._attrs.get("container", ""), shared) if shared else (kind, self._owner, op.name)
        return self._store.resources.get(key)

    def _has(self, key: str) -> bool:
        return key in self._store.values

    def _check_devices(self) -> None:
        """TensorFlow places the whole graph before it runs any of it: a device that is not there is an error for every run."""
        for op in self._graph._ops[self._placed :]:
            if op._device:
                self._devices.check(op)
        self._placed = len(self._graph._ops)

    def _execute(
        self, wanted: Fetches, feeds: dict[Tensor, Any], timeout_ms: int = 0, trace: Trace | None = None
    ) -> list[Any]:
        """The values of `wanted.tensors`, NumPy arrays (scalars where rank 0), after running its targets too.

        What waits for other threads gives up after `timeout_ms`, or the session's `operation_timeout_in_ms`, where one is not 0. With
        a `trace`, everything runs op by op and is written down.
        """
        if leaving.begun:
            leaving.hold()
        if self._aborted is not None:
            raise self._aborted
        if self._master is not None:
            self._reach_master(self._deadline(timeout_ms))
        plan = self._plan(wanted, feeds)
        self._last_plan = plan
        if trace is not None:
            trace.gave(plan)
        env: dict[Tensor, Any] = dict(feeds) if feeds else {}
        if plan.waits is not None:
            until = self._deadline(timeout_ms)
            if plan.has_tasks:
                self._tasks.prepare(plan, until)  # type: ignore[union-attr]
            steps = self._straight(plan) if trace is None and not self._debug and not plan.has_tasks else None
            if steps is not None:
                steps.run(env, until)
            else:
                Execution(self, plan, env, until, trace).run()
            return [self._result(plan, t, env) for t in wanted.tensors]
        for cluster, executables in zip(plan.clusters, plan.executables, strict=True):
            self._run_cluster(plan, cluster, executables, env, trace)
        return [self._result(plan, t, env) for t in wanted.tensors]

    def _straight(self, plan: Plan) -> Straight | None:
        """The steps of a plan of an input pipeline; None for other plans."""
        if "straight" not in plan.notes:
            plan.notes["straight"] = straight(self, plan)
        return plan.notes["straight"]

    def _deadline(self, timeout_ms: int) -> float | None:
        if not timeout_ms and self._config is not None:
            timeout_ms = self._config.operation_timeout_in_ms
        return time.monotonic() + timeout_ms / 1000 if timeout_ms > 0 else None

    def _result(self, plan: Plan, t: Tensor, env: dict[Tensor, Any]) -> Any:
        t = plan.stand_ins.get(t, t)
        if t in env:
            value = env[t]
        elif t in plan.constants:
            value = plan.constants[t]
        else:
            value = RefValue(variable_key(plan.refs[t]), plan.refs[t])
        if type(value) is RefValue and t.dtype.base_dtype._name != "resource":
            with self._store.lock:
                found = self._store.values.get(value.key)
                if found is None:
                    raise uninitialized(value.source, t.op)
                return to_user(found)
        if t in plan.unread and type(value) is np.ndarray and laying.taken(value):
            return value
        return to_user(value, plan.makers.get(t) not in env)

    def make_callable(
        self, fetches: Any, feed_list: Sequence[Any] | None = None, accept_options: bool = False
    ) -> Callable:
        """A function of the values of `feed_list` that runs `fetches`: `run` with its checks done once.

        With `accept_options`, it takes `options=` and `run_metadata=` too.
        """
        if feed_list is not None and not isinstance(feed_list, list | tuple):
            raise TypeError("`feed_list` must be a list or tuple.")
        wanted = self._fetches(fetches)
        fed = [self._graph.as_graph_element(f, allow_operation=False) for f in feed_list or []]

        def call(*values: Any, options: Any = None, run_metadata: Any = None) -> Any:
            if len(values) != len(fed):
                raise TypeError(f"The callable takes {len(fed)} values, {len(values)} were given")
            if self._closed:
                raise errors.CancelledError(None, None, "Session has been closed.")
            feeds = {t: feed_value(t, v) for t, v in zip(fed, values, strict=True)}
            if options is not None or run_metadata is not None:
                return profile.run(self, wanted, feeds, options, run_metadata)
            return wanted.build(self._execute(wanted, feeds))

        if accept_options:
            return call
        return lambda *values: call(*values)

    def _often(self, target: Operation) -> Callable[[Callable[[], bool]], None]:
        """A function that runs `target` once or, where it is walked straight through, some times, until it is told to stop."""
        once, wanted = self.make_callable(target), self._fetches(target)

        def call(stop: Callable[[], bool]) -> None:
            once()
            plan = self._known_plan(wanted, {})[0]
            if plan is None or plan.has_tasks or plan.fetches or self._debug or self._deadline(0) is not None:
                return
            steps = plan.notes.get("straight")
            if steps is not None:
                steps.run_often(TURNS, stop)

        return call

    def _make_callable_from_options(self, callable_options: Any) -> Callable:
        """`make_callable` of a CallableOptions proto: names to feed, to fetch and to run. Gives a list of values."""
        asked = callable_options
        if asked.tensor_connection:
            raise errors.UnimplementedError(None, None, "CallableOptions.tensor_connection is not supported")
        run = self.make_callable([*asked.fetch, *asked.target], list(asked.feed), accept_options=True)
        options = asked.run_options if asked.HasField("run_options") else None

        def call(*values: Any, run_metadata: Any = None) -> list[Any]:
            return run(*values, options=options, run_metadata=run_metadata)[: len(asked.fetch)]

        return call

    def partial_run_setup(self, fetches: Any, feeds: Any = None) -> str:
        """Announce what `partial_run` will fetch and feed, piece by piece; returns the handle of the run."""
        return partial_runs.set_up(self, fetches, feeds)

    def partial_run(self, handle: str, fetches: Any, feed_dict: Any = None) -> Any:
        """Go on with a partial run: feed some of what was announced, fetch some. Every operation runs once at most."""
        return partial_runs.go_on(self, handle, fetches, feed_dict)

    def hlo(self, fetches: Any, feed_dict: Any = None, *, optimized: bool = False) -> list[str]:
        """The XLA programs of a run, one text per device cluster (thalweg's own). The run takes place."""
        wanted = self._fetches(fetches)
        feeds = self._feeds(feed_dict) if feed_dict else {}
        plan = self._plan(wanted, feeds)
        for cluster in plan.clusters:
            cluster.slight_runs, cluster.uncompiled.refused, cluster.tiny = 0, True, None
        self._execute(wanted, feeds)
        texts = []
        for cluster, executables in zip(plan.clusters, plan.executables, strict=True):
            if cluster.is_host or not executables:
                continue
            exe = next(reversed(executables.values()))
            args = [
                jax.ShapeDtypeStruct(shape_of(feeds[t]), t.dtype.numpy_dtype)
                if t in feeds
                else jax.ShapeDtypeStruct(t._dims, t.dtype.numpy_dtype)
                if isinstance(t, Tensor)
                else jax.ShapeDtypeStruct((6,), np.uint32)  # the state of a stream
                for t in exe.args
            ]
            lowered = exe.lowered(self._store, args)
            texts.append(lowered.compile().as_text() if optimized else lowered.as_text())
        return texts


@contextlib.contextmanager
def _as_default(session: BaseSession):
    stack = default_sessions.default_sessions.stack
    stack.append(session)
    try:
        yield session
    finally:
        stack.remove(session)
