"""Session: it runs graphs and keeps their variables."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np

from thalweg._src.compiler.bodies import variable_key
from thalweg._src.compiler.interpret import Interpreter, RefValue, uninitialized
from thalweg._src.compiler.lower import Executable
from thalweg._src.compiler.plan import Plan
from thalweg._src.compiler.stage import Cluster
from thalweg._src.core import apply, dtypes, errors, leaving, shapes
from thalweg._src.core import graph as graph_lib
from thalweg._src.core.apply import Cramped, Replan
from thalweg._src.core.convert import as_array
from thalweg._src.core.eager import EagerGraph
from thalweg._src.core.graph import Graph, Operation, Tensor
from thalweg._src.core.lazy import jax
from thalweg._src.core.structured import Structured
from thalweg._src.core.waiting import finish
from thalweg._src.runtime import cache, profile
from thalweg._src.runtime.fetch import Fetches, expand_feed, expand_partial_feed
from thalweg._src.runtime.hosting import HostContext, on_host
from thalweg._src.runtime.numpy_interpreter import NumPyInterpreter
from thalweg._src.runtime.placing import Devices
from thalweg._src.runtime.processor import keep_memory, limit_threads
from thalweg._src.runtime.servers import server_of
from thalweg._src.runtime.state import Part, Store, fresh_random
from thalweg._src.runtime.straight import Straight, straight
from thalweg._src.runtime.tracing import Trace, TracingInterpreter
from thalweg._src.runtime.waiting import Execution

log = logging.getLogger("thalweg")
_OFF = 2  # RewriterConfig.OFF
# Shapes that a cluster is compiled for: until what changes is set apart, until a warning, and kept at the same time.
_FEW, _MANY, _MOST = 4, 24, 128
_LOCAL = ("", "local", "inprocess")  # targets that name no server
_SLOTS = frozenset  # the key of a plan: fetches in order, fed tensors


class BaseSession:
    """What `Session` and `InteractiveSession` share."""

    _is_eager = False  # whether tensors outside of runs may share buffers with variables

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
        if self._server is None and target not in _LOCAL:
            raise errors.NotFoundError(
                None,
                None,
                f"No session factory registered for the given session options: {target!r}. Only this process runs.",
            )
        limit_threads(config)
        keep_memory()
        if self._server is None:
            self._store, self._devices = Store(), Devices(config)
        else:
            config = config if config is not None else self._server.config
            alone = config is not None and config.isolate_session_state
            self._store = Store() if alone else Part(self._server.store)
            own = self._server
            self._devices = Devices(config, own.job, own.task, own.cluster, own.is_here)
            self._server.sessions.add(self)
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
        self._last_plan: Plan | None = None
        self._placed = 0  # so many operations of the graph have devices that are there
        self._steps = 0
        self._cancelled = threading.Event()
        self._running: set[Execution] = set()  # runs that may wait

    # -- facts

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
        from thalweg._src.runtime.devices import session_devices

        return session_devices(self._config, self._devices.prefix)

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
            own = resources if self._server is None else [k for k in resources if self in k]
            found = [resources.pop(k) for k in list(own)]
            self._store.clear()
        for resource in found:
            cancel = getattr(resource, "cancel", None)
            if callable(cancel):
                cancel()
        self._plans.clear()
        self._shortcuts.clear()

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
                out[key] = _feed_value(key, value)
                continue
            for k, v in expand_feed(key, value):
                try:
                    t = graph.as_graph_element(k, allow_tensor=True, allow_operation=False)
                except (TypeError, ValueError, KeyError) as error:
                    raise TypeError(
                        f"Cannot interpret feed_dict key as Tensor: {error.args[0] if error.args else error}"
                    ) from None
                if isinstance(v, Tensor) or type(v).__name__ == "Variable":
                    raise TypeError(_FEED_TENSOR)
                if not graph.is_feedable(t):
                    raise ValueError(f"Tensor {t} may not be fed.")
                out[t] = _feed_value(t, v)
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
        shapes_of = {t: _shape_of(v) for t, v in feeds.items()}
        plan = Plan(wanted.tensors, wanted.targets, shapes_of, place, self._has, self._changing)
        for op in plan.ops:
            if op._device:
                self._devices.check(op)  # also what costs nothing anywhere must be somewhere that is there
        if self._config is not None and self._config.log_device_placement:
            for op in plan.ops:
                print(f"{op.name}: ({op.type}): {place(op)}", flush=True)
        return plan

    def _cancel_runs(self, threads: Collection[int]) -> None:
        """End what waits on these threads, by their idents: CancelledError. What does not wait goes on."""
        for run in list(self._running):
            if run.thread in threads:
                run.cancel(errors.CancelledError(None, None, "The run was cancelled, because its thread was to stop."))

    def _find_resource(self, kind: str, op: Operation) -> Any:
        """The resource that `op` has made in this session; None where it has not run."""
        shared = op._attrs.get("shared_name")
        key = (kind, op._attrs.get("container", ""), shared) if shared else (kind, self, op.name)
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
        plan = self._plan(wanted, feeds)
        self._last_plan = plan
        env: dict[Tensor, Any] = dict(feeds) if feeds else {}
        if plan.waits is not None:
            steps = self._straight(plan) if trace is None and not self._debug else None
            if steps is not None:
                steps.run(env, self._deadline(timeout_ms))
            else:
                Execution(self, plan, env, self._deadline(timeout_ms), trace).run()
            return [self._result(plan, t, env) for t in wanted.tensors]
        for cluster, executables in zip(plan.clusters, plan.executables, strict=True):
            self._run_cluster(plan, cluster, executables, env, trace)
        return [self._result(plan, t, env) for t in wanted.tensors]

    def _straight(self, plan: Plan) -> Straight | None:
        """The steps of a plan of an input pipeline; None for other plans."""
        if "straight" not in plan.notes:
            plan.notes["straight"] = straight(self, plan)
        return plan.notes["straight"]

    def _run_cluster(
        self,
        plan: Plan,
        cluster: Cluster,
        executables: dict[Any, Any],
        env: dict[Tensor, Any],
        trace: Trace | None = None,
    ) -> None:
        if cluster.is_host or self._debug or trace is not None:
            self._run_on_host(cluster, env, trace)
            return
        try:
            while True:
                try:
                    self._run_on_device(cluster, executables, env)
                except Cramped:  # the cluster has noted how much room it needs
                    executables.clear()
                else:
                    break
        except Replan:
            # What the cluster does depends on values: this time it runs op by op, the next plan knows.
            self._forget(plan)
            if cluster.colour.platform == "cpu":
                self._run_on_numpy(cluster, env)
            else:
                self._run_on_host(cluster, env)

    def _forget(self, plan: Plan) -> None:
        self._plans = {k: p for k, p in list(self._plans.items()) if p is not plan}

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
                return _to_user(found)
        return _to_user(value)

    def _run_on_device(self, cluster: Cluster, executables: dict[Any, Any], env: dict[Tensor, Any]) -> None:
        statics = {t: np.asarray(env[t]) for t in cluster.statics} if cluster.statics else {}
        if cluster.varies and self._run_uncompiled(cluster, executables, statics, env):
            return
        # What touches no variables needs no lock while it runs, so that it can run on other threads beside the step.
        lock = self._store.lock if cluster.sources or cluster.randoms else self._lock
        with lock:
            exe = self._executable(cluster, executables, statics, env)
            outputs = None
            if lock is not self._lock or not exe.compiled:
                outputs = self._dispatch(cluster, exe, env)
        if outputs is None:
            outputs = self._dispatch(cluster, exe, env)
        for t, v in zip(exe.outputs, outputs, strict=True):
            env[t] = v
        if exe.known:
            env.update(exe.known)

    def _executable(self, cluster: Cluster, executables: Any, statics: dict[Tensor, Any], env: Any) -> Executable:
        store = self._store
        key = _shapes_key(cluster, statics, env)
        exe = executables.get(key)
        if exe is None or (exe.signature != store.signature and exe.state != self._state_of(cluster)):
            exe = self._compile(cluster, executables, key, statics)
        exe.signature = store.signature
        return exe

    def _run_uncompiled(self, cluster: Cluster, executables: Any, statics: dict[Tensor, Any], env: Any) -> bool:
        """Run a cluster of changing shapes on NumPy arrays, where that is over sooner than compiling it; False where it is not."""
        key = _shapes_key(cluster, statics, env)
        past = cluster.uncompiled
        if key in executables or not past.suits(key) or cluster.colour.platform != "cpu":
            return False
        start = time.perf_counter()
        try:
            self._run_on_numpy(cluster, env)
        except (Cramped, Replan):
            past.refused = True
            return False
        past.ran(key, time.perf_counter() - start)
        return True

    def _run_on_numpy(self, cluster: Cluster, env: dict[Tensor, Any]) -> None:
        """Run a cluster of a CPU's operation by operation, on NumPy arrays."""
        values = {t: on_host(env[t]) for t in cluster.inputs}
        with self._store.lock:
            runner, state = self._interpreter(cluster, values, on_numpy=True)
            runner.run(cluster.ops, values)
            self._commit(cluster, runner, state)
        env.update((t, values[t]) for t in cluster.outputs)

    def _dispatch(self, cluster: Cluster, exe: Executable, env: dict[Tensor, Any]) -> list[Any]:
        store = self._store
        args = [env[t] for t in exe.args]
        if exe.transfer:
            with jax.enable_x64(True):
                args = [jax.device_put(a, exe.device) for a in args]
        outputs = exe(store, args)
        if store.signature != exe.signature:
            exe.signature = store.signature if exe.state == self._state_of(cluster) else -1
        return outputs

    def _state_of(self, cluster: Cluster) -> tuple[Any, ...]:
        values = self._store.values
        out = []
        for k in cluster.sources:
            v = values.get(k)
            out.append(None if v is None else (v.shape, v.dtype))
        return tuple(out)

    def _compile(
        self, cluster: Cluster, executables: dict[Any, Any], key: Any, statics: dict[Tensor, Any]
    ) -> Executable:
        store = self._store
        for op in cluster.randoms:
            store.ensure_random(op)
        state = self._state_of(cluster)
        exe = executables.get((key, state))
        if exe is None:
            cache.enable()
            donate, kernels = not self._is_eager, self._kernels
            exe = Executable(cluster, statics, store.values, cluster.colour, donate=donate, kernels=kernels)
            exe.state = state
            exe.shapes = dict(zip(cluster.inputs, key[0] if statics else key, strict=True))
            exe.shapes.update({t: v.tobytes() for t, v in statics.items()})
            exe.transfer = len(jax.devices()) > 1
            self._note_shapes(cluster, executables)
            executables[(key, state)] = exe
        executables[key] = exe
        return exe

    def _note_shapes(self, cluster: Cluster, executables: dict[Any, Any]) -> None:
        """Before a cluster is compiled once more: what keeps changing what is built in is set apart by later plans.

        That is the inputs' shapes, and the values of those that must be known while tracing.
        """
        cluster.compiled += 1
        if cluster.compiled == _FEW and not cluster.varies:
            seen = [exe.shapes for exe in {id(e): e for e in executables.values()}.values()]
            built_in = {*cluster.inputs, *cluster.statics}
            self._changing |= {t for t in built_in if len({shapes.get(t) for shapes in seen}) > 2}
            if not self._changing.isdisjoint(built_in):
                self._plans = {}
        if cluster.compiled == _MANY:
            names = ", ".join(t.name for t in cluster.inputs if t in self._changing) or "what is fed"
            log.warning(
                "%d operations have been compiled for %d shapes of %s. A step runs at once for shapes seen before: pad to a few lengths.",
                len(cluster.ops),
                _MANY,
                names,
            )
        while len(executables) > 2 * _MOST:
            del executables[next(iter(executables))]

    def _run_on_host(self, cluster: Cluster, env: dict[Tensor, Any], trace: Trace | None = None) -> None:
        """Run a cluster op by op: host work, or any work where THALWEG_DEBUG says so or it is traced."""
        store = self._store
        if cluster.is_host:
            for t in cluster.fetched:
                env[t] = on_host(env[t])
        runner, state = self._interpreter(cluster, env, trace=trace)
        locked = bool(cluster.sources) or bool(cluster.randoms)
        with contextlib.ExitStack() as stack:
            if locked:
                stack.enter_context(store.lock)
            if not cluster.is_host:
                stack.enter_context(jax.enable_x64(True))
                stack.enter_context(apply.kernels(self._kernels))
                if cluster.colour is not None:
                    stack.enter_context(jax.default_device(cluster.colour))
            runner.run(cluster.ops, env)
            self._commit(cluster, runner, state)

    def _interpreter(
        self,
        cluster: Cluster,
        env: dict[Tensor, Any],
        wait: Any = None,
        *,
        on_numpy: bool = False,
        trace: Trace | None = None,
    ) -> tuple[Interpreter, _View]:
        """What runs the operations of `cluster` one by one, and its view of the variables."""
        on_numpy = on_numpy or cluster.is_host
        state = _View(self._store, host=on_numpy)
        make: Any = NumPyInterpreter if on_numpy else Interpreter
        if trace is not None:
            make = functools.partial(TracingInterpreter, trace=trace)
        runner = make(
            state,
            fold=cluster.fold,
            platform=None if on_numpy else cluster.colour.platform,
            traced=False,
            ctx=lambda op: HostContext(self, op, env),
            rng_init=fresh_random,
            watch=_stop_at_nan if self._debug == "nan" else None,
            wait=wait or self._finish,
        )
        runner.prepare(cluster.ops)
        return runner, state

    def _run_locked(self, cluster: Cluster, runner: Interpreter, state: _View, op: Operation, env: Any) -> None:
        """Run one operation that touches variables, and commit what it wrote."""
        with self._store.lock:
            state.clear()
            runner.run_one(op, env)
            self._commit(cluster, runner, state)

    def _commit(self, cluster: Cluster, runner: Interpreter, state: _View) -> None:
        keys = list(runner.written)
        self._store.commit(keys, [_kept(state[k], cluster) for k in keys])
        runner.written.clear()

    def _finish(self, op: Operation, work: Any) -> Any:
        """The outputs of an operation that may wait, waiting for them here."""
        return finish(work, _until_done)

    # -- other ways to run

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
            feeds = {t: _feed_value(t, v) for t, v in zip(fed, values, strict=True)}
            if options is not None or run_metadata is not None:
                return profile.run(self, wanted, feeds, options, run_metadata)
            return wanted.build(self._execute(wanted, feeds))

        if accept_options:
            return call
        return lambda *values: call(*values)

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
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        wanted = Fetches(self._graph, fetches)
        if not wanted.tensors and not wanted.targets:
            raise errors.InvalidArgumentError(None, None, "Must specify at least one target to fetch or execute.")
        fed = set()
        for f in feeds or []:
            for t in expand_partial_feed(f):
                try:
                    fed.add(self._graph.as_graph_element(t, allow_operation=False))
                except (TypeError, ValueError, KeyError) as error:
                    raise TypeError(f"Cannot interpret feed_list key as Tensor: {error}") from None
        handle = f"partial_run_{len(self._partial)}"
        self._partial[handle] = _PartialRun(set(wanted.tensors), set(wanted.targets), fed)
        return handle

    def partial_run(self, handle: str, fetches: Any, feed_dict: Any = None) -> Any:
        """Go on with a partial run: feed some of what was announced, fetch some. Every operation runs once at most."""
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")
        if handle not in self._partial:
            raise errors.InvalidArgumentError(None, None, "Must run 'setup' before performing partial runs!")
        run = self._partial[handle]
        wanted = Fetches(self._graph, fetches)
        feeds = self._feeds(feed_dict) if feed_dict else {}
        run.admit(wanted, feeds)
        plan = Plan(wanted.tensors, wanted.targets, {t: _shape_of(v) for t, v in run.env.items()}, self._devices.place)
        for cluster in plan.clusters:
            cluster.ops = [op for op in cluster.ops if op not in run.done]
            self._run_on_host(cluster, run.env)
            run.done.update(op for op in cluster.ops if op.opdef.effect is not None)
        run.forget_references()
        return wanted.build([self._result(plan, t, run.env) for t in wanted.tensors])

    def hlo(self, fetches: Any, feed_dict: Any = None, *, optimized: bool = False) -> list[str]:
        """The XLA programs of a run, one text per device cluster (thalweg's own). The run takes place."""
        wanted = self._fetches(fetches)
        feeds = self._feeds(feed_dict) if feed_dict else {}
        self._execute(wanted, feeds)
        plan = self._plan(wanted, feeds)
        texts = []
        for cluster, executables in zip(plan.clusters, plan.executables, strict=True):
            if cluster.is_host or not executables:
                continue
            exe = next(reversed(executables.values()))
            args = [
                jax.ShapeDtypeStruct(_shape_of(feeds[t]), t.dtype.numpy_dtype)
                if t in feeds
                else jax.ShapeDtypeStruct(t._dims, t.dtype.numpy_dtype)
                for t in exe.args
            ]
            lowered = exe.lowered(self._store, args)
            texts.append(lowered.compile().as_text() if optimized else lowered.as_text())
        return texts


