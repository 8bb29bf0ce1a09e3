"""The feature columns of tf.contrib.layers as inputs of networks, and as sums."""

from __future__ import annotations

from typing import Any

import numpy as np

from thalweg._src.contrib.framework.variables import model_variable
from thalweg._src.contrib.layers.column import (
    Column,
    create_feature_spec_for_parsing,
    create_sequence_feature_spec_for_parsing,
    tensor_of,
)
from thalweg._src.contrib.layers.crossed_columns import CrossedColumn
from thalweg._src.contrib.layers.embedding import safe_embedding_lookup_sparse
from thalweg._src.contrib.layers.embedding_columns import (
    EmbeddingColumn,
    OneHotColumn,
    ScatteredEmbeddingColumn,
    begin_with_checkpoint,
    embedded,
    parts_of,
)
from thalweg._src.contrib.layers.numeric_columns import (
    BucketizedColumn,
    RealValuedColumn,
    RealValuedVarLenColumn,
    real_valued_column,
)
from thalweg._src.contrib.layers.shapes import inner_flatten
from thalweg._src.core import dtypes
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.io.parsing import parse_example, parse_single_sequence_example
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets import activations
from thalweg._src.ops.sparse_tensors.sparse_arrange import sparse_reshape
from thalweg._src.ops.sparse_tensors.sparse_parts import sparse_concat
from thalweg._src.ops.stateful.initializers import zeros_initializer
from thalweg._src.ops.stateful.variable_scope import variable_scope

_OF_SEQUENCES = (OneHotColumn, EmbeddingColumn, RealValuedColumn, RealValuedVarLenColumn)
_NOT_OF_SEQUENCES = (ScatteredEmbeddingColumn, BucketizedColumn, CrossedColumn)


def check_feature_columns(feature_columns: Any) -> None:
    """Raise ValueError for a dict, and for columns that are there twice."""
    if feature_columns is None:
        raise ValueError("feature_columns cannot be None. Please specify feature_columns.")
    if isinstance(feature_columns, dict):
        raise ValueError("Expected feature_columns to be iterable, found dict.")
    seen = set()
    for column in feature_columns:
        if column.key in seen:
            raise ValueError(
                f"Duplicate feature column key found for column: {column.name}. This usually means that the column is almost "
                "identical to another column, and one must be discarded."
            )
        seen.add(column.key)


def are_of_contrib(feature_columns: Any) -> bool:
    """Whether all columns are of tf.contrib.layers."""
    return all(isinstance(c, Column) for c in feature_columns)


def _ordered(feature_columns: Any) -> list[Any]:
    return sorted(set(feature_columns), key=lambda c: c.key)


def _in_global_variables(collections: Any) -> Any:
    return list({*collections, GraphKeys.GLOBAL_VARIABLES}) if collections else collections


def _with_rank(tensor: Any, name: str, output_rank: int) -> Any:
    """A tensor, or a SparseTensor, with `output_rank` axes. Raises ValueError where more than one is missing."""
    rank = tensor.get_shape().ndims
    if rank is None and isinstance(tensor, SparseTensor):
        rank = tensor.dense_shape.get_shape().as_list()[0]
    if rank is None:
        raise ValueError(f"Error while processing column {name}. Rank of input Tensor can not be None.")
    if output_rank > rank + 1:
        raise ValueError(
            f"Error while processing column {name}. Rank of input Tensor ({rank}) should be the same as output_rank "
            f"({output_rank}). For example, sequence data should typically be 3 dimensional (rank 3) while non-sequence data is "
            "typically 2 dimensional (rank 2)."
        )
    if output_rank < rank:
        return inner_flatten(tensor, output_rank)
    if output_rank == rank:
        return tensor
    if isinstance(tensor, SparseTensor):
        return sparse_reshape(tensor, array.concat([tensor.dense_shape, [1]], 0))
    return array.expand_dims(tensor, -1)


def _input(
    features: dict[Any, Any],
    feature_columns: Any,
    collections: Any,
    trainable: bool,
    scope: Any,
    output_rank: int,
    default_name: str,
    cols_to_outs: dict[Any, Any] | None = None,
) -> Any:
    tensors = dict(features)
    check_feature_columns(feature_columns)
    if cols_to_outs is not None and not isinstance(cols_to_outs, dict):
        raise ValueError("cols_to_outs must be a dict unless None")
    with variable_scope(scope, default_name=default_name, values=list(tensors.values())):
        outputs, collections = [], _in_global_variables(collections)
        for column in _ordered(feature_columns):
            with variable_scope(None, default_name=column.name, values=list(tensors.values())):
                tensor = tensor_of(tensors, column)
                if output_rank == 3:
                    parts = tensor if isinstance(tensor, tuple) else (tensor,)
                    parts = tuple(_with_rank(part, column.name, output_rank) for part in parts)
                    tensor = parts if isinstance(tensor, tuple) else parts[0]
                outputs.append(_dense(column, tensor, collections, trainable, output_rank))
                if cols_to_outs is not None:
                    cols_to_outs[column] = outputs[-1]
        return array.concat(outputs, output_rank - 1)


