"""A scan by parts: what can leave the loop is made before or after it, for all turns at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.scan.body import Body, Known, Node, array_of, evaluate, sort
from thalweg._src.core.scan.limits import only_live
from thalweg._src.core.scan.stages import FIXED, ROW, Staged
from thalweg._src.core.scan.sums import sums_of

# What only makes an array larger is made where it is used.
_SPREADS = frozenset({"broadcast_in_dim", "iota"})


# A loop: (step, fixed, carry, rows) -> (last carry, stacked out), where step(fixed, carry, row) gives (new carry, out).
Step = Callable[[list[Any], list[Any], list[Any]], tuple[list[Any], list[Any]]]
Loop = Callable[[Step, list[Any], list[Any], list[Any]], tuple[list[Any], list[Any]]]


class Run:
    """The scan of one body: `arrays` for its fixed values, `start` for its carry, `rows` for its rows.

    First it is found out which values the loops must give out, the last stage first; then the loops run, the first one first.
    Where not all turns count, `live` has flags of those that do.
    """

    def __init__(
        self,
        body: Body,
        arrays: Sequence[Any],
        start: Sequence[Any],
        rows: Sequence[Any],
        length: int,
        loop: Loop,
        live: Any = None,
    ):
        self.body, self.start, self.length, self.loop = body, list(start), length, loop
        self.live = live
        self.sums = sums_of(body)
        self.staged = Staged(body, self.sums)
        self.fixed: dict[Any, Any] = dict(zip(body.fixed, arrays, strict=True))
        self.rows: dict[Any, Any] = dict(zip(body.rows, rows, strict=True))
        self.wanted: dict[int, dict[Any, None]] = {}  # by stage, what its loop gives out
        self.inside: dict[int, set[Any]] = {}  # by stage, what its carry needs

    def finish(self) -> tuple[list[Any], list[Any]]:
        """(last carry, stacked outputs)."""
        body, staged = self.body, self.staged
        stages = sorted(set(staged.stage.values()), reverse=True)
        for k in stages:
            self.inside[k] = {v for n in self._nodes(k, self._carried(k)) for v in n.outputs} | {
                body.carry[i] for i in self._slots(k)
            }
        for v in [*body.out, *(v for s in self.sums for v in s.operands)]:
            self._want(v)
        for k in stages:
            for v in self._entering(k):
                self._want(v)
        end: dict[int, Any] = {}
        for k in reversed(stages):
            end.update(zip(self._slots(k), self._loop(k), strict=True))
        for s in self.sums:
            end[s.at] = self.start[s.at] + s.total(*map(self._summed, s.operands))
        return [end[i] for i in range(len(body.carry))], [self._stacked(v) for v in body.out]

    def _slots(self, k: int) -> list[int]:
        return [i for i, s in self.staged.stage.items() if s == k]

    def _carried(self, k: int) -> list[Any]:
        return [self.body.new[i] for i in self._slots(k)]

    # -- what is made where

    def _here(self, v: Any, k: int) -> bool:
        """Whether the loop of stage `k` makes `v` itself in each turn, rather than taking it as a row or a fixed value."""
        staged = self.staged
        if isinstance(v, Known) or v.node is None:
            return False
        level = staged.level_of(v)
        if level == k:
            return True
        if level == ROW:
            return not staged.is_product(v.node)
        return level == FIXED and v.node.name in _SPREADS

    def _nodes(self, k: int, targets: list[Any]) -> list[Any]:
        return sort(targets, lambda v: not self._here(v, k))

    def _entering(self, k: int) -> list[Any]:
        """What the loop of stage `k` takes from outside, other than its carry."""
        targets = [*self._carried(k), *self.wanted.get(k, ())]
        nodes = self._nodes(k, targets)
        own = {self.body.carry[i] for i in self._slots(k)}
        found = dict.fromkeys(v for n in nodes for v in n.inputs)
        found |= dict.fromkeys(targets)
        return [v for v in found if not isinstance(v, Known) and v not in own and not self._here(v, k)]

    def _want(self, v: Any) -> None:
        """See to it that `v` can be had for all turns."""
        level = self.staged.level_of(v)
        if level < 0:
            return
        if self._is_late(v, level):
            for s in v.node.inputs:
                self._want(s)
        else:
            self.wanted.setdefault(level, {})[v] = None

    def _is_late(self, v: Any, level: int) -> bool:
        """Whether `v`, which comes from what is carried, is made for all turns at once when the loop is over."""
        inside = self.inside[level]
        if v in inside or v.node is None:
            return False
        return any(
            self.staged.is_product(n) for n in sort([v], lambda s: s in inside or self.staged.level_of(s) < level)
        )

    def _stacked(self, v: Any) -> Any:
        """`v` for all turns: [turns, ...]."""
        length = self.length
        if v not in self.rows:
            if self.staged.is_fixed(v):
                x = jnp.asarray(self._fixed(v))
                return jnp.broadcast_to(x, (length, *x.shape))
            node = v.node
            held = [self.staged.is_fixed(s) for s in node.inputs]
            arrays = [self._fixed(s) if f else self._stacked(s) for s, f in zip(node.inputs, held, strict=True)]
            out = _all_turns(node, held, arrays)
            self.rows.update(zip(node.outputs, out, strict=True))
        return self.rows[v]

    def _summed(self, v: Any) -> Any:
        """`v` for all turns, of which only those add to a sum that count."""
        stack = self._stacked(v)
        return stack if self.live is None else only_live(stack, self.live)

    def _fixed(self, v: Any) -> Any:
        if not isinstance(v, Known) and v not in self.fixed:
            evaluate(sort([v], lambda s: s in self.fixed), self.fixed)
        return array_of(v, self.fixed)

    def _loop(self, k: int) -> list[Any]:
        """Run the loop of stage `k`; its last carry."""
        staged, slots = self.staged, self._slots(k)
        entering, wanted = self._entering(k), list(self.wanted.get(k, ()))
        fixed = [v for v in entering if staged.is_fixed(v)]
        rows = [v for v in entering if not staged.is_fixed(v)]
        carry, new = [self.body.carry[i] for i in slots], self._carried(k)
        nodes = self._nodes(k, [*new, *wanted])

        def step(given: list[Any], carried: list[Any], row: list[Any]) -> tuple[list[Any], list[Any]]:
            env = dict(zip([*fixed, *carry, *rows], [*given, *carried, *row], strict=True))
            evaluate(nodes, env)
            return [jnp.asarray(array_of(v, env)) for v in new], [array_of(v, env) for v in wanted]

        end, out = self.loop(
            step, [self._fixed(v) for v in fixed], [self.start[i] for i in slots], [self._stacked(v) for v in rows]
        )
        self.rows.update(zip(wanted, out, strict=True))
        return end


def _all_turns(node: Node, held: list[bool], arrays: list[Any]) -> list[Any]:
    """What `node` gives for all turns; `held` says which of `arrays` are the same in all of them."""
    if node.name == "dot_general" and held == [False, True] and arrays[0].ndim == 3:
        (across, _), (batched, _) = node.params["dimension_numbers"]
        if across == (1,) and not batched:  # one row after the other: so its derivative is a plain product too
            x = arrays[0]
            (y,) = node.run(x.reshape(-1, x.shape[2]), arrays[1])
            return [y.reshape(*x.shape[:2], *y.shape[1:])]
    return list(jax.vmap(node.run, in_axes=[None if h else 0 for h in held], out_axes=0)(*arrays))
