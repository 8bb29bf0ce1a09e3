"""Lowerings that take long on NumPy arrays, compiled for the shapes that come again.

What needs JAX costs a dispatch for each of its operations when it runs eagerly. Shapes that come only now and then are not worth a
compilation, nor are functions that NumPy runs in no time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from thalweg._src.core import apply
from thalweg._src.core.graph import Operation
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.runtime.numpy_lowering import lowering, on_cpu, plain

SEEN = 3  # times before a shape is compiled for, or calls are known to be quick
SLOW = 5e-4  # seconds
MOST = 16  # shapes that one operation is compiled for


def compiled(op: Operation) -> Callable[..., Any]:
    """The lowering of `op` on NumPy arrays: its own for the host, or the common one, compiled where NumPy takes long."""
    own = op.opdef.platforms.get("host")
    common = _common(op)
    if own is None:
        return common

    def call(*args: Any, **kwargs: Any) -> Any:
        out = own(*args, **kwargs)
        return common(*args, **kwargs) if out is NotImplemented else out

    return call


def _common(op: Operation) -> Callable[..., Any]:
    opdef = op.opdef
    plainly = lowering(opdef)
    if opdef.host is not False or not opdef.simple or opdef.numpy_only or opdef.args_of is not None:
        return plainly
    static = [i for i, arg in enumerate(opdef.inputs) if arg.static or arg.known]
    seen: dict[Any, int] = {}
    programs: dict[Any, Any] = {}
    quick = 0  # calls in a row that took no time worth saving

    def program(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        known = {i: args[i] for i in static}

        def traced(*values: Any) -> Any:
            with apply.collect_checks([]) as checks:
                out = opdef.fn(*[known.get(i, v) for i, v in enumerate(values)], **kwargs)
            return out, jnp.all(jnp.stack(checks)) if checks else jnp.bool_(True)

        return jax.jit(traced)

    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal quick
        if quick >= SEEN:
            return plainly(*args, **kwargs)
        key = tuple([(a.shape, a.dtype, a.tobytes() if i in static else None) for i, a in enumerate(args)])
        if key not in programs:
            seen[key] = seen.get(key, 0) + 1
            if seen[key] <= SEEN or len(programs) >= MOST:
                start = time.perf_counter()
                out = plainly(*args, **kwargs)
                quick = quick + 1 if time.perf_counter() - start < SLOW else 0
                return out
            programs[key] = program(args, kwargs)
        with on_cpu():
            out, ok = programs[key](*args)
        if not bool(np.asarray(ok)):
            return plainly(*args, **kwargs)  # raises what the check found
        return plain(out)

    return call