class _PartialRun:
    def __init__(self, tensors: set[Tensor], targets: set[Operation], feeds: set[Tensor]):
        self.tensors, self.targets, self.feeds = tensors, targets, feeds
        self.env: dict[Tensor, Any] = {}
        self.done: set[Operation] = set()
        self.fed: set[Tensor] = set()
        self.fetched: set[Tensor] = set()

    def admit(self, wanted: Fetches, feeds: dict[Tensor, Any]) -> None:
        for what, own, announced, used in (
            ("feed", feeds, self.feeds, self.fed),
            ("fetch", wanted.tensors, self.tensors, self.fetched),
        ):
            for t in own:
                if t not in announced:
                    done = "has already been fed." if what == "feed" else "has already been fetched."
                    state = done if t in used else "was not specified in partial_run_setup."
                    raise errors.InvalidArgumentError(None, None, f"The {what} {t.name} {state}")
            announced.difference_update(own)
            used.update(own)
        self.env.update(feeds)
        for t in self.feeds:
            if _depends(wanted.tensors, t, self.env):
                raise errors.InvalidArgumentError(
                    None,
                    None,
                    f"Fetch {wanted.tensors[0].name} can't be computed from the feeds that have been fed so far: {t.name}.",
                )

    def forget_references(self) -> None:
        self.env = {t: v for t, v in self.env.items() if type(v) is not RefValue}


