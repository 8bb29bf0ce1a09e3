"""One operation as an executable: what eager execution runs for work that is too large for NumPy."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import apply
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.core.opdef import OpDef
from thalweg._src.core.philox import Stream
from thalweg._src.runtime import cache


class Compiled:
    """The lowering of an op as an executable of its inputs' values. `statics` are built in, the inputs `refs` are variables."""

    def __init__(
        self,
        opdef: OpDef,
        attrs: dict[str, Any],
        count: int,
        statics: dict[int, Any],
        platform: str,
        *,
        random: bool = False,
    ):
        cache.enable()
        self.opdef, self.attrs, self.statics = opdef, attrs, statics
        self.dynamic = [i for i in range(count) if i not in statics]
        self.count = count
        self.random, self.platform = random, platform
        self.checks = self.rooms = False
        self.program = jax.jit(self._trace)

    def _full(self, values: Any) -> list[Any]:
        full: list[Any] = [None] * self.count
        for i, v in self.statics.items():
            full[i] = v
        for i, v in zip(self.dynamic, values, strict=True):
            full[i] = v
        return full

    def _trace(self, state: Any, values: Any) -> Any:
        rng = Stream(state) if self.random else None
        checks: list[Any] = []
        with apply.collect_checks(checks):
            result = apply.call(self.opdef, self.attrs, self._full(values), rng=rng, platform=self.platform)
        self.checks = bool(checks)
        self.rooms = any(isinstance(c, apply.Need) for c in checks)
        ok = apply.summary(checks)[0] if checks else ()
        return [jnp.asarray(v) for v in all_outputs(self.opdef, result)], ok, rng.finish() if rng is not None else ()

    def __call__(self, state: Any, values: list[Any]) -> Any:
        """The outputs (what a writer puts into its variables first), and the state of the random stream after it."""
        own = [values[i] for i in self.dynamic] if self.statics else values
        if not self.rooms:
            with jax.enable_x64(True):
                out, ok, state_after = self.program(state, own)
            if not self.rooms and (not self.checks or bool(ok)):
                return out, state_after
        # A check failed, or the op wants room that only its values tell: as it stands, it says so, or takes what it needs.
        with jax.enable_x64(True):
            rng = Stream(state) if self.random else None
            result = apply.call(self.opdef, self.attrs, self._full(own), rng=rng, platform=self.platform)
            return all_outputs(self.opdef, result), rng.finish() if rng is not None else ()


def all_outputs(opdef: OpDef, result: Any) -> list[Any]:
    """What a lowering returned, as a flat list: new values of variables, then outputs."""
    n = len(opdef.write_index)
    if not n:
        return apply.flat_outputs(opdef, result)
    has_outputs = bool(opdef.outputs) and not opdef.outputs[0].ref
    if n == 1 and not has_outputs:
        return [result]
    rest = result[n:]
    return [*result[:n], *(rest if has_outputs else ())]
