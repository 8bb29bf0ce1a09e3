"""tf.contrib.compiler: what says which operations XLA compiles. Here it compiles all of them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Operation
from thalweg._src.lib import nesting
from thalweg._src.ops.basic import control_dependencies, group, identity, no_op


def compile(computation: Callable[..., Any], inputs: Sequence[Any] | None = None) -> Any:
    """What `computation` gives of `inputs`: its tensors, which wait for its operations.

    One value, and a tuple or list of values, come as a list; where there are operations alone, or nothing, it is one operation.
    """
    given = nesting.map_structure(to_tensor, list(inputs or ()))
    made = computation(*given)
    parts = nesting.flatten(made) if made is not None else []
    operations = [p for p in parts if isinstance(p, Operation)]
    tensors = [to_tensor(p) for p in parts if not isinstance(p, Operation)]
    if not tensors:
        return group(*operations, name="output_0") if operations else no_op(name="output_0")
    with control_dependencies(operations):
        tensors = [identity(t, name=f"output_{i}") for i, t in enumerate(tensors)]
    values = made if isinstance(made, list | tuple) else [made]
    flat = not any(nesting.is_sequence(v) for v in values)
    return tensors if operations or flat else nesting.pack_sequence_as(made, tensors)


@contextlib.contextmanager
def experimental_jit_scope(compile_ops: Any = True, separate_compiled_gradients: bool = False) -> Iterator[None]:
    """A hint, which changes nothing: every operation is compiled. RuntimeError under eager execution."""
    if executing_eagerly():
        raise RuntimeError("jit_scope is not supported when eager execution is enabled. Try use it inside tf.function.")
    yield
