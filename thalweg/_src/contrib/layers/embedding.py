"""Embeddings with the arguments of tf.contrib: of sparse ids, of hashed values, of sequences and bags."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.framework.variables import model_variable
from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops import array, basic, math, sparse
from thalweg._src.ops.nets import embedding
from thalweg._src.ops.reports import checks
from thalweg._src.ops.sparse_tensors.sparse_cross import sparse_cross_hashed
from thalweg._src.ops.stateful import variable_scope as vs
from thalweg._src.ops.stateful.partitioned import PartitionedVariable

SPARSE_FEATURE_CROSS_DEFAULT_HASH_KEY = 0xDECAFCAFFE


def safe_embedding_lookup_sparse(
    embedding_weights: Any,
    sparse_ids: SparseTensor,
    sparse_weights: SparseTensor | None = None,
    combiner: str | None = None,
    default_id: Any = None,
    name: str | None = None,
    partition_strategy: str = "div",
    max_norm: Any = None,
) -> Any:
    """The embeddings of bags of ids, of any rank: negative ids and weights that are not positive are left out.

    A bag without ids gets the embedding of `default_id`, or zeros. Raises ValueError without embeddings.
    """
    if combiner is None:
        log.warning('The default value of combiner will change from "mean" to "sqrtn" after 2016/11/01.')
        combiner = "mean"
    dtype = None if sparse_weights is None else sparse_weights.dtype
    if embedding_weights is None or (isinstance(embedding_weights, list) and not embedding_weights):
        raise ValueError(f"Missing embedding_weights {embedding_weights}.")
    tables = [to_tensor(t, dtype) for t in _tables(embedding_weights)]
    checks.assert_same_float_dtype([*tables, sparse_weights])
    return embedding.safe_embedding_lookup_sparse(
        tables, sparse_ids, sparse_weights, combiner, default_id, name, partition_strategy, max_norm
    )


def _tables(params: Any) -> list[Any]:
    return list(params) if isinstance(params, PartitionedVariable | list | tuple) else [params]


def embedding_lookup_unique(params: Any, ids: Any, partition_strategy: str = "mod", name: str | None = None) -> Any:
    """`embedding_lookup` that reads each row once, however often its id is there."""
    with scopes.name_scope(name, "EmbeddingLookupUnique", [params, ids]):
        ids = to_tensor(ids)
        shape = array.shape(ids)
        unique_ids, index = array.unique(array.reshape(ids, math.reduce_prod(shape, keepdims=True)))
        rows = embedding.embedding_lookup(params, unique_ids, partition_strategy=partition_strategy)
        found = array.gather(rows, index)
        result = array.reshape(found, array.concat([shape, array.shape(rows)[1:]], 0))
        result.set_shape(ids.get_shape().concatenate(rows.get_shape()[1:]))
        return result


def scattered_embedding_lookup(
    params: Any, values: Any, dimension: int | None, name: str | None = None, hash_key: int | None = None
) -> Any:
    """Embeddings whose components are hashed into shared vectors of parameters (Chen et al. 2015): values -> [..., dimension].

    Raises ValueError without a dimension, and for parts of the parameters that are not of about equal sizes.
    """
    if dimension is None:
        raise ValueError("You must specify dimension.")
    return sampled_scattered_embedding_lookup(params, values, dimension=dimension, hash_key=hash_key, name=name)


def sampled_scattered_embedding_lookup(
    params: Any,
    values: Any,
    dimension: Any = None,
    sampled_candidates: Any = None,
    hash_key: int | None = None,
    name: str | None = None,
) -> Any:
    """`scattered_embedding_lookup` of some components only: those that `sampled_candidates` lists for each value."""
    tables = _tables(params)
    with scopes.name_scope(name, "scattered_embedding_lookup", [*tables, dimension, values]):
        shape = array.shape(values)
        values = array.reshape(values, [-1, 1])
        if sampled_candidates is None:
            if dimension is None:
                raise ValueError("You must specify either dimension or sampled_candidates.")
            if dimension <= 0:
                raise ValueError(f"Dimension must be >0. Given is {dimension}")
            components = array.expand_dims(math.range(0, dimension), 0)
            sampled_candidates = array.tile(components, array.shape(values))
        else:
            sizes = array.shape(sampled_candidates)
            dimension = sizes[math.subtract(array.rank(sampled_candidates), 1)]
            expected = array.concat([shape, array.reshape(dimension, shape=[1])], 0)
            fit = checks.Assert(
                math.reduce_all(math.equal(sizes, expected)),
                ["The shape of sampled_candidates: ", sizes, " does not match the shape of values: ", shape],
            )
            with basic.control_dependencies([fit]):
                sampled_candidates = array.reshape(sampled_candidates, [-1, dimension])
        ids = sparse_cross_hashed([sampled_candidates, values], _sum_of_sizes(tables), hash_key)
        found = embedding.embedding_lookup(tables, sparse.sparse_tensor_to_dense(ids), partition_strategy="div")
        return array.reshape(found, array.concat([shape, [dimension]], 0))


def _sum_of_sizes(tables: list[Any]) -> int:
    sizes = []
    for t in tables:
        t.get_shape().assert_has_rank(1)
        t.get_shape().assert_is_fully_defined()
        sizes.append(t.get_shape().as_list()[0])
    for i, size in enumerate(sizes):
        expected = (sum(sizes) - i - 1) // len(sizes) + 1
        if size != expected:
            raise ValueError(f"Tensor {i} in params has size {size}, expected {expected}.")
    return sum(sizes)


def scattered_embedding_lookup_sparse(
    params: Any,
    sparse_values: Any,
    dimension: int,
    combiner: str | None = None,
    default_value: Any = None,
    name: str | None = None,
    hash_key: int | None = None,
) -> Any:
    """`scattered_embedding_lookup` of bags of values, combined by 'sum', 'mean' or 'sqrtn'."""
    if combiner is None:
        log.warning('The default value of combiner will change from "mean" to "sqrtn" after 2016/11/01.')
        combiner = "mean"
    if not isinstance(sparse_values, SparseTensor):
        raise TypeError("sparse_values must be SparseTensor")
    tables = _tables(params)
    with scopes.name_scope(name, "scattered_embedding_lookup_sparse", [*tables, sparse_values]) as scope:
        if default_value is None:  # something that hardly occurs
            default_value = "6ZxWzWOHxZ" if sparse_values.dtype == dtypes.string else 1288896567
        sparse_values, _ = sparse.sparse_fill_empty_rows(sparse_values, default_value)
        segments = math.cast(sparse_values.indices[:, 0], dtypes.int32)
        unique, index = array.unique(sparse_values.values)
        rows = scattered_embedding_lookup(tables, unique, dimension, hash_key=hash_key)
        combine = {
            "sum": math.sparse_segment_sum,
            "mean": math.sparse_segment_mean,
            "sqrtn": math.sparse_segment_sqrt_n,
        }
        if combiner not in combine:
            raise ValueError("Combiner must be one of 'mean', 'sqrtn' or 'sum'.")
        return combine[combiner](rows, index, segments, name=scope)


def embed_sequence(
    ids: Any,
    vocab_size: int | None = None,
    embed_dim: int | None = None,
    unique: bool = False,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    scope: Any = None,
    reuse: Any = None,
) -> Any:
    """The embeddings of sequences of ids: [batch, length] -> [batch, length, embed_dim], from a variable 'embeddings'.

    Raises ValueError without sizes, unless `reuse` finds the variable.
    """
    if not (reuse or (vocab_size and embed_dim)):
        raise ValueError(
            f"Must specify vocab size and embedding dimension when not reusing. Got vocab_size={vocab_size} and "
            f"embed_dim={embed_dim}"
        )
    with vs.variable_scope(scope, "EmbedSequence", [ids], reuse=reuse):
        shape = None if (reuse and vocab_size is None) or embed_dim is None else [vocab_size, embed_dim]
        table = model_variable(
            "embeddings", shape=shape, initializer=initializer, regularizer=regularizer, trainable=trainable
        )
        return embedding_lookup_unique(table, ids) if unique else embedding.embedding_lookup(table, ids)


def bow_encoder(
    ids: Any,
    vocab_size: int,
    embed_dim: int,
    sparse_lookup: bool = True,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = True,
    scope: Any = None,
    reuse: Any = None,
) -> Any:
    """The mean embedding of each sequence of ids: [batch, length] -> [batch, embed_dim]. Raises ValueError without sizes."""
    if not vocab_size or not embed_dim:
        raise ValueError("Must specify vocab size and embedding dimension")
    with vs.variable_scope(scope, "bow_encoder", [ids], reuse=reuse):
        table = model_variable(
            "embeddings",
            shape=[vocab_size, embed_dim],
            initializer=initializer,
            regularizer=regularizer,
            trainable=trainable,
        )
        if not sparse_lookup:
            if isinstance(ids, SparseTensor):
                raise TypeError("ids are expected to be dense Tensor, got: %s", ids)
            return math.reduce_mean(embedding.embedding_lookup(table, ids), axis=1)
        sparse_ids = ids if isinstance(ids, SparseTensor) else dense_to_sparse_tensor(ids)
        return safe_embedding_lookup_sparse([table], sparse_ids, combiner="mean", default_id=0)


def dense_to_sparse_tensor(dense_tensor: Any, ignore_value: Any = None) -> SparseTensor:
    """The elements that are not `ignore_value` ('' for strings, -1 for numbers by default) as a SparseTensor."""
    with scopes.name_scope("DenseToSparseTensor"):
        dense = to_tensor(dense_tensor)
        if ignore_value is None:
            ignore_value = "" if dense.dtype == dtypes.string else -1
        ignored = ignore_value
        if dense.dtype != dtypes.string:
            ignored = math.cast(ignore_value, dense.dtype, name="ignore_value")
        indices = array.where(math.not_equal(dense, ignored), name="indices")
        values = array.gather_nd(dense, indices, name="values")
        return SparseTensor(indices, values, array.shape(dense, out_type=dtypes.int64, name="dense_shape"))