def _dense(column: Any, tensor: Any, collections: Any, trainable: bool, output_rank: int) -> Any:
    """The column's embeddings, or its dense tensor where it embeds nothing."""
    try:
        arguments = column._deep_embedding_lookup_arguments(tensor)
    except NotImplementedError as unable:
        try:
            return column._to_dnn_input_layer(tensor, collections, trainable, output_rank=output_rank)
        except ValueError as error:
            raise ValueError(f"Error creating input layer for column: {column.name}.\n{error}, {unable}") from None
    return embedded(column, arguments, collections, trainable, output_rank)


def input_from_feature_columns(
    columns_to_tensors: dict[Any, Any],
    feature_columns: Any,
    weight_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
    cols_to_outs: dict[Any, Any] | None = None,
) -> Any:
    """The dense columns side by side, sorted by key: [batch, width].

    Raises ValueError for columns that are neither real-valued nor embedded nor one-hot.
    """
    return _input(
        *(columns_to_tensors, feature_columns, weight_collections, trainable, scope),
        *(2, "input_from_feature_columns", cols_to_outs),
    )


def sequence_input_from_feature_columns(
    columns_to_tensors: dict[Any, Any],
    feature_columns: Any,
    weight_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> Any:
    """The dense columns of sequences side by side, sorted by key: [batch, time, width].

    Raises ValueError for columns that are not for sequences, or are made of such.
    """
    for column in feature_columns:
        if not isinstance(column, _OF_SEQUENCES):
            raise ValueError(
                f"FeatureColumn type _{type(column).__name__} is not currently supported for sequence data."
            )
    for column in _with_parents(feature_columns):
        if isinstance(column, _NOT_OF_SEQUENCES):
            raise ValueError(
                f"Column {column.name} is of type _{type(column).__name__}, which is not currently supported for sequences."
            )
    return _input(
        *(columns_to_tensors, feature_columns, weight_collections, trainable, scope),
        *(3, "sequence_input_from_feature_columns"),
    )


def _with_parents(columns: Any) -> list[Any]:
    found = list(columns)
    for column in found:  # grows meanwhile
        found += [p for p in column.parents if p not in found]
    return found


def weighted_sum_from_feature_columns(
    columns_to_tensors: dict[Any, Any],
    feature_columns: Any,
    num_outputs: int,
    weight_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> tuple[Any, dict[Any, Any], Any]:
    """Weights times features, and a bias: ([batch, num_outputs], {column: variables}, bias).

    Raises ValueError for embedded columns.
    """
    tensors, name = dict(columns_to_tensors), "weighted_sum_from_feature_columns"
    check_feature_columns(feature_columns)
    with variable_scope(scope, default_name=name, values=list(tensors.values())):
        sums, variables = [], {}
        for column in _ordered(feature_columns):
            tensor = tensor_of(tensors, column)
            try:
                arguments = column._wide_embedding_lookup_arguments(tensor)
            except NotImplementedError:
                arguments = None
            except ValueError as error:
                raise ValueError(f"Error creating weighted sum for column: {column.name}.\n{error}") from None
            how = {"trainable": trainable, "collections": weight_collections}
            with variable_scope(None, default_name=column.name, values=list(tensors.values())):
                made = _of_classes(column, arguments, num_outputs, how) if arguments else None
                total, weights = made or _of_numbers(column, tensor, num_outputs, how)
            begin_with_checkpoint(column, weights)
            sums.append(array.reshape(total, (-1, num_outputs)))
            variables[column] = parts_of(weights)
        total = math.add_n(sums)
        bias = _bias(num_outputs, trainable, weight_collections)
        return activations.bias_add(total, bias), variables, bias


def _of_classes(column: Any, arguments: Any, num_outputs: int, how: dict[str, Any]) -> tuple[Any, Any]:
    shape = [arguments.vocab_size, num_outputs]
    weights = model_variable("weights", shape, dtypes.float32, arguments.initializer, **how)
    total = safe_embedding_lookup_sparse(
        *(parts_of(weights), arguments.input_tensor, arguments.weight_tensor, arguments.combiner),
        name=f"{column.name}_weights",
    )
    return total, weights


def _of_numbers(column: Any, tensor: Any, num_outputs: int, how: dict[str, Any]) -> tuple[Any, Any]:
    dense = _with_rank(column._to_dense_tensor(tensor), column.name, 2)
    shape = [dense.get_shape().as_list()[1], num_outputs]
    weights = model_variable("weight", shape, initializer=zeros_initializer(), **how)
    return math.matmul(dense, weights, name="matmul"), weights


def _bias(num_outputs: int, trainable: bool, collections: Any) -> Any:
    return model_variable(
        "bias_weight",
        [num_outputs],
        initializer=zeros_initializer(),
        trainable=trainable,
        collections=_in_global_variables(collections),
    )


def joint_weighted_sum_from_feature_columns(
    columns_to_tensors: dict[Any, Any],
    feature_columns: Any,
    num_outputs: int,
    weight_collections: Any = None,
    trainable: bool = True,
    scope: Any = None,
) -> tuple[Any, list[Any], Any]:
    """As `weighted_sum_from_feature_columns`, with the weights of all columns in one variable: (sums, its parts, bias).

    Raises NotImplementedError for real-valued columns, AssertionError for weighted ones and for combiners other than 'sum'.
    """
    tensors, name = dict(columns_to_tensors), "joint_weighted_sum_from_feature_columns"
    check_feature_columns(feature_columns)
    with variable_scope(scope, default_name=name, values=list(tensors.values())):
        arguments = []
        for column in _ordered(feature_columns):
            try:
                arguments.append(column._wide_embedding_lookup_arguments(tensor_of(tensors, column)))
            except NotImplementedError:
                raise NotImplementedError(
                    "Real-valued columns are not supported. Use weighted_sum_from_feature_columns instead, or bucketize these "
                    "columns."
                ) from None
        ids, size = _joined(arguments)
        with variable_scope(None, default_name="linear_weights", values=list(tensors.values())):
            how = {"trainable": trainable, "collections": weight_collections}
            weights = model_variable("weights", [size, num_outputs], dtypes.float32, zeros_initializer(), **how)
            total = safe_embedding_lookup_sparse(parts_of(weights), ids, combiner="sum", name="_weights")
        bias = _bias(num_outputs, trainable, weight_collections)
        return activations.bias_add(total, bias), parts_of(weights), bias


def _joined(arguments: list[Any]) -> tuple[SparseTensor, int]:
    """The class numbers of all columns, each behind those before it, and how many there are."""
    if any(a.weight_tensor is not None for a in arguments):
        raise AssertionError("Joint sums for weighted sparse columns are not supported.")
    if any(a.combiner != "sum" for a in arguments):
        raise AssertionError("Combiners other than sum are not supported for joint sums.")
    if not arguments:
        raise AssertionError("At least one column must be in the model.")
    size, parts = 0, []
    for a in arguments:
        t = a.input_tensor
        parts.append(SparseTensor(t.indices, t.values + size, t.dense_shape))
        size += a.vocab_size
    return sparse_concat(1, parts), size


def parse_feature_columns_from_examples(
    serialized: Any, feature_columns: Any, name: str | None = None, example_names: Any = None
) -> dict[Any, Any]:
    """{key: tensor} and {column: tensor} of serialized examples."""
    check_feature_columns(feature_columns)
    spec = create_feature_spec_for_parsing(feature_columns)
    tensors = parse_example(serialized, spec, name=name, example_names=example_names)
    for column in _ordered(feature_columns):
        tensor_of(tensors, column)
    return tensors


def parse_feature_columns_from_sequence_examples(
    serialized: Any,
    context_feature_columns: Any,
    sequence_feature_columns: Any,
    name: str | None = None,
    example_name: Any = None,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """({key: tensor} of the context, {key: tensor} of the sequences) of one serialized SequenceExample.

    Raises ValueError for more than one.
    """
    try:
        serialized = array.reshape(serialized, [])
    except ValueError as error:
        raise ValueError(
            "serialized must contain as single sequence example. Batching must be done after parsing for sequence examples. "
            f"Error: {error}"
        ) from None
    context, sequences = list(context_feature_columns or []), list(sequence_feature_columns or [])
    check_feature_columns(context)
    check_feature_columns(sequences)
    return parse_single_sequence_example(
        *(serialized, create_feature_spec_for_parsing(context)),
        *(create_sequence_feature_spec_for_parsing(sequences), example_name, name),
    )


def transform_features(features: dict[Any, Any], feature_columns: Any) -> dict[Any, Any]:
    """{column: its tensor}."""
    check_feature_columns(feature_columns)
    tensors = dict(features)
    return {c: tensor_of(tensors, c) for c in _ordered(feature_columns)}


def infer_real_valued_columns(features: Any) -> list[Any]:
    """A real-valued column for a tensor, named "", or for each of a dict. Raises ValueError for sparse and other tensors."""
    if not isinstance(features, dict):
        return [_column_of("", features)]
    return [_column_of(name, tensor) for name, tensor in features.items()]


def _column_of(name: str, tensor: Any) -> Any:
    if isinstance(tensor, SparseTensor):
        raise ValueError(
            "SparseTensor is not supported for auto detection. Please define corresponding FeatureColumn for tensor "
            f"{name} {tensor}."
        )
    if not (tensor.dtype.is_floating or tensor.dtype.is_integer):
        raise ValueError(
            "Non integer or non floating types are not supported for auto detection. Please define corresponding "
            f"FeatureColumn for tensor {name} {tensor}."
        )
    dims = tensor.get_shape().as_list()
    width = int(np.prod(dims[1:])) if len(dims) > 1 else 1
    return real_valued_column(name, dimension=width, dtype=tensor.dtype.base_dtype)