def _depends(tensors: Sequence[Tensor], feed: Tensor, known: dict[Tensor, Any]) -> bool:
    stack, seen = list(tensors), set()
    while stack:
        t = stack.pop()
        if t is feed:
            return True
        if t in seen or t in known:
            continue
        seen.add(t)
        stack += t.op._inputs
    return False


class Session(BaseSession):
    """Runs a graph and keeps its variables. As a context it is the default session, and closed at the end.

    >>> with tf.Session() as sess:
    ...     print(sess.run(tf.constant(5.0) * tf.constant(6.0)))
    30.0
    """

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None):
        super().__init__(target, graph, config)
        self._entered: list[contextlib.ExitStack] = []

    def __enter__(self) -> Session:
        if self._entered:
            raise RuntimeError(
                "Session context managers are not re-entrant. Use `Session.as_default()` if you want to enter a session multiple times."
            )
        stack = contextlib.ExitStack()
        stack.enter_context(self.graph.as_default())
        stack.enter_context(self.as_default())
        self._entered.append(stack)
        return self

    def __exit__(self, *error: Any) -> None:
        self._entered.pop().__exit__(*error)
        self.close()

    @staticmethod
    def reset(target: str, containers: Any = None, config: Any = None) -> None:
        """Forget the variables of a server, or those in some of its `containers`. Its sessions end: AbortedError.

        Without a server, variables belong to their session, and there is nothing to reset.
        """
        target = target.decode() if isinstance(target, bytes) else target
        server = server_of(target)
        if server is not None:
            server.reset(containers)
        elif target not in _LOCAL:
            raise errors.NotFoundError(None, None, f"No session factory registered for the target {target!r}.")


