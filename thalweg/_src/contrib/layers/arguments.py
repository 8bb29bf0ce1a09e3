"""What the layers of tf.contrib share: names for outputs, conditions that may be known, sizes, collections of variables."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.framework.variables import model_variable
from thalweg._src.core import infer, scopes
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.shapes import TensorShape
from thalweg._src.ops.control.control_flow import cond
from thalweg._src.ops.stateful.partitioned import PartitionedVariable
from thalweg._src.ops.stateful.variable_modes import VariableAggregation, VariableSynchronization
from thalweg._src.ops.stateful.variables import Variable

NamedOutputs = namedtuple("NamedOutputs", ["name", "outputs"])

# -- outputs and their aliases


def collect_named_outputs(collections: Any, alias: str, outputs: Any) -> Any:
    """`outputs`, in the collections under the name `alias`."""
    if collections:
        append_tensor_alias(outputs, alias)
        scopes.add_to_collections(collections, outputs)
    return outputs


def append_tensor_alias(tensor: Any, alias: str) -> Any:
    """Give a tensor one more name."""
    alias = alias.removesuffix("/")
    if hasattr(tensor, "aliases"):
        tensor.aliases.append(alias)
    else:
        tensor.aliases = [alias]
    return tensor


def gather_tensors_aliases(tensors: Any) -> list[str]:
    """The names of several tensors, in order."""
    return [alias for tensor in tensors for alias in get_tensor_aliases(tensor)]


def get_tensor_aliases(tensor: Any) -> list[str]:
    """The names that a tensor was given, or its own."""
    if hasattr(tensor, "aliases"):
        return tensor.aliases
    return [tensor.op.name if tensor.name.endswith(":0") else tensor.name]


def convert_collection_to_dict(collection: Any, clear_collection: bool = False) -> OrderedDict[str, Any]:
    """The tensors of a collection by their names; `clear_collection` empties it."""
    found = OrderedDict((alias, t) for t in scopes.get_collection(collection) for alias in get_tensor_aliases(t))
    if clear_collection:
        get_default_graph().clear_collection(collection)
    return found


# -- conditions


def constant_value(value_or_tensor_or_var: Any, dtype: Any = None) -> Any:
    """The value, if it is known while the graph is built, else None. Raises ValueError for None and for another dtype."""
    value = value_or_tensor_or_var
    if value is None:
        raise ValueError("value_or_tensor_or_var cannot be None")
    if not isinstance(value, Tensor | Variable):
        return value
    if dtype and value.dtype != dtype:
        raise ValueError(f"It has the wrong type {value.dtype} instead of {dtype}")
    return None if isinstance(value, Variable) else infer.constant_value(value)


def static_cond(pred: Any, fn1: Callable[[], Any], fn2: Callable[[], Any]) -> Any:
    """The result of one of the functions. Raises TypeError unless both can be called."""
    for name, fn in (("fn1", fn1), ("fn2", fn2)):
        if not callable(fn):
            raise TypeError(f"{name} must be callable.")
    return fn1() if pred else fn2()


def smart_cond(pred: Any, fn1: Callable[[], Any], fn2: Callable[[], Any], name: str | None = None) -> Any:
    """`tf.cond`, or the one function where `pred` is known."""
    known = constant_value(pred)
    return static_cond(known, fn1, fn2) if known is not None else cond(pred, fn1, fn2, name=name)


# -- sizes


def _size(shape: TensorShape, axis: int, min_rank: int) -> int:
    if shape.ndims is None:
        raise ValueError("dims of shape must be known but is None")
    if shape.ndims < min_rank:
        raise ValueError(f"rank of shape must be at least {min_rank} not: {shape.ndims}")
    size = shape.as_list()[axis]
    if size is None:
        raise ValueError(f"dimension {axis} of shape must be known but is None: {shape}")
    return size


def channel_dimension(shape: TensorShape, data_format: str, min_rank: int = 1) -> int:
    """The number of channels: at axis 1 for 'channels_first', else the last. Raises ValueError if it is unknown."""
    return _size(shape, 1 if data_format == "channels_first" else -1, min_rank)


def last_dimension(shape: TensorShape, min_rank: int = 1) -> int:
    """The last size. Raises ValueError if it is unknown, or for fewer axes than `min_rank`."""
    return _size(shape, -1, min_rank)


def two_element_tuple(int_or_tuple: Any) -> tuple[Any, Any]:
    """(n, n) from n, or the two of a list. Raises ValueError for anything else."""
    if isinstance(int_or_tuple, list | tuple):
        if len(int_or_tuple) != 2:
            raise ValueError(f"Must be a list with 2 elements: {int_or_tuple}")
        return int(int_or_tuple[0]), int(int_or_tuple[1])
    if isinstance(int_or_tuple, int):
        return int_or_tuple, int_or_tuple
    if isinstance(int_or_tuple, TensorShape) and len(int_or_tuple) == 2:
        return int_or_tuple[0], int_or_tuple[1]
    raise ValueError("Must be an int, a list with 2 elements or a TensorShape of length 2")


def n_positive_integers(n: int, value: Any) -> tuple[int, ...]:
    """`n` positive integers from one or from `n`. Raises ValueError for anything else."""
    if int(n) < 1 or int(n) != n:
        raise ValueError("n must be a positive integer")
    n = int(n)
    try:
        values = (int(value),) * n
    except (TypeError, ValueError):
        wrong = f"Expected sequence of {n} positive integers, but received {value!r}"
        if len(value) != n:
            raise ValueError(wrong) from None
        try:
            values = tuple(int(x) for x in value)
        except (TypeError, ValueError):
            raise ValueError(wrong) from None
    for x in values:
        if x < 1:
            raise ValueError(f"expected positive integer, but received {x}")
    return values


# -- variables


def get_variable_collections(variables_collections: Any, name: str) -> Any:
    """The collections for the variable `name`: from a dict by name, else the same for all."""
    return variables_collections.get(name) if isinstance(variables_collections, dict) else variables_collections


def add_variable_to_collections(variable: Any, collections_set: Any, collections_name: str) -> None:
    """Put a variable (or the parts of one) into the collections meant for that name, once."""
    parts = list(variable) if isinstance(variable, PartitionedVariable) else [variable]
    for collection in get_variable_collections(collections_set, collections_name) or []:
        there = scopes.get_collection_ref(collection)
        there += [v for v in parts if not any(v is t for t in there)]


def model_variable_getter(rename: dict[str, str] | None = None) -> Callable[..., Any]:
    """A custom getter that makes model variables, some of them under other names: {'kernel': 'weights'}."""

    def getter(
        getter: Any,
        name: str,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        collections: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        use_resource: bool | None = None,
        synchronization: Any = VariableSynchronization.AUTO,
        aggregation: Any = VariableAggregation.NONE,
        **_: Any,
    ) -> Any:
        scope, slash, last = name.rpartition("/")
        return model_variable(
            scope + slash + (rename or {}).get(last, last),
            shape=shape,
            dtype=dtype,
            initializer=initializer,
            regularizer=regularizer,
            collections=collections,
            trainable=trainable,
            caching_device=caching_device,
            partitioner=partitioner,
            custom_getter=getter,
            use_resource=use_resource,
            synchronization=synchronization,
            aggregation=aggregation,
        )

    return getter


WEIGHTS_AND_BIASES = model_variable_getter({"bias": "biases", "kernel": "weights"})

# -- formats


def keras_format(data_format: str | None) -> str:
    """'NCHW' -> 'channels_first'."""
    return "channels_first" if data_format and data_format.startswith("NC") else "channels_last"


def check_format(data_format: Any, *allowed: str) -> None:
    """Raises ValueError for a format that is not allowed."""
    if data_format not in allowed:
        raise ValueError(f"data_format has to be either {' or '.join(allowed)}.")


def finished(
    outputs: Any, normalizer_fn: Any, normalizer_params: Any, activation_fn: Any, collections: Any, name: str
) -> Any:
    """`outputs` through the normalizer and the activation, and into the collections."""
    if normalizer_fn is not None:
        outputs = normalizer_fn(outputs, **(normalizer_params or {}))
    if activation_fn is not None:
        outputs = activation_fn(outputs)
    return collect_named_outputs(collections, name, outputs)


def of_layer(
    kind: Any,
    inputs: Tensor,
    scope: Any,
    *,
    activation_fn: Any,
    normalizer_fn: Any,
    normalizer_params: Any,
    weights_initializer: Any,
    weights_regularizer: Any,
    biases_initializer: Any,
    biases_regularizer: Any,
    reuse: Any,
    variables_collections: Any,
    outputs_collections: Any,
    trainable: bool,
    weights: str = "kernel",
    **options: Any,
) -> Any:
    """`inputs` through a layer of the class `kind`, with these `options`, in the variable scope that is open.

    The layer's attribute `weights` is what goes into the collections meant for weights; a normalizer takes the place of the biases.
    """
    layer = kind(
        use_bias=bool(not normalizer_fn and biases_initializer),
        kernel_initializer=weights_initializer,
        bias_initializer=biases_initializer,
        kernel_regularizer=weights_regularizer,
        bias_regularizer=biases_regularizer,
        trainable=trainable,
        name=scope.name,
        dtype=inputs.dtype.base_dtype,
        _scope=scope,
        _reuse=reuse,
        **options,
    )
    outputs = layer(inputs)
    add_variable_to_collections(getattr(layer, weights), variables_collections, "weights")
    if layer.bias is not None:
        add_variable_to_collections(layer.bias, variables_collections, "biases")
    return finished(outputs, normalizer_fn, normalizer_params, activation_fn, outputs_collections, scope.name)
