"""Computing again what gradients need, instead of keeping it: the memory optimizer of `RewriterConfig`.

Between the forward pass and the backward pass a step keeps every value that a gradient takes. Cheap operations (biases, activations,
normalisations) can be done again from what they were made of: their values then live twice for a moment instead of all the time
(Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016). A segment is a connected set of such operations; it is done again
when the first gradient that takes one of its values is due.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from thalweg._src.compiler.interpret import Interpreter
from thalweg._src.core.graph import Operation, Tensor
from thalweg._src.core.lazy import jax, jnp

HINT = "_recompute_hint"  # the attr that marks an operation for MANUAL
_CHEAP = """
Add AddN AddV2 BiasAdd Cast Elu Exp Fill FloorDiv FloorMod FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 LeakyRelu Maximum Minimum
Mul Neg RealDiv Reciprocal Relu Relu6 Reshape Rsqrt Selu Sigmoid Softplus Sqrt Square SquaredDifference Sub Tanh Tile Transpose
"""
CHEAP = frozenset(_CHEAP.split())


_MODES = {2: True, 3: False, 5: False}  # MANUAL, HEURISTICS, RECOMPUTATION_HEURISTICS: whether only hints count


def asked_for(config: Any) -> dict[str, Any] | None:
    """What `Recomputation` is to be told, by a session's `ConfigProto`; None where memory is not to be saved."""
    options = config.graph_options.rewrite_options if config is not None else None
    if options is None or options.memory_optimization not in _MODES:
        return None
    return {
        "scope": options.memory_optimizer_target_node_name_scope or "gradients/",
        "hinted": _MODES[options.memory_optimization],
    }


class Recomputation:
    """Runs operations as `Interpreter.run` does, but gives gradients values that are computed again.

    `scope` is what the names of gradients begin with, at the top or inside of another scope; `hinted` takes only operations that
    carry the attr `_recompute_hint`, otherwise every cheap operation is taken whose value a gradient needs.
    """

    def __init__(self, ops: Sequence[Operation], scope: str, *, hinted: bool):
        self.ops = ops
        self._gradients = {op for op in ops if op.name.startswith(scope) or f"/{scope}" in op.name}
        forward = [op for op in ops if op not in self._gradients and _is_pure(op)]
        wanted = {op for op in forward if (HINT in op._attrs if hinted else op.type in CHEAP)}
        self._segment = _segments(ops, wanted if hinted else wanted - _joints(forward, wanted))
        self._again: dict[Tensor, Any] = {}

    def run(self, runner: Interpreter, env: dict[Tensor, Any]) -> None:
        """Run all operations, adding the values of their outputs to `env`."""
        runner.prepare(self.ops)
        for op in self.ops:
            if op not in self._gradients or op.opdef.needs_only_shapes(op):
                runner.run_one(op, env)
                continue
            for t in op._inputs:
                if t.op in self._segment and t not in self._again:
                    due = [env[x] for x in op._inputs if x.op in self._gradients]
                    self._repeat(runner, self._segment[t.op], env, due)
            self._run_apart(runner, op, env, env)

    def _repeat(
        self, runner: Interpreter, segment: Sequence[Operation], env: dict[Tensor, Any], due: list[Any]
    ) -> None:
        """Run `segment` again, not before the gradients in `due` are there."""
        own = {t for op in segment for t in op.outputs}
        taken = dict.fromkeys(t for op in segment for t in op._inputs if t not in own)
        self._again.update((t, _after(env[t], due)) for t in taken if isinstance(env[t], jax.Array))
        for op in segment:
            self._run_apart(runner, op, env, self._again)

    def _run_apart(self, runner: Interpreter, op: Operation, env: dict[Tensor, Any], into: dict[Tensor, Any]) -> None:
        """Run `op` on values computed again where there are such, else on those of `env`; its outputs go `into` a dict."""
        view = {t: self._again[t] if t in self._again else env[t] for t in op._inputs}
        runner.run_one(op, view)
        into.update((t, view[t]) for t in op.outputs)


def _after(value: Any, due: Iterable[Any]) -> Any:
    """`value` as XLA can't have it before `due`.

    XLA's CPU forgets barriers (`lax.optimization_barrier`) before it puts operations in an order. A number that is and is not NaN it
    does not see through.
    """
    for other in due:
        if isinstance(other, jax.Array) and jnp.issubdtype(other.dtype, jnp.floating) and other.size:
            first = other.ravel()[0]
            value = jnp.where((first == first) & (first != first), jnp.zeros((), value.dtype), value)
    return value


def _is_pure(op: Operation) -> bool:
    """Whether doing `op` twice gives the same and changes nothing."""
    return op.opdef.effect is None and not (op.opdef.source or op.opdef.host)


def _joints(ops: Iterable[Operation], cheap: Collection[Operation]) -> set[Operation]:
    """Those of `cheap` whose values both cheap and other operations take, as the sums of residual networks: they are kept, or such
    a network would be one segment."""
    takers: dict[Operation, set[bool]] = {}
    for op in ops:
        for t in op._inputs:
            takers.setdefault(t.op, set()).add(op in cheap)
    return {op for op in cheap if takers.get(op) == {True, False}}


def _segments(ops: Iterable[Operation], wanted: Collection[Operation]) -> dict[Operation, list[Operation]]:
    """For each operation of `wanted` the connected ones among them, itself included, in the order of `ops`."""
    segment: dict[Operation, list[Operation]] = {}
    for op in ops:
        if op not in wanted:
            continue
        joined = [op]
        for before in {id(s): s for t in op._inputs if (s := segment.get(t.op))}.values():
            joined = before + joined
        for member in joined:
            segment[member] = joined
    place = {op: i for i, op in enumerate(ops)}
    for joined in {id(s): s for s in segment.values()}.values():
        joined.sort(key=place.__getitem__)
    return segment
