"""JAX, imported by the first attribute that anybody asks for.

`import thalweg` builds no graph and runs nothing, so it must not pay for JAX. Modules write
`from thalweg._src.core.lazy import jnp` and use `jnp` as ever, inside functions.
"""

import functools
import importlib
import logging
import sys
import types
from typing import TYPE_CHECKING

import numpy as np

from thalweg._src.core.collecting import paused


class _Lazy(types.ModuleType):
    """A module that is imported when an attribute is first read; the attribute is then kept here."""

    def __init__(self, target: str):
        super().__init__(target)
        self._target = target

    def __getattr__(self, name: str):
        value = getattr(_imported(self._target), name)
        setattr(self, name, value)
        return value


@functools.cache
def _computes_here() -> None:
    """XLA's CPU client computes on the thread that asks it to, as long as no other client has been made.

    A session waits for what it runs, and to wake another thread for it takes longer than a small step.
    """
    import jax

    jax.config.update("jax_cpu_enable_async_dispatch", False)


def _imported(target: str) -> types.ModuleType:
    """The module; its first import leaves NumPy's global generator as it was, though JAX's dependencies draw from it.

    A program that seeds NumPy before its first run would see other numbers after it. JAX's notes on how it searched for
    devices are not for a program that logs at INFO, as every program does after tf.app.run.
    """
    if target in sys.modules:
        _computes_here()
        return importlib.import_module(target)
    if logging.getLogger("jax").level == logging.NOTSET:
        logging.getLogger("jax").setLevel(logging.WARNING)
    state = np.random.get_state()
    try:
        with paused():
            found = importlib.import_module(target)
        _computes_here()
        return found
    finally:
        np.random.set_state(state)


if TYPE_CHECKING:
    import jax as jax
    import jax.numpy as jnp
    from jax import lax as lax
    from jax import nn as jnn
else:
    jax = _Lazy("jax")
    jnp = _Lazy("jax.numpy")
    lax = _Lazy("jax.lax")
    jnn = _Lazy("jax.nn")