class InteractiveSession(BaseSession):
    """A session that is the default one from its creation on, for notebooks and shells. `close` ends that."""

    _count = 0

    def __init__(self, target: str = "", graph: Graph | None = None, config: Any = None):
        super().__init__(target, graph, config)
        if InteractiveSession._count > 0:
            warnings.warn(
                "An interactive session is already active. This can cause out-of-memory errors in some cases. "
                "You must explicitly call `InteractiveSession.close()` to release resources held by the other session(s).",
                stacklevel=2,
            )
        InteractiveSession._count += 1
        graph_lib.default_sessions.stack.append(self)
        self._own_graph = graph is not None
        if self._own_graph:
            graph_lib._default_graphs.stack.append(self.graph)

    def _check_devices(self) -> None:
        """What an interactive session does not run, it need not place."""

    def close(self) -> None:
        """End the session; it is the default one no more."""
        if not self._closed:
            InteractiveSession._count -= 1
            if self in graph_lib.default_sessions.stack:
                graph_lib.default_sessions.stack.remove(self)
            if self._own_graph and self.graph in graph_lib._default_graphs.stack:
                graph_lib._default_graphs.stack.remove(self.graph)
        super().close()

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            if not self._closed:
                InteractiveSession._count -= 1


@contextlib.contextmanager
def _as_default(session: BaseSession):
    stack = graph_lib.default_sessions.stack
    stack.append(session)
    try:
        yield session
    finally:
        stack.remove(session)


