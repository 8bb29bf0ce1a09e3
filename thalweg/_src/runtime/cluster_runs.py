"""How a session runs the clusters of a plan: on a device, on NumPy arrays, or operation by operation."""

from __future__ import annotations

import contextlib
import functools
import logging
import math
import threading
from typing import Any, NamedTuple, cast

import numpy as np

from thalweg._src.compiler import haste
from thalweg._src.compiler.interpret import Interpreter
from thalweg._src.compiler.lower import Executable
from thalweg._src.compiler.mixed import type_on
from thalweg._src.compiler.plan import Plan
from thalweg._src.compiler.prune import last_uses
from thalweg._src.compiler.stage import Cluster
from thalweg._src.core import apply, errors
from thalweg._src.core.apply import Cramped, Replan
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.lazy import jax
from thalweg._src.core.waiting import finish
from thalweg._src.runtime import cache
from thalweg._src.runtime.hosting import HostContext, on_host
from thalweg._src.runtime.numpy_interpreter import NumPyInterpreter
from thalweg._src.runtime.processor import products_alone
from thalweg._src.runtime.recalled import Recalled
from thalweg._src.runtime.state import Store, fresh_random
from thalweg._src.runtime.stored_programs import FEWEST, shelf_of
from thalweg._src.runtime.tracing import Trace, TracingInterpreter

log = logging.getLogger("thalweg")
# Shapes that a cluster is compiled for: until what changes is set apart, until a warning, and kept at the same time.
_FEW, _MANY, _MOST = 4, 24, 128
_LARGE, _ALIGNED = 100_000, 64  # bytes from which XLA copies what does not begin at a multiple of so many


