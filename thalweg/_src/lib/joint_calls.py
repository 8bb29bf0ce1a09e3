"""Functions whose work is done for several steps at once."""

from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.graph import Tensor
from thalweg._src.core.type_spec import TensorSpec
from thalweg._src.lib.data import nest
from thalweg._src.lib.data.functions import ElementFunction
from thalweg._src.ops.queueing.batching import batch_function as batch_function_op


def batch_function(
    num_batch_threads: int,
    max_batch_size: int,
    batch_timeout_micros: int,
    allowed_batch_sizes: Sequence[int] | None = None,
    max_enqueued_batches: int = 10,
    autograph: bool = True,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A decorator: what several runs on different threads compute at the same time is computed once, for their rows together.

    A batch waits for more rows until it has `max_batch_size`, or for `batch_timeout_micros`. With `allowed_batch_sizes`, it is filled up
    to one of them. The result is not differentiable; `autograph` means nothing here, as functions are traced. Raises ValueError
    for arguments that are no tensors.
    """
    del autograph

    def decorator(fn: Callable[..., Any]) -> Callable[..., Any]:
        def decorated(*args: Any) -> Any:
            for a in args:
                if not isinstance(a, Tensor):
                    raise ValueError(
                        f"All arguments to functions decorated with `batch_function` are supposed to be Tensors; found {a!r}"
                    )
            spec = tuple(TensorSpec(a.shape, a.dtype) for a in args)
            function = ElementFunction(fn, "batch", spec)
            with scopes.name_scope(None, "batch") as name:
                found = batch_function_op(
                    list(args),
                    function.captured,
                    f=function.graph,
                    num_batch_threads=num_batch_threads,
                    max_batch_size=max_batch_size,
                    batch_timeout_micros=batch_timeout_micros,
                    allowed_batch_sizes=list(allowed_batch_sizes or ()),
                    max_enqueued_batches=max_enqueued_batches,
                    shared_name=name,
                    Tout=[t.dtype for t in function.graph.outputs],
                )
            return nest.pack_sequence_as(function.spec, list(found))

        return decorated

    return decorator