def get_default_session() -> Any:
    """The session of the innermost `with session.as_default()` block, or None."""
    stack = graph_lib.default_sessions.stack
    return stack[-1] if stack else None


# -- values in and out

_FEED_TENSOR = (
    "The value of a feed cannot be a tf.Tensor object. Acceptable feed values include Python scalars, strings, lists, numpy "
    "ndarrays, or TensorHandles."
)


def _feed_value(t: Tensor, value: Any) -> Any:
    """`value` as an array that can stand for `t`. Raises TypeError or ValueError where it can't."""
    want = t.dtype._as_numpy
    if type(value) is float and want.kind == "f":
        value = np.array(value, want)
    elif type(value) is not np.ndarray:
        if isinstance(value, Tensor) or hasattr(value, "_as_graph_element"):
            raise TypeError(_FEED_TENSOR)
        if want != object and hasattr(value, "handle"):  # a TensorHandle: what it is the name of
            value = value.array
        if isinstance(value, jax.Array) if _jax_loaded() else False:
            if value.dtype != want:
                value = np.asarray(value)
        if not hasattr(value, "addressable_shards"):
            value = _from_python(t, value, want)
    if value.dtype != want:
        value = as_array(value, t.dtype) if want == object or value.dtype == object else value.astype(want)
    if t._dims is not None and value.shape != t._dims and not shapes.compatible(t._dims, value.shape):
        raise ValueError(
            f"Cannot feed value of shape {value.shape} for Tensor {t.name!r}, which has shape {str(t.shape)!r}"
            + (f" (made at {t.op.site})" if t.op.site else "")
        )
    return value


