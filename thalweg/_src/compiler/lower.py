"""One cluster to one executable: a pure function of (variables it replaces, variables it reads, inputs), compiled by XLA.

Variables that a step writes are donated to it. Conditions that lowerings `check` come back as one flag; where it is false nothing may
have changed. On a CPU such a step leaves the old values where they are and writes the new ones beside them; elsewhere it returns the old
ones.
"""

from __future__ import annotations

import collections
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.compiler import haste
from thalweg._src.compiler.interpret import Interpreter
from thalweg._src.compiler.mixed import type_on
from thalweg._src.compiler.recompute import Recomputation
from thalweg._src.compiler.repeats import Repeat
from thalweg._src.compiler.rolling import Rolled, Rows
from thalweg._src.compiler.stage import Cluster
from thalweg._src.core import apply, errors, recipes
from thalweg._src.core.collecting import paused
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.structured import Structured

# Constants with more elements are inputs of the executable; smaller ones are part of the program.
_BIG_CONSTANT = 1024

on_compile: list[Callable[[int, float], None]] = []  # told the number of ops and the seconds of every compilation


class Executable:
    """A cluster compiled for one set of shapes, static values and present variables."""

    state: tuple[Any, ...]  # the shapes and dtypes of the variables it was compiled for
    signature: int  # the store's signature when those were last seen to hold
    shapes: dict[Tensor, tuple[int, ...]]  # those of the cluster's inputs
    transfer: bool  # whether its arguments may lie on another device

    def __init__(
        self,
        cluster: Cluster,
        statics: dict[Tensor, np.ndarray],
        state: dict[Any, Any],
        device: Any,
        *,
        donate: bool = True,
        kernels: bool = True,
        mixed: bool = False,
        recompute: dict[str, Any] | None = None,
        hasty_runs: int | None = None,
        shelf_of: Callable[[Executable, Any], Any] = lambda exe, given: None,
    ):
        """`hasty_runs`: how often it may run on hastily compiled code before it is compiled in full, unless arrays are small; None: never.

        `shelf_of` gives what keeps its programs from one start to the next, or None.
        """
        self.cluster, self.statics, self.device = cluster, statics, device
        self.kernels, self.donates, self.recompute, self.hasty_runs = kernels, donate, recompute, hasty_runs
        self.half = type_on(device.platform) if mixed else None
        rng_keys = [("rng", op.name) for op in cluster.randoms]
        keys = [*cluster.sources, *rng_keys]
        writes = {*cluster.writes, *rng_keys}
        self.donated = [k for k in keys if k in writes and k in state]
        self.kept = [k for k in keys if k not in writes and k in state]
        self.written: list[Any] = []
        self.replayed = [("rng", op.name) for op in cluster.replayed]
        self.args: list[Any] = [*(t for t in cluster.inputs if t not in statics), *self.replayed]
        self.outputs: list[Tensor] = []
        self.known: dict[Tensor, Any] = {}
        self.has_checks = False
        self.big = _big_constants(cluster, statics)
        with jax.enable_x64(True):  # without it, 64-bit constants would lose half of their bits
            self.constants = [jax.device_put(op._attrs["value"], device) for op in self.big]
            packed = _packed(cluster, self.big, device) if kernels else {}
        self.packed = list(packed)  # which of them stand once more behind the others, in the form that a kernel reads
        self.constants += packed.values()
        self.donating = donate
        self.options: dict[str, Any] | None = None  # for its compilation in full
        self.traced = self._trace  # one object: JAX remembers what it has traced by it
        self.program = self._jitted()
        self.ready: Any = self.program  # what is called: `program`, or the same from an earlier start
        self.hasty: Any = None  # the same compiled hastily, for the first runs
        self.shelf_of = shelf_of
        self.shelf: Any = None
        self._preparing = threading.Lock()
        self.prepared = False  # whether it is known what the first run calls
        self.compiled = False  # whether that has run
        self.settled = False  # whether there is nothing left to compile
        self.steady = False  # whether what it writes has the shapes and types of what was there before

    def _keeps_old(self) -> bool:
        """Whether old values stay where they are in a step that may fail.

        XLA's CPU would copy a variable before it writes a choice between both in its place, and once more behind that.
        """
        return self.has_checks and self.device.platform == "cpu"

    def _jitted(self, options: dict[str, Any] | None = None) -> Any:
        return jax.jit(self.traced, donate_argnums=(0,) if self.donating else (), compiler_options=options)

    def _trace(self, donated: Sequence[Any], kept: Sequence[Any], constants: Sequence[Any], args: Sequence[Any]) -> Any:
        cluster = self.cluster
        state = dict(zip(self.donated, donated, strict=True)) | dict(zip(self.kept, kept, strict=True))
        old = dict(state)
        env = dict(zip(self.args, args, strict=True)) | self.statics
        state.update((key, env.pop(key)) for key in self.replayed)
        for op, value in zip(self.big, constants, strict=False):
            env[op.outputs[0]] = value
        packed = [(constants[i], c) for i, c in zip(self.packed, constants[len(self.big) :], strict=True)]
        big = set(self.big)
        inside = [op for op in cluster.ops if op not in big]
        checks: list[Any] = []
        runner = Interpreter(state, fold=cluster.fold, platform=self.device.platform)
        runner.half = self.half
        runner.takers = collections.Counter(
            [t for op in inside if not op.opdef.needs_only_shapes(op) for t in op._inputs] + 2 * list(cluster.outputs)
        )
        with (
            apply.collect_checks(checks),
            apply.rooms(cluster.rooms),
            apply.kernels(self.kernels),
            recipes.noted(donated if self.donates else (), packed),
        ):
            try:
                if self.recompute is not None:
                    Recomputation(inside, **self.recompute).run(runner, env)
                elif any(isinstance(piece, Repeat) for piece in cluster.pieces):
                    env = Rows(env, cluster.names)
                    Rolled([piece for piece in cluster.pieces if piece not in big], cluster.names).run(runner, env)
                else:
                    runner.run(inside, env)
            except errors.OpError:
                self.has_checks = bool(checks)
                raise
        taken = {id(v) for v in (*donated, *kept, *constants, *args)}
        values = []
        self.outputs, self.known = [], {}
        for t in cluster.outputs:
            value = env[t]
            if isinstance(value, jax.Array):
                self.outputs.append(t)
                values.append(_distinct(value, taken))
            elif isinstance(value, Structured):
                self.outputs.append(t)
                values.append(jax.tree.map(lambda v: _distinct(jnp.asarray(v), taken), value))
            else:
                self.known[t] = value
        self.written = list(runner.written)
        new = [_distinct(jnp.asarray(state[k]), taken) for k in self.written]
        self.has_checks = bool(checks)
        if not checks:
            return values, new, ()
        ok, needs = apply.summary(checks)
        for n in needs.values():
            ok &= n == 0
        if self._keeps_old():
            return values, new, (ok, needs)
        new = [
            v if k not in self.donated or old[k].shape != v.shape else jnp.where(ok, v, old[k])
            for k, v in zip(self.written, new, strict=True)
        ]
        return values, new, (ok, needs)

    def gather(self, store: Any) -> tuple[list[Any], list[Any]]:
        values = store.values
        kept = [values[k] for k in self.kept]
        if self.transfer:  # a variable may lie on another device than what reads it
            kept = [jax.device_put(v, self.device) for v in kept]
        return [values[k] for k in self.donated], kept

    def __call__(self, store: Any, args: Sequence[Any]) -> list[Any]:
        """Run on the variables in `store` and commit what was written. The caller holds the store's lock.

        Returns the outputs as device arrays, in the order of `self.outputs`.
        """
        donated, kept = self.gather(store)
        with jax.enable_x64(True):
            if not self.settled:
                return self._early(store, donated, kept, args)
            outputs, new, flags = self.ready(donated, kept, self.constants, args)
        if new or flags:
            self._commit(store, new, flags, args)
        return outputs

    def _early(self, store: Any, donated: Any, kept: Any, args: Any) -> list[Any]:
        """`__call__` until it is compiled in full."""
        self._refuse_strings(args)
        start = time.perf_counter()
        try:
            program, is_new = self._early_program(donated, kept, args)
            outputs, new, flags = program(donated, kept, self.constants, args)
        except errors.OpError as error:  # tracing failed: perhaps behind a condition that does not hold, which says why
            if self.has_checks:
                self.explain(store, args, error)
            raise
        if is_new:
            seconds = time.perf_counter() - start
            for told in on_compile:
                told(len(self.cluster.ops), seconds)
        self.compiled, self.settled = True, program is self.ready
        self._commit(store, new, flags, args)
        return outputs

    def _early_program(self, donated: Any, kept: Any, args: Any) -> tuple[Any, bool]:
        """What is to run now, and whether it has to be compiled first."""
        given = donated, kept, self.constants, args
        self.prepare(given)
        if self.hasty is not None and self.hasty_runs:
            self.hasty_runs -= 1
            return self.hasty, not self.compiled
        self.hasty = None
        self._finish(given)
        return self.ready, True

    def prepare(self, given: Any) -> None:
        """Compile what the first run calls, where that is kept from one start to the next, unless it has been done.

        `given` are the arguments of that run, or what has their shapes and types.
        """
        with self._preparing:  # another thread's run may be doing it, ahead of its input
            if self.prepared:
                return
            self.shelf = self.shelf_of(self, given)
            if self.hasty_runs is not None and self.device.platform == "cpu":
                self.hasty = self._begun(given)
            if self.hasty is None:
                self._finish(given)
            self.prepared = True

    def _finish(self, given: Any) -> None:
        if self.ready is not self.program:
            return
        found = None if self.shelf is None else self.shelf.load(given, hasty=False)
        if found is None:
            self._traced(given)
            if self.shelf is not None:
                found = self.shelf.made(self.program, given, hasty=False)
        self.ready = found or self.program

    def _traced(self, given: Any) -> Any:
        """The step as JAX's Traced, after which it is known whether it may fail, so that nothing can be donated to it."""
        with paused():
            traced = self.program.trace(*given)
        donating = self.donates and not self._keeps_old()
        if donating != self.donating:
            self.donating = donating
            self.program = self.ready = self._jitted(self.options)  # JAX does not trace it again
        return traced

    def outlined(self, store: Any, args: Sequence[Any]) -> tuple[Any, ...]:
        """The shapes and types of what it is called with, where its inputs have those of `args`."""
        values = store.values
        groups = [values[k] for k in self.donated], [values[k] for k in self.kept], self.constants, args
        return tuple(
            [jax.ShapeDtypeStruct(v.shape, v.dtype, weak_type=getattr(v, "weak_type", False)) for v in group]
            for group in groups
        )

    def _begun(self, given: Any) -> Any:
        """The program for the first runs where those are to be hasty ones: on the shelf, or by what a trace shows; else None."""
        if self.shelf is not None:
            found = self.shelf.load(given, hasty=True)
            if found is not None:
                return found
            self.ready = self.shelf.load(given, hasty=False) or self.program
            if self.ready is not self.program:
                return None
        traced = self._traced(given)
        if not self.cluster.varies:
            self.hasty_runs, small = haste.runs(traced.jaxpr, self.hasty_runs or 0)
            if small:
                self.options = haste.light_options()
                self.program = self.ready = self._jitted(self.options)  # JAX does not trace it again
        options = haste.options() if self.hasty_runs else None
        if options is None:
            return None
        program = self._jitted(options)
        return program if self.shelf is None else self.shelf.made(program, given, hasty=True)

    def _refuse_strings(self, args: Sequence[Any]) -> None:
        """An array of strings under a flow stays with plain Python: raises Replan, and what takes it goes there too."""
        held = {
            t
            for t, v in zip(self.args, args, strict=True)
            if isinstance(v, Structured) and any(x.dtype == object for x in jax.tree.leaves(v))
        }
        takers = [op for op in self.cluster.ops if any(t in held for t in op._inputs)] if held else []
        for op in takers:
            op.__dict__.setdefault("hints", set()).add("host")
        if takers:
            raise apply.Replan(takers[0], "a TensorArray of strings")

    def _commit(self, store: Any, new: list[Any], flags: Any, args: Sequence[Any]) -> None:
        if flags and not flags[0].item():
            if not self._keeps_old():  # donated buffers are gone; `new` holds the old values under their keys
                for k, v in zip(self.written, new, strict=True):
                    if k in self.donated and store.values[k].shape == v.shape:
                        store.values[k] = v
            needs = {k: int(n) for k, n in flags[1].items() if n}
            if needs:
                for k, n in needs.items():
                    self.cluster.rooms[k] = _bucket(n)
                raise apply.Cramped(f"{needs}")
            self.explain(store, args)
        if self.steady:
            store.values.update(zip(self.written, new, strict=True))
        else:
            before = store.signature
            store.commit(self.written, new)
            self.steady = store.signature == before
        if new and not self.outputs:
            # Arrays that were fed are the caller's again when a step has returned; whoever fetches waits anyway.
            new[0].block_until_ready()

    def explain(self, store: Any, args: Sequence[Any], known: errors.OpError | None = None) -> None:
        """Run the cluster again op by op, to raise the error that names the op. Variables are not changed.

        `known` is raised where nothing fails before it.
        """
        state = {k: store.values[k] for k in (*self.donated, *self.kept)}
        env = dict(zip(self.args, args, strict=True)) | self.statics
        state.update((key, env.pop(key)) for key in self.replayed)
        runner = Interpreter(state, fold=self.cluster.fold, platform=self.device.platform, traced=False)
        with jax.enable_x64(True):
            runner.run(self.cluster.ops, env)
        raise known or errors.InternalError(
            None, None, "A check of the compiled step failed, but none failed op by op."
        )

    def lowered(self, store: Any, args: Sequence[Any]) -> Any:
        """The step as JAX's Lowered, for its HLO and cost analysis."""
        donated, kept = self.gather(store)
        with jax.enable_x64(True):
            return self.program.lower(donated, kept, self.constants, args)


