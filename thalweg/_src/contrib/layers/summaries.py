"""Summaries of tensors, of activations, and of all that is in a collection."""

from __future__ import annotations

import functools
import re
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.summary import summary
from thalweg._src.ops.numeric import casting, compare, reduce


def _scalar(tensor: Any, tag: str | None = None) -> Any:
    tensor.get_shape().assert_has_rank(0)
    return summary.scalar(tag or f"{tensor.op.name}_summary", tensor)


def _histogram(tensor: Any, tag: str | None = None) -> Any:
    return summary.histogram(tag or f"{tensor.op.name}_summary", tensor)


def summarize_activation(op: Any) -> Any:
    """A histogram of the outputs of a layer, and for Relu, Relu6 and Softplus the share that is cut off."""
    if op.op.type in ("Relu", "Softplus", "Relu6"):
        x = op.op.inputs[0]
        _scalar(_share(compare.less(x, casting.cast(0.0, x.dtype))), f"{op.op.name}/zeros")
    if op.op.type == "Relu6":
        x = op.op.inputs[0]
        _scalar(_share(compare.greater(x, casting.cast(6.0, x.dtype))), f"{op.op.name}/sixes")
    return _histogram(op, f"{op.op.name}/activation")


def _share(flags: Any) -> Any:
    return reduce.reduce_mean(casting.to_float(flags))


def summarize_tensor(tensor: Any, tag: str | None = None) -> Any:
    """A scalar summary of a scalar, a histogram of anything else; None for strings and booleans."""
    if tensor.dtype.is_compatible_with(dtypes.string) or tensor.dtype.base_dtype == dtypes.bool:
        return None
    return _scalar(tensor, tag) if tensor.get_shape().ndims == 0 else _histogram(tensor, tag)


def summarize_tensors(tensors: Any, summarizer: Any = summarize_tensor) -> list[Any]:
    """A summary of each."""
    return [summarizer(tensor) for tensor in tensors]


def summarize_collection(
    collection: Any, name_filter: str | None = None, summarizer: Any = summarize_tensor
) -> list[Any]:
    """A summary of each item of a collection whose name matches the filter."""
    items = scopes.get_collection(collection)
    return summarize_tensors([i for i in items if name_filter is None or re.match(name_filter, i.op.name)], summarizer)


summarize_variables = functools.partial(summarize_collection, GraphKeys.GLOBAL_VARIABLES)
summarize_weights = functools.partial(summarize_collection, GraphKeys.WEIGHTS)
summarize_biases = functools.partial(summarize_collection, GraphKeys.BIASES)


def summarize_activations(name_filter: str | None = None, summarizer: Any = summarize_activation) -> list[Any]:
    """A summary of each activation in the collection ACTIVATIONS."""
    return summarize_collection(GraphKeys.ACTIVATIONS, name_filter, summarizer)
