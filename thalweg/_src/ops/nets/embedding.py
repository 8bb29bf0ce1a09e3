"""Rows of tables by their ids: embedding lookups, of ids and of sparse bags of ids."""

import logging
from typing import Any

from thalweg._src.core import shapes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import bfloat16, float16, float32, int32
from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops.arrays.constants import constant, fill, ones_like, zeros_like
from thalweg._src.ops.basic import identity
from thalweg._src.ops.late import array, math


def _rank(x):
    n = to_tensor(x).shape.ndims
    return (n, True) if n else (array.rank(x), False)


def _clip(params, ids, max_norm):
    """Rows of `params` no longer than `max_norm`."""
    if max_norm is None:
        return params
    ids_rank, ids_known = _rank(ids)
    params_rank, params_known = _rank(params)
    known = ids_known and params_known
    axes = list(range(ids_rank, params_rank)) if known else math.range(ids_rank, params_rank)
    return math.clip_by_norm(params, max_norm, axes=axes)


def _tables(params):
    """The parts of a table, a list."""
    from thalweg._src.ops.stateful.partitioned import PartitionedVariable

    if params is None:
        raise ValueError("params must be specified")
    if isinstance(params, PartitionedVariable):
        return list(params)
    if isinstance(params, list | tuple):
        if not params:
            raise ValueError("Need at least one param")
        return list(params)
    return [params]


def _is_resource(params):
    from thalweg._src.ops.stateful.resource_variables import ResourceVariable

    return isinstance(params, ResourceVariable)


def _at(table):
    return get_default_graph().colocate_with(getattr(table, "op", table))


def _rows_of(tables):
    """How many rows all parts have together."""
    known = [_dims_of(t)[0] for t in tables]
    if None not in known:
        return sum(known)
    return None


def _dims_of(table):
    dims = shapes.as_dims(table.get_shape())
    return dims if dims else (None,)