def _bucket(n: int) -> int:
    """A round number from `n` on, at most half as large again: few sizes are compiled, and little room is wasted."""
    power = 1 << max(n - 1, 1).bit_length()
    return 3 * power // 4 if 3 * power // 4 >= n else power


def _big_constants(cluster: Cluster, statics: dict[Tensor, np.ndarray]) -> list[Operation]:
    return [
        op
        for op in cluster.ops
        if op.opdef.constant
        and op not in cluster.fold
        and op._attrs["value"].size > _BIG_CONSTANT
        and op._attrs["value"].dtype != object
    ]


def _packed(cluster: Cluster, big: list[Operation], device: Any) -> dict[int, Any]:
    """Constants in the form in which the kernels of those who take them read them, by their place in `big`."""
    origin = {op.outputs[0]: i for i, op in enumerate(big)}
    found: dict[int, Any] = {}
    for op in cluster.ops:
        if op.opdef.alias and op._inputs and op._inputs[0] in origin:
            origin[op.outputs[0]] = origin[op._inputs[0]]
        index, pack = op.opdef.packers.get(device.platform, (0, None))
        at = origin.get(op._inputs[index]) if pack is not None else None
        if pack is None or at is None or at in found:
            continue
        if big[at] not in cluster.packed:
            value = pack(big[at]._attrs["value"], op)
            cluster.packed[big[at]] = None if value is None else jax.device_put(value, device)
        if cluster.packed[big[at]] is not None:
            found[at] = cluster.packed[big[at]]
    return found


def _distinct(value: Any, taken: set[int]) -> Any:
    # An output that is an input, or stands twice, would share its buffer; the next donation would destroy it.
    if id(value) in taken:
        value = jnp.copy(value)
    taken.add(id(value))
    return value
