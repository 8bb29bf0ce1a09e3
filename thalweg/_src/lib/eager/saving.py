"""tfe.Saver, and variables that get their values from a checkpoint when they are made."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.core import errors
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.lib import saver
from thalweg._src.lib.checkpoints import CheckpointReader
from thalweg._src.ops.stateful import eager_variables


class Saver:
    """tf.train.Saver without sessions: saves a list of variables, or a dict of them by name.

    Raises RuntimeError where no eager execution is.
    """

    def __init__(self, var_list: Any):
        if not executing_eagerly():
            raise RuntimeError(
                "tfe.Saver can only be used when eager execution is enabled. Use tf.train.Saver when building graphs."
            )
        self._saver = saver.Saver(var_list=var_list)

    def save(self, file_prefix: Any, global_step: Any = None) -> str:
        """Write a checkpoint, and give its path."""
        return self._saver.save(None, file_prefix, global_step=global_step, write_meta_graph=False)  # type: ignore[return-value]

    def restore(self, file_prefix: Any) -> None:
        """Read a checkpoint."""
        self._saver.restore(None, file_prefix)


def get_optimizer_variables(optimizer: Any) -> list[Any]:
    """The variables that an optimizer has made."""
    return optimizer.variables()


@contextlib.contextmanager
def restore_variables_on_create(save_path: Any, map_func: Callable[[str], str] | None = None) -> Iterator[None]:
    """A block in which a new variable gets the value that the checkpoint has under its name, or under `map_func(name)`.

    Without a path, nothing is restored. Raises ValueError outside of eager execution, NotFoundError for a name that is not there.
    """
    if not executing_eagerly():
        raise ValueError("Currently, restore_variables_on_create can only be used with eager execution enabled.")
    if map_func is not None and not callable(map_func):
        raise ValueError("map_func must be callable.")
    if not save_path:
        yield
        return
    reader = CheckpointReader(save_path)
    used: set[str] = set()

    def restore(variable: Any) -> None:
        name = variable._shared_name
        name = map_func(name) if map_func is not None else name
        if not reader.has_tensor(name):
            raise errors.NotFoundError(None, None, f"{name} not found in checkpoint")
        if name not in used:
            used.add(name)
            variable.assign(reader.get_tensor(name))

    eager_variables.when_made.append(restore)
    try:
        yield
    finally:
        eager_variables.when_made.remove(restore)