def assigned(flat_ids: Any, tables: Any, strategy: str) -> tuple[Any, Any]:
    """(part that holds each id, its row there). Raises ValueError for other strategies than "mod" and "div"."""
    n = len(tables)
    if strategy == "mod":
        return flat_ids % n, flat_ids // n
    if strategy != "div":
        raise ValueError("Unrecognized partition strategy: " + strategy)
    total = _rows_of(tables)
    if total:
        total = constant(total, flat_ids.dtype)
    else:
        sizes = []
        for t in tables:
            rows = _dims_of(t)[0]
            if rows is None:
                with _at(t):
                    rows = array.shape(t)[0]
            sizes.append(rows)
        total = math.reduce_sum(math.cast(array.stack(sizes), flat_ids.dtype))
    each, extras = total // n, total % n
    part = math.maximum(flat_ids // (each + 1), (flat_ids - extras) // each)
    row = array.where(part < extras, flat_ids % (each + 1), (flat_ids - extras) % each)
    return part, row


def lookup(params, ids, partition_strategy="mod", name=None, max_norm=None, transform_fn=None):
    """`embedding_lookup`, with `transform_fn` applied to the rows of each part."""
    tables = _tables(params)
    with name_scope(name, "embedding_lookup", [*tables, ids]) as scope:
        if not any(_is_resource(t) for t in tables):
            tables = [to_tensor(t, None, "params" if len(tables) == 1 else f"params_{i}") for i, t in enumerate(tables)]
        ids = to_tensor(ids, None, "ids")
        if len(tables) == 1 and (not transform_fn or ids.shape.ndims == 1):
            with _at(tables[0]):
                result = _clip(array.gather(tables[0], ids, name=scope), ids, max_norm)
                if transform_fn:
                    result = transform_fn(result)
            return identity(result)
        return _from_parts(tables, ids, partition_strategy, scope, max_norm, transform_fn)


def _from_parts(tables, ids, strategy, scope, max_norm, transform_fn):
    flat_ids = array.reshape(ids, [-1])
    places = math.range(array.size(flat_ids))
    part, row = assigned(flat_ids, tables, strategy)
    part = math.cast(part, int32)
    rows = array.dynamic_partition(row, part, len(tables))
    places = array.dynamic_partition(places, part, len(tables))
    results = []
    for table, own in zip(tables, rows, strict=True):
        with _at(table):
            result = array.gather(table, own)
            if transform_fn:
                result = transform_fn(_clip(result, own, max_norm))
        results.append(result)
    out = array.parallel_dynamic_stitch(places, results, name=scope)
    if transform_fn is None:
        static = tables[0].get_shape()[1:]
        for t in tables[1:]:
            static = static.merge_with(t.get_shape()[1:])
    else:
        static = out.shape[1:]
    if static.is_fully_defined():
        element = static
    elif transform_fn is None:
        with _at(tables[0]):
            element = array.shape(tables[0])[1:]
    else:
        element = array.shape(out)[1:]
    out = array.reshape(out, array.concat([array.shape(ids), element], 0))
    out.set_shape(ids.shape.concatenate(static))
    return out if transform_fn else _clip(out, ids, max_norm)


def embedding_lookup(params, ids, partition_strategy="mod", name=None, validate_indices=True, max_norm=None):
    """The rows of `params` at `ids`: [rows, ...], [...] -> [..., ...].

    `params` may be a list of parts: with the strategy "mod" id i is in part i % n, with "div" each part holds a run of
    ids. Rows longer than `max_norm` are scaled down. Raises ValueError without parts, or for another strategy.
    """
    return lookup(params, ids, partition_strategy, name, max_norm)


def embedding_lookup_sparse(
    params, sp_ids, sp_weights, partition_strategy="mod", name=None, combiner=None, max_norm=None
):
    """One embedding for each row of the sparse matrix `sp_ids`: the sum, mean or sqrtn of those of its ids.

    `sp_weights` has a weight for each id, or is None. Raises TypeError for dense ids or weights, ValueError for another
    combiner.
    """
    from thalweg._src.core.sparse_tensor import SparseTensor

    if combiner is None:
        logging.getLogger("thalweg").warning(
            'The default value of combiner will change from "mean" to "sqrtn" after 2016/11/01.'
        )
        combiner = "mean"
    if combiner not in ("mean", "sqrtn", "sum"):
        raise ValueError("combiner must be one of 'mean', 'sqrtn' or 'sum'")
    tables = _tables(params)
    if not isinstance(sp_ids, SparseTensor):
        raise TypeError("sp_ids must be SparseTensor")
    if sp_weights is not None:
        if not isinstance(sp_weights, SparseTensor):
            raise TypeError("sp_weights must be either None or SparseTensor")
        for own, other in (
            (sp_ids.values, sp_weights.values),
            (sp_ids.indices, sp_weights.indices),
            (sp_ids.dense_shape, sp_weights.dense_shape),
        ):
            own.shape.assert_is_compatible_with(other.shape)
    with name_scope(name, "embedding_lookup_sparse", [*tables, sp_ids]) as scope:
        segments = sp_ids.indices[:, 0]
        if segments.dtype != int32:
            segments = math.cast(segments, int32)
        ids, place = array.unique(sp_ids.values)
        rows = embedding_lookup(tables, ids, partition_strategy=partition_strategy, max_norm=max_norm)
        if rows.dtype in (float16, bfloat16):
            rows = math.cast(rows, float32)
        if sp_weights is None:
            combine = {
                "sum": math.sparse_segment_sum,
                "mean": math.sparse_segment_mean,
                "sqrtn": math.sparse_segment_sqrt_n,
            }[combiner]
            return combine(rows, place, segments, name=scope)
        return _weighted(rows, place, segments, sp_weights.values, combiner, scope)


def _weighted(rows, place, segments, weights, combiner, scope):
    if weights.dtype != rows.dtype:
        weights = math.cast(weights, rows.dtype)
    rows = array.gather(rows, place)
    ones = fill(array.expand_dims(array.rank(rows) - 1, 0), 1)
    static = weights.shape
    weights = array.reshape(weights, array.concat([array.shape(weights), ones], 0))
    if rows.shape.ndims is not None:
        weights.set_shape(static.concatenate([1] * (rows.shape.ndims - 1)))
    rows *= weights
    if combiner == "sum":
        return math.segment_sum(rows, segments, name=scope)
    total = math.segment_sum(rows, segments)
    if combiner == "mean":
        return math.div(total, math.segment_sum(weights, segments), name=scope)
    norm = math.sqrt(math.segment_sum(math.pow(weights, 2), segments))
    return math.div(total, norm, name=scope)


def safe_embedding_lookup_sparse(
    embedding_weights,
    sparse_ids,
    sparse_weights=None,
    combiner="mean",
    default_id=None,
    name=None,
    partition_strategy="div",
    max_norm=None,
):
    """`embedding_lookup_sparse` that leaves out negative ids and weights that are not positive.

    A bag without ids gets the embedding of `default_id`, or zeros. `sparse_ids` may have more than two dimensions.
    """
    from thalweg._src.core.sparse_tensor import SparseTensor
    from thalweg._src.ops.sparse import sparse_fill_empty_rows, sparse_reshape

    if embedding_weights is None or (isinstance(embedding_weights, list | tuple) and not embedding_weights):
        raise ValueError(f"Missing embedding_weights {embedding_weights}.")
    dtype = sparse_weights.dtype if sparse_weights is not None else None
    tables = [
        t if _is_resource(t) and dtype in (None, t.dtype) else to_tensor(t, dtype) for t in _tables(embedding_weights)
    ]
    with name_scope(name, "embedding_lookup", [*tables, sparse_ids, sparse_weights]) as scope:
        shape = sparse_ids.dense_shape
        static_rank = shape.dims[0] if shape.dims else None
        rank = array.size(shape) if static_rank is None else static_rank
        sparse_ids = sparse_reshape(
            sparse_ids, [math.reduce_prod(array.slice(shape, [0], [rank - 1])), array.gather(shape, rank - 1)]
        )
        if sparse_weights is not None:
            sparse_weights = SparseTensor(sparse_ids.indices, sparse_weights.values, sparse_ids.dense_shape)
        sparse_ids, sparse_weights = _without_invalid(sparse_ids, sparse_weights, combiner)
        sparse_ids, empty = sparse_fill_empty_rows(sparse_ids, default_id or 0)
        if sparse_weights is not None:
            sparse_weights, _ = sparse_fill_empty_rows(sparse_weights, 1.0)
        result = embedding_lookup_sparse(
            tables,
            sparse_ids,
            sparse_weights,
            combiner=combiner,
            partition_strategy=partition_strategy,
            name=None if default_id is None else scope,
            max_norm=max_norm,
        )
        if default_id is None:
            empty = array.tile(array.reshape(empty, [-1, 1]), array.stack([1, array.shape(result)[1]]))
            result = array.where(empty, zeros_like(result), result, name=scope)
        outer = array.slice(math.cast(shape, int32), [0], [rank - 1])
        final = array.reshape(result, array.concat([outer, array.slice(array.shape(result), [1], [-1])], 0))
        known = None if static_rank is None else static_rank - 1
        final.set_shape(shapes.unknown_shape(known).concatenate(result.shape[1:]))
        return final


def _without_invalid(ids, weights, combiner):
    from thalweg._src.ops.sparse import sparse_retain

    valid = math.greater_equal(ids.values, 0)
    if weights is not None:
        valid = math.logical_and(valid, ones_like(weights.values, dtype=bool_))
    ids = sparse_retain(ids, valid)
    if weights is not None:
        weights = sparse_retain(weights, valid)
        if combiner != "sum":
            positive = math.greater(weights.values, 0)
            ids, weights = sparse_retain(ids, positive), sparse_retain(weights, positive)
    return ids, weights
