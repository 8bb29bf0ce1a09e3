"""Eager execution as a program switches it on, and what it asks about it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from thalweg._src.core import eager, scopes
from thalweg._src.core.eager import executing_eagerly as executing_eagerly
from thalweg._src.runtime import eager as runtime

DEVICE_PLACEMENT_EXPLICIT = 0
DEVICE_PLACEMENT_WARN = 1
DEVICE_PLACEMENT_SILENT = 2
DEVICE_PLACEMENT_SILENT_FOR_INT32 = 3
SYNC = 0
ASYNC = 1


def enable_eager_execution(config: Any = None, device_policy: Any = None, execution_mode: Any = None) -> None:
    """Run operations when they are made, for the rest of the program. To be called at its start.

    `config` is a tf.ConfigProto; `device_policy` and `execution_mode` are checked and make no difference: values are copied between
    devices silently, and work is asynchronous where the device's is. Raises TypeError or ValueError for what they can't be, and
    ValueError where a graph has been built already.
    """
    if config is not None and type(config).__name__ != "ConfigProto":
        raise TypeError(f"config must be a tf.ConfigProto, but got {type(config)}")
    if device_policy not in (None, 0, 1, 2, 3):
        raise ValueError("device_policy must be one of None, tf.contrib.eager.DEVICE_PLACEMENT_*")
    if execution_mode not in (None, SYNC, ASYNC):
        raise ValueError("execution_mode must be one of None, tf.contrib.eager.SYNC, tf.contrib.eager.ASYNC")
    eager.start()
    if config is not None:
        runtime.configure(config)


def disable_eager_execution() -> None:
    """Build graphs again. To be called at the start of a program. Raises ValueError where operations have run eagerly."""
    eager.stop()


def in_eager_mode() -> bool:
    """`executing_eagerly`, by its name of 1.5."""
    return executing_eagerly()


@contextlib.contextmanager
def eager_mode() -> Iterator[None]:
    """A block of eager execution, wherever it stands."""
    with eager.eager_mode():
        yield


@contextlib.contextmanager
def graph_mode() -> Iterator[None]:
    """A block that adds to a graph."""
    with eager.graph_mode():
        yield


@contextlib.contextmanager
def execution_mode(mode: Any) -> Iterator[None]:
    """A block of `mode` (SYNC or ASYNC), which makes no difference. Raises ValueError for other modes."""
    set_execution_mode(mode)
    yield


def set_execution_mode(mode: Any) -> None:
    """SYNC or ASYNC: it makes no difference. Raises ValueError for other modes."""
    if mode not in (None, SYNC, ASYNC):
        raise ValueError(f"Execution mode should be None/SYNC/ASYNC. Got {mode}")


def async_wait() -> None:
    """Wait for all work that is under way."""
    import jax

    jax.effects_barrier()


def async_clear_error() -> None:
    """Nothing to clear: errors are raised where they are seen."""


def list_devices() -> list[str]:
    """The names of the devices that operations can run on."""
    from thalweg._src.runtime.placing import names_of_local_devices

    return names_of_local_devices()


def num_gpus() -> int:
    """How many GPUs there are."""
    return sum("device:GPU" in name for name in list_devices())


def run(main: Any = None, argv: Any = None) -> None:
    """Switch eager execution on and run a program: its `main(argv)` with the flags parsed."""
    from thalweg._src.lib.platform import app

    enable_eager_execution()
    app.run(main, argv)


init_scope = scopes.init_scope
