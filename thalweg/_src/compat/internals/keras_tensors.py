"""tensorflow.python.keras.utils.tf_utils: other classes that layers take for tensors, and what depends on inputs."""

from collections.abc import Iterable
from typing import Any

from thalweg._src.compat.internals.framework_ops import register_dense_tensor_like_type as register_symbolic_tensor_type


def get_reachable_from_inputs(inputs: Iterable[Any], targets: Iterable[Any] | None = None) -> set[Any]:
    """The tensors and operations that depend on `inputs`; the search ends when it has met all `targets`."""
    left, found = list(inputs), set()
    wanted = None if targets is None else set(targets)
    while left and wanted != set():
        x = left.pop()
        if x in found:
            continue
        found.add(x)
        if wanted is not None:
            wanted.discard(x)
        if hasattr(x, "outputs"):
            left.extend(x.outputs)
        elif hasattr(x, "consumers"):
            left.extend(x.consumers())
        elif hasattr(x, "op"):
            left.append(x.op)
    return found


__all__ = ["get_reachable_from_inputs", "register_symbolic_tensor_type"]