class ClusterRuns:
    """The part of a session that runs one cluster at a time, and keeps what it has compiled for it."""

    _is_eager: bool
    _store: Any
    _lock: Any
    _plans: dict[Any, Plan]
    _changing: set[Tensor]
    _debug: str
    _kernels: bool
    _mixed: bool
    _recompute: dict[str, Any] | None

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
        if cluster.tiny is not None and cluster.tiny.run(env):
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

    def _run_on_device(self, cluster: Cluster, executables: dict[Any, Any], env: dict[Any, Any]) -> None:
        statics = {t: np.asarray(env[t]) for t in cluster.statics} if cluster.statics else {}
        if cluster.slight_runs and cluster.colour.platform == "cpu":
            cluster.slight_runs -= 1
            self._run_on_numpy(cluster, env, once=True)
            return
        key = _shapes_key(cluster, statics, env)
        if key not in executables and self._run_uncompiled(cluster, key, env):
            return
        # What touches no variables needs no lock while it runs, so that it can run on other threads beside the step.
        lock = self._store.lock if cluster.sources or cluster.randoms else self._lock
        with lock:
            if cluster.kept:
                self._keep_streams(cluster, env)
            exe = self._executable(cluster, executables, key, statics)
            outputs = None
            if lock is not self._lock or not exe.compiled:
                outputs = self._dispatch(cluster, exe, env)
        if outputs is None:
            outputs = self._dispatch(cluster, exe, env)
        for t, v in zip(exe.outputs, outputs, strict=True):
            env[t] = v
        env[cluster] = exe  # whose outputs share no memory with anything else
        if exe.known:
            env.update(exe.known)

    def _executable(self, cluster: Cluster, executables: Any, key: Any, statics: dict[Tensor, Any]) -> Executable:
        store = self._store
        exe = executables.get(key)
        if exe is None or exe.signature != store.signature:
            if exe is None or exe.state != self._state_of(cluster):
                exe = self._compile(cluster, executables, key, statics)
            # Where results will lie: JAX would compile once more for those.
            store.bring([*exe.donated, *exe.kept], exe.device)
        exe.signature = store.signature
        return exe

    def _compile_ahead(self, cluster: Cluster, executables: dict[Any, Any], env: dict[Tensor, Any]) -> None:
        """Compile a large cluster before what it takes is there, if it has never run and all shapes are known.

        What fails here fails again, and is told, when the cluster runs.
        """
        if executables or not self._can_be_ahead(cluster):
            return
        expected = {t: env[t] if t in env else _Outline(t._dims, t.dtype.as_numpy_dtype) for t in cluster.inputs}
        if any(v.shape is None or None in v.shape for v in expected.values()):
            return
        try:
            with self._store.lock:
                exe = self._executable(cluster, executables, _shapes_key(cluster, {}, expected), {})
                given = exe.outlined(self._store, [expected[t] for t in exe.args])
            with jax.enable_x64(True):
                exe.prepare(given)
        except Exception as error:
            log.debug("Compiling %d operations ahead failed: %s", len(cluster.ops), error)
            executables.clear()
            cluster.compiled = 0

    def _can_be_ahead(self, cluster: Cluster) -> bool:
        if cluster.is_host or cluster.is_elsewhere or len(cluster.ops) < FEWEST or self._debug:
            return False
        if cluster.varies or cluster.statics or cluster.slight_runs or cluster.kept or cluster.replayed:
            return False
        if cluster.uncompiled.is_cheap():
            return False
        return cluster.colour.platform == "cpu" and len(jax.devices()) == 1

    def _run_uncompiled(self, cluster: Cluster, key: Any, env: Any) -> bool:
        """Run a cluster on NumPy arrays, where that is over sooner than compiling it; False where it is not, and nothing has been done."""
        past = cluster.uncompiled
        alone = cluster.colour.platform == "cpu" and len(jax.devices()) == 1  # with others, arrays have their places
        left = past.left(key) if alone else 0.0
        if not left:
            return False
        try:
            with products_alone():
                past.ran(key, self._run_on_numpy(cluster, env, once=not cluster.varies, most=left))
        except (Cramped, Replan):
            past.refused = True
            return False
        except Exception as error:  # what NumPy does not do is left to the compiler, whose error counts
            log.debug("%d operations are compiled, as NumPy gives %r", len(cluster.ops), error)
            past.gave_up(key)
            return False
        return True

    def _run_on_numpy(
        self, cluster: Cluster, env: dict[Tensor, Any], *, once: bool = False, most: float = math.inf
    ) -> float:
        """Run a cluster of a CPU's operation by operation, on NumPy arrays. Tells what it cost (see `uncompiled`).

        Raises Costly, and has done nothing, where that is more than `most`. In a cluster that varies, loops are compiled for lengths
        that are rounded up.
        """
        values = {t: on_host(env[t]) for t in cluster.inputs}
        given = {id(v) for v in values.values()}
        with self._store.lock if cluster.sources or cluster.randoms else contextlib.nullcontext():
            self._keep_streams(cluster, env)
            made, state = self._interpreter(cluster, values, on_numpy=True, streams=env)
            runner = cast(NumPyInterpreter, made)
            runner.once, runner.most = once, most
            if cluster.varies:
                runner.loops, runner.kernels = cluster.loops, self._kernels
                cluster.recalled = runner.recalled = cluster.recalled or Recalled()
            if cluster.last_uses is None:
                cluster.last_uses = last_uses(cluster.ops, cluster.outputs)
            with np.errstate(all="ignore"), jax.enable_x64(True):
                for op, done in zip(cluster.ops, cluster.last_uses, strict=True):
                    runner.run_one(op, values)
                    for t in done:
                        del values[t]
            self._store.commit(runner.written, [_own(state[k], given) for k in runner.written])
        env.update((t, values[t]) for t in cluster.outputs)
        return math.inf if runner.traces else runner.spent

    def _keep_streams(self, cluster: Cluster, env: dict[Any, Any]) -> None:
        """Put into `env` the states of those random operations whose numbers a later cluster draws again."""
        for op in cluster.kept:
            self._store.ensure_random(op)
            env["rng", op.name] = np.array(self._store.values["rng", op.name])

    def _dispatch(self, cluster: Cluster, exe: Executable, env: dict[Tensor, Any]) -> list[Any]:
        store = self._store
        args = [env[t] for t in exe.args]
        if exe.transfer:
            with jax.enable_x64(True):
                args = [jax.device_put(a, exe.device) for a in args]
        elif cluster.colour.platform == "cpu":
            args = [_aligned(a) for a in args]
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
            runs = haste.MANY if cluster.varies else haste.SOME if cluster.compiled else haste.FEW
            trains = not cluster.compiled and any(k in store.values for k in cluster.changes)
            if not cluster.varies and (trains or cluster.uncompiled.runs.get(key, 0) > haste.FEW):
                runs = 0  # it is run again and again
            exe = Executable(
                cluster,
                statics,
                store.values,
                cluster.colour,
                donate=donate,
                kernels=kernels,
                mixed=self._mixed,
                recompute=self._recompute,
                hasty_runs=runs,
                shelf_of=shelf_of,
            )
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
            dropped = next(iter(executables))
            del executables[dropped]
            cluster.uncompiled.spent.pop(dropped, None)  # it has to come as often again

    def _run_on_host(self, cluster: Cluster, env: dict[Tensor, Any], trace: Trace | None = None) -> None:
        """Run a cluster op by op: host work, or any work where THALWEG_DEBUG says so or it is traced."""
        store = self._store
        if cluster.is_host:
            for t in cluster.fetched:
                env[t] = on_host(env[t])
        self._keep_streams(cluster, env)
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
        env: dict[Any, Any],
        wait: Any = None,
        *,
        on_numpy: bool = False,
        trace: Trace | None = None,
        streams: dict[Any, Any] | None = None,
    ) -> tuple[Interpreter, _View]:
        """What runs the operations of `cluster` one by one, and its view of the variables.

        `streams` holds the states of random operations that it replays, where that is not `env`.
        """
        on_numpy = on_numpy or cluster.is_host
        streams = env if streams is None else streams
        state = _View(
            self._store, {("rng", op.name): streams["rng", op.name] for op in cluster.replayed}, host=on_numpy
        )
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
        runner.half = type_on(runner.platform) if self._mixed else None
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


