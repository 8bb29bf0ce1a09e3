"""Loops of small matrix products, as recurrent networks are, in one call of a kernel.

XLA runs a loop operation by operation. The kernel (`source/turns.h`) takes some rows of the batch through all turns, with the
weights packed and everything that a turn makes in the cache. What it takes is a loop in which rows of a batch do not know of each other:
products with weights that stay the same, and operations element by element. What needs nothing of these runs in a loop of XLA's before it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thalweg._src.core.apply import kernels_allowed
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.scan import tape
from thalweg._src.core.scan.body import Body, Known, Node, array_of, evaluate, sort, traced
from thalweg._src.core.scan.limits import scan_up_to
from thalweg._src.kernels import library
from thalweg._src.kernels.turn_programs import ALIASES, BINARY, SAME, UNARY, Program, Unfit, compact, join_sums

LEAST = 1 << 20  # multiplications of all turns, below which nothing takes long
MOST = 1 << 20  # elements of all weights, beyond which they do not stay in a processor's cache

# What the kernel makes again in each turn, though it could be made before: it costs less than to read it.
_LIGHT = UNARY | BINARY | ALIASES | SAME.keys() | {"select_n", "square", "integer_pow", "split", "slice", "clamp"}


def in_turns(step: Any, start: list[Any], rows: list[Any], length: int, reverse: bool, limit: Any = None) -> Any:
    """The `scan_up_to` of `step` by the kernel: (last carry, stacked outputs), or None where it is not for that."""
    if not kernels_allowed() or length < 2:
        return None
    found = traced(step, start, [jax.ShapeDtypeStruct(r.shape[1:], r.dtype) for r in rows])
    if found is None:
        return None
    body, arrays = found
    try:
        turns = _Turns(body, length, reverse)
    except Unfit:
        return None
    if not library.available():
        return None
    return turns.run(arrays, start, rows, limit)


tape.machines["cpu"] = in_turns


class _Turns:
    """A body cut in two: what depends on products of what is carried, for the kernel, and the rest. Raises Unfit."""

    def __init__(self, body: Body, length: int, reverse: bool):
        self.body, self.length, self.reverse = body, length, reverse
        self.nodes = sort([*body.new, *body.out], lambda v: False)
        self.fixed = set(body.fixed)
        for node in self.nodes:
            if all(self._is_fixed(v) for v in node.inputs):
                self.fixed.update(node.outputs)
        self.products = self._products()
        self.slots, self.bound = self._slots()
        self.program = Program(self._batch())
        self._light: dict[Any, bool] = {}
        self.inside = self._inside()
        self._write()

    def _is_fixed(self, v: Any) -> bool:
        return isinstance(v, Known) or v in self.fixed

    # -- what the kernel is to make

    def _products(self) -> set[Node]:
        """Products of what comes from the carry with something fixed."""
        moved, found = set(self.body.carry), set()
        for node in self.nodes:
            if any(v in moved for v in node.inputs if not isinstance(v, Known)):
                moved.update(node.outputs)
                if node.name == "dot_general" and node.inputs[0] in moved and node.inputs[1] in self.fixed:
                    found.add(node)
        return found

    def _slots(self) -> tuple[list[int], set[Any]]:
        """The carried slots that products have a part in, and all values that do."""
        slots: list[int] = []
        while True:
            bound = {self.body.carry[i] for i in slots}
            for node in self.nodes:
                if node in self.products or any(v in bound for v in node.inputs if not isinstance(v, Known)):
                    bound.update(node.outputs)
            found = [i for i, v in enumerate(self.body.new) if v in bound]
            if found == slots:
                return slots, bound
            slots = found

    def _batch(self) -> int:
        shapes = [(n.inputs[0].aval.shape, n.inputs[1].aval.shape) for n in self.products]
        if not shapes or not self.slots:
            raise Unfit("no products")
        batch = shapes[0][0][0] if shapes[0][0] else 0
        sizes = [math.prod(w) for _, w in shapes]
        if not batch or sum(sizes) > MOST or batch * self.length * sum(sizes) < LEAST:
            raise Unfit("too little, or too much")
        return batch

    def _is_light(self, v: Any) -> bool:
        """Whether the kernel can make `v`, which needs no product, in each turn."""
        if isinstance(v, Known):
            return not np.shape(v.value)
        if v not in self._light:
            try:
                self.program.form(v.aval.shape)
                fits = v.aval.dtype in (np.float32, np.bool_)
            except Unfit:
                fits = False
            if v.node is not None and not (v in self.fixed and v.node.name != "broadcast_in_dim"):
                if v.node.name == "broadcast_in_dim":
                    fits = (fits and len(v.node.inputs[0].aval.shape) == 1) or self._is_light(v.node.inputs[0])
                else:
                    fits = fits and v.node.name in _LIGHT and all(self._is_light(s) for s in v.node.inputs)
            self._light[v] = fits
        return self._light[v]

    def _is_inside(self, v: Any) -> bool:
        """Whether the kernel makes `v` rather than being given it."""
        if isinstance(v, Known) or v.node is None:
            return False
        return v in self.bound or ((v not in self.fixed or v.node.name == "broadcast_in_dim") and self._is_light(v))

    def _inside(self) -> list[Node]:
        wanted = [*(self.body.new[i] for i in self.slots), *(v for v in self.body.out if self._is_bound(v))]
        return sort(wanted, lambda v: not self._is_inside(v))

    def _is_bound(self, v: Any) -> bool:
        return not isinstance(v, Known) and v in self.bound

    # -- the program

    def _write(self) -> None:
        body, program = self.body, self.program
        for i in self.slots:
            program.carry(body.carry[i])
        program.place_parts(self.inside)
        for node in self.inside:
            if node.name == "broadcast_in_dim" and not self._is_inside(node.inputs[0]):
                self._spread(node)
            elif node in self.products:
                self._take(node.inputs[0])
                program.product(node)
            else:
                for v in node.inputs:
                    self._take(v)
                program.add(node)
        self.stored = list(dict.fromkeys(v for v in body.out if self._is_bound(v)))
        program.rows = [program.whole(v) for v in self.stored]
        for i in self.slots:
            self._take(body.new[i])
            if body.new[i] is not body.carry[i]:
                program.carried.append((program.values[body.carry[i]], program.own(body.new[i])))
        program.ends = [program.values[body.carry[i]] for i in self.slots]
        self.each_turn = {program.arguments[a]: each for a, _, each in program.inputs}
        join_sums(program)
        compact(program)

    def _take(self, v: Any) -> None:
        """See to it that the program has `v`."""
        if not isinstance(v, Known) and v not in self.program.values:
            self.program.values[v] = self.program.input(v, self.program.form(v.aval.shape), v not in self.fixed)

    def _spread(self, node: Node) -> None:
        """A value from outside that is the same for all rows, or for all columns."""
        (v,) = node.inputs
        axes, program = node.params["broadcast_dimensions"], self.program
        if isinstance(v, Known) or len(v.aval.shape) != 1:
            self._take(v)
            return program.add(node)
        size = v.aval.shape[0]
        if axes == (0,) and size not in (1, program.batch):
            raise Unfit("broadcast")
        form = (axes == (0,) and size == program.batch, size if axes == (1,) and size > 1 else 0)
        program.values[node.outputs[0]] = program.input(v, form, v not in self.fixed)
        return None

    # -- the run

    def run(
        self, arrays: Sequence[Any], start: Sequence[Any], rows: Sequence[Any], limit: Any
    ) -> tuple[list[Any], list[Any]]:
        """(last carry, stacked outputs)."""
        body, program = self.body, self.program
        fixed = dict(zip(body.fixed, arrays, strict=True))
        stacked = dict(zip(body.rows, rows, strict=True))
        missing = [
            v
            for v in dict.fromkeys([*program.arguments, *(v for v in body.out if not isinstance(v, Known))])
            if v not in self.bound and v not in self.fixed and v not in stacked
        ]
        end = self._before(missing, fixed, start, stacked, limit)
        given = {body.carry[i]: start[i] for i in self.slots}
        evaluate(sort([v for v in program.arguments if v in self.fixed], lambda v: v in fixed), fixed)
        flat = [
            jnp.asarray(given[v] if v in given else fixed[v] if v in self.fixed else stacked[v])
            for v in program.arguments
        ]
        count = jnp.int32(self.length if limit is None else limit)
        made = self._derived()(count, *[x.astype(np.float32) for x in flat])
        for v, x in zip(self.stored, made, strict=False):
            stacked[v] = x.astype(v.aval.dtype)
        for i, x in zip(self.slots, made[len(self.stored) :], strict=True):
            end[i] = x.astype(body.carry[i].aval.dtype)
        return [end[i] for i in range(len(body.carry))], [self._stack(v, fixed, stacked) for v in body.out]

    def _before(
        self, missing: list[Any], fixed: dict[Any, Any], start: Sequence[Any], stacked: dict[Any, Any], limit: Any
    ) -> dict[int, Any]:
        """Run what needs no products: the last carry of its slots; what is `missing` joins the `stacked` values."""
        body = self.body
        slots = [i for i in range(len(body.carry)) if i not in self.slots]
        nodes = sort([*(body.new[i] for i in slots), *missing], lambda v: v in fixed)
        rows = list(body.rows)

        def step(carry: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
            env = dict(fixed) | dict(zip([*(body.carry[i] for i in slots), *rows], [*carry, *row], strict=True))
            evaluate(nodes, env)
            return [jnp.asarray(array_of(body.new[i], env)) for i in slots], [jnp.asarray(env[v]) for v in missing]

        if not slots and not missing:
            return {}
        first, given = [start[i] for i in slots], [stacked[v] for v in rows]
        end, out = scan_up_to(limit, step, first, given, self.length, self.reverse)
        stacked.update(zip(missing, out, strict=True))
        return dict(zip(slots, end, strict=True))

    def _stack(self, v: Any, fixed: dict[Any, Any], stacked: dict[Any, Any]) -> Any:
        if isinstance(v, Known) or v in self.fixed:
            evaluate(sort([v], lambda s: s in fixed), fixed)
            x = jnp.asarray(array_of(v, fixed))
            return jnp.broadcast_to(x, (self.length, *x.shape))
        return stacked[v]

    def _derived(self) -> Callable[..., list[Any]]:
        """The kernel as a function of how many turns count and the program's arguments, with the derivatives of the loop that XLA would
        run.
        """
        program, body = self.program, self.body
        shapes = [(self.length, *v.aval.shape) for v in self.stored]
        shapes += [body.carry[i].aval.shape for i in self.slots]
        results = [jax.ShapeDtypeStruct(s, np.float32) for s in shapes]
        words = np.array(program.encoded(self.length, self.reverse), np.int64)
        numbers = np.array([*program.numbers, 0.0], np.float32)

        def kernel(count: Any, *arrays: Any) -> list[Any]:
            call = jax.ffi.ffi_call("thalweg_turns", results, vmap_method="sequential")
            return list(call(count, *arrays, program=words, numbers=numbers))

        def plainly(count: Any, *arrays: Any) -> list[Any]:
            known = dict(zip(program.arguments, arrays, strict=True))
            rows = [v for v in program.arguments if self.each_turn.get(v)]
            carry = [body.carry[i] for i in self.slots]

            def step(values: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
                env = known | dict(zip(rows, row, strict=True)) | dict(zip(carry, values, strict=True))
                env = {v: x.astype(v.aval.dtype) for v, x in env.items()}
                evaluate(self.inside, env)
                new = [env[body.new[i]].astype(np.float32) for i in self.slots]
                return new, [env[v].astype(np.float32) for v in self.stored]

            first, given = [known[v] for v in carry], [known[v] for v in rows]
            end, out = scan_up_to(count, step, first, given, self.length, self.reverse)
            return [*out, *end]

        call = jax.custom_jvp(kernel)
        call.defjvp(lambda values, tangents: (call(*values), jax.jvp(plainly, values, tangents)[1]))
        return call