def _jax_loaded() -> bool:
    import sys

    return "jax" in sys.modules


def _from_python(t: Tensor, value: Any, want: np.dtype) -> np.ndarray:
    if want == object:
        if t.dtype.base_dtype == dtypes.string and isinstance(value, int | float):
            raise TypeError(
                f"Type of feed value {value} with type {type(value)} is not compatible with Tensor type {t.dtype!r}. Feed strings."
            )
        if t.dtype.base_dtype != dtypes.string:
            out = np.empty(np.shape(value) if isinstance(value, list | tuple) else (), object)
            out[...] = value
            return out
        return as_array(value, t.dtype)
    if isinstance(value, int) and not isinstance(value, bool) and want.kind in "iu":
        info = np.iinfo(want)
        if not info.min <= value <= info.max:
            raise TypeError(
                f"Type of feed value {value} with type {type(value)} is not compatible with Tensor type {t.dtype.name}. "
                "Try explicitly setting the type of the feed tensor to a larger type (e.g. int64)."
            )
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"Cannot feed {type(value).__name__} for Tensor {t.name!r}: {error}") from None
    if array.dtype.kind in "SU" or (array.dtype == object and any(isinstance(x, str | bytes) for x in array.flat)):
        raise ValueError(f"could not convert string to {t.dtype.name}: the feed of Tensor {t.name!r} is {value!r:.80}")
    try:
        return array.astype(want, copy=False)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"Cannot feed {type(value).__name__} for Tensor {t.name!r} of type {t.dtype.name}: {error}"
        ) from None