class _Outline(NamedTuple):
    """The shape and type of a value that is still to come."""

    shape: Any
    dtype: Any


def _aligned(value: Any) -> Any:
    """A large array where XLA's CPU takes it as it lies. It copies others on another thread, for which the step would wait on one more."""
    if type(value) is not np.ndarray or value.nbytes < _LARGE or value.dtype == object:
        return value
    if value.flags.c_contiguous and value.__array_interface__["data"][0] % _ALIGNED == 0:
        return value
    room = np.empty(value.nbytes + _ALIGNED, np.uint8)
    start = -room.__array_interface__["data"][0] % _ALIGNED
    own = room[start : start + value.nbytes].view(value.dtype).reshape(value.shape)
    own[...] = value
    return own


def _until_done(attempt: Any) -> None:
    done = threading.Event()
    attempt.when_done(done.set)
    try:
        done.wait()
    except BaseException as error:
        attempt.cancel(error)
        raise


def _shapes_key(cluster: Cluster, statics: dict[Tensor, Any], env: dict[Tensor, Any]) -> Any:
    """What one executable of a cluster serves: the shapes of its inputs, and the values it is compiled for."""
    key: Any = tuple([env[t].shape for t in cluster.inputs])
    return (key, *[(v.tobytes(), v.shape) for v in statics.values()]) if statics else key


def _own(value: Any, given: set[int]) -> Any:
    """A variable's new value, made on NumPy arrays from those whose ids are `given`, in memory that nobody else writes to."""
    if not isinstance(value, np.ndarray) or value.dtype == object:
        return value
    return value if value.flags.owndata and value.flags.writeable and id(value) not in given else value.copy()


def _kept(value: Any, cluster: Cluster) -> Any:
    """A variable's new value as the store keeps it: on its device, or in host memory where no device can hold it."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        with jax.enable_x64(True):
            return jax.device_put(value, None if cluster.is_host else cluster.colour)
    return value


class _View(dict):
    """A step's own view of the variables: what it writes stays here until it is committed. `replayed` stands before the store."""

    def __init__(self, store: Store, replayed: dict[Any, Any], *, host: bool):
        super().__init__()
        self._store, self._replayed, self._host = store, replayed, host

    def get(self, key: Any, default: Any = None) -> Any:
        if key in self:
            return self[key]
        if key in self._replayed:
            return self._replayed[key]
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