def _shape_of(value: Any) -> tuple[int, ...]:
    return tuple(value.shape)


def _until_done(attempt: Any) -> None:
    done = threading.Event()
    attempt.when_done(done.set)
    try:
        done.wait()
    except BaseException as error:
        attempt.cancel(error)
        raise


def _to_user(value: Any) -> Any:
    """A result as the user gets it: an array of his own, or a NumPy scalar (bytes for a string)."""
    if isinstance(value, np.ndarray):
        if value.ndim == 0:
            return value[()]
        return value.copy()
    if type(value) is RefValue:
        return value
    if isinstance(value, Structured):
        return value.for_user()
    if isinstance(value, np.generic | bytes):
        return value
    return np.asarray(value)[()] if value.ndim == 0 else np.array(value)


def _shapes_key(cluster: Cluster, statics: dict[Tensor, Any], env: dict[Tensor, Any]) -> Any:
    """What one executable of a cluster serves: the shapes of its inputs, and the values it is compiled for."""
    key: Any = tuple([env[t].shape for t in cluster.inputs])
    return (key, *[(v.tobytes(), v.shape) for v in statics.values()]) if statics else key


def _kept(value: Any, cluster: Cluster) -> Any:
    """A variable's new value as the store keeps it: on its device, or in host memory where no device can hold it."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        with jax.enable_x64(True):
            return jax.device_put(value, None if cluster.is_host else cluster.colour)
    return value


class _View(dict):
    """A step's own view of the variables: what it writes stays here until it is committed."""

    def __init__(self, store: Store, *, host: bool):
        super().__init__()
        self._store, self._host = store, host

    def get(self, key: Any, default: Any = None) -> Any:
        if key in self:
            return self[key]
        with self._store.lock:  # a step that writes it donates its buffer
            value = self._store.values.get(key, default)
            return np.asarray(value) if self._host and value is not None else value


def _stop_at_nan(op: Operation, values: list[Any]) -> None:
    for t, v in zip(op.outputs, values, strict=True):
        if t.dtype.is_floating or t.dtype.is_complex:
            array = np.asarray(v)
            bad = ~np.isfinite(array.astype(np.complex128 if t.dtype.is_complex else np.float64))
            if bad.any():
                where = np.argwhere(bad)[0].tolist()
                raise errors.InvalidArgumentError(
                    None,
                    op,
                    f"{t.name} has {int(bad.sum())} values that are not finite, the first at {where} (THALWEG_DEBUG=nan).",
                )
