"""Boosted trees: sums of gradients and Hessians by bucket, the splits that gain most, and buckets of floats from quantiles."""

from typing import Any

import numpy as np

from thalweg._src.core.dtypes import bool as bool_
from thalweg._src.core.dtypes import float32, int32, int64, resource, string
from thalweg._src.core.errors import invalid
from thalweg._src.core.opdef import Enum, Many, Min, Outputs, op
from thalweg._src.ops.learners import weighted_quantiles as sketch
from thalweg._src.ops.stateful.handles import held

_LEFT, _RIGHT, _EQUAL = b"INEQUALITY_DEFAULT_LEFT", b"INEQUALITY_DEFAULT_RIGHT", b"EQUALITY_DEFAULT_RIGHT"


# -- gains


def weights_and_gains(gradient: Any, hessian: Any, l1: Any, l2: Any) -> tuple[np.ndarray, np.ndarray]:
    """The best value w of leaves and what it gains: the minimum of (h + l2) w^2 / 2 + g w + l1 |w|, element by element."""
    g, h, l1, l2 = (np.asarray(x, np.float32) for x in (gradient, hessian, l1, l2))
    if l1 > 0:
        g = np.sign(g) * np.maximum(np.abs(g) - l1, np.float32(0))
    curvature = h + l2
    flat = curvature <= 1e-15
    weight = np.where(flat, np.float32(0), -g / np.where(flat, np.float32(1), curvature))
    return weight, -g * weight


def _leaves(gradient: np.ndarray, hessian: np.ndarray, l1: Any, l2: Any) -> tuple[np.ndarray, np.ndarray]:
    """Values [..., logits] and gains [...] of leaves with gradients [..., logits]; Hessians whole or only their diagonals."""
    n = gradient.shape[-1]
    if n == 1:
        weight, gain = weights_and_gains(gradient, hessian, l1, l2)
        return weight, gain[..., 0]
    if hessian.shape[-1] == n and n > 1:
        matrix = np.eye(n, dtype=np.float32) * (hessian + np.float32(l2))[..., None, :]
    else:
        matrix = hessian.reshape(*hessian.shape[:-1], n, n) + np.float32(l2) * np.eye(n, dtype=np.float32)
    weight = -(np.linalg.pinv(matrix) @ gradient[..., None])[..., 0].astype(np.float32)
    return weight, -(gradient * weight).sum(-1)


def _first_best(gains: np.ndarray) -> np.ndarray:
    """For each row where its greatest gain stands first; gains that are equal within 1e-15 count as equal."""
    best = gains[:, 0].astype(np.float64)
    at = np.zeros(len(gains), np.int64)
    for i in range(1, gains.shape[1]):
        better = gains[:, i] - best >= 1e-15
        best[better], at[better] = gains[better, i], i
    return at


@op("BoostedTreesMakeStatsSummary", host=True)
def make_stats_summary(
    node_ids: int32,
    gradients: float32,
    hessians: float32,
    bucketized_features_list: Many(int32, "num_features", 1),
    *,
    max_splits: Min(int, 1),
    num_buckets: Min(int, 1),
) -> Outputs(stats_summary=float32):
    """Sums by feature, node and bucket: [features, max_splits, num_buckets, 2], gradients and Hessians."""
    size = max_splits * num_buckets
    out = np.empty((len(bucketized_features_list), size, 2), np.float64)
    for feature, buckets in enumerate(bucketized_features_list):
        place = node_ids.astype(np.int64) * num_buckets + buckets
        _check_places(place, size)
        for i, values in enumerate((gradients, hessians)):
            out[feature, :, i] = np.bincount(place, values[:, 0], size)
    return out.reshape(len(out), max_splits, num_buckets, 2).astype(np.float32)


@op("BoostedTreesAggregateStats", host=True)
def aggregate_stats(
    node_ids: int32,
    gradients: float32,
    hessians: float32,
    feature: int32,
    *,
    max_splits: Min(int, 1),
    num_buckets: Min(int, 1),
) -> Outputs(stats_summary=float32):
    """Sums by node, dimension and bucket: [max_splits, dimensions, num_buckets + 1, stats]. Bucket -1 is the last one."""
    stats = np.concatenate([gradients, hessians], 1).astype(np.float64)
    dims, size = feature.shape[1], max_splits * (num_buckets + 1)
    out = np.empty((max_splits, dims, num_buckets + 1, stats.shape[1]), np.float32)
    for d in range(dims):
        bucket = np.where(feature[:, d] == -1, num_buckets, feature[:, d]).astype(np.int64)
        place = node_ids.astype(np.int64) * (num_buckets + 1) + bucket
        _check_places(place, size)
        for i in range(stats.shape[1]):
            out[:, d, :, i] = np.bincount(place, stats[:, i], size).reshape(max_splits, -1)
    return out


def _check_places(place: np.ndarray, size: int) -> None:
    if len(place) and (place.min() < 0 or place.max() >= size):
        raise invalid("A node or bucket is out of range.")


@op("BoostedTreesCalculateBestGainsPerFeature", host=True)
def best_gains_per_feature(
    node_id_range: int32,
    stats_summary_list: Many(float32, "num_features", 1),
    l1: float32,
    l2: float32,
    tree_complexity: float32,
    min_node_weight: float32,
    *,
    max_splits: Min(int, 1),
) -> Outputs(
    node_ids_list=Many(int32, "num_features"),
    gains_list=Many(float32, "num_features"),
    thresholds_list=Many(int32, "num_features"),
    left_node_contribs_list=Many(float32, "num_features"),
    right_node_contribs_list=Many(float32, "num_features"),
):
    """For each feature the best split of each node that is heavy enough: node, gain, bucket, values of both leaves."""
    begin, end = node_id_range.tolist()
    found = []
    for stats in stats_summary_list:
        sums = np.cumsum(stats[begin:end], axis=1, dtype=np.float32)  # [nodes, buckets, 2]
        nodes = np.flatnonzero(~(sums[:, -1, 1] < min_node_weight))
        g, h = sums[nodes, :, 0], sums[nodes, :, 1]
        left, gain_left = weights_and_gains(g, h, l1, l2)
        right, gain_right = weights_and_gains(g[:, -1:] - g, h[:, -1:] - h, l1, l2)
        _, parent = weights_and_gains(g[:, -1], h[:, -1], l1, l2)
        at, rows = _first_best(gain_left + gain_right), np.arange(len(nodes))
        gain = (gain_left + gain_right)[rows, at] - parent - tree_complexity
        found.append((nodes + begin, gain, at, left[rows, at][:, None], right[rows, at][:, None]))
    kinds = (np.int32, np.float32, np.int32, np.float32, np.float32)
    return tuple(
        [np.asarray(x, kind) for x in each] for each, kind in zip(zip(*found, strict=True), kinds, strict=True)
    )


@op("BoostedTreesCalculateBestFeatureSplit", host=True)
def best_feature_split(
    node_id_range: int32,
    stats_summary: float32,
    l1: float32,
    l2: float32,
    tree_complexity: float32,
    min_node_weight: float32,
    *,
    logits_dimension: Min(int, 1),
    split_type: Enum("inequality", "equality") = "inequality",
) -> Outputs(
    node_ids=int32,
    gains=float32,
    feature_dimensions=int32,
    thresholds=int32,
    left_node_contribs=float32,
    right_node_contribs=float32,
    split_with_default_directions=string,
):
    """The best split of each node by one feature of several dimensions, and where examples without a value go."""
    begin, end = node_id_range.tolist()
    n, buckets = logits_dimension, stats_summary.shape[2] - 1
    rows: list[tuple[Any, ...]] = []
    for node in range(begin, end):
        stats = stats_summary[node]  # [dimensions, buckets + 1, stats]
        total = stats[0].sum(0, dtype=np.float32)
        if np.linalg.norm(total[n:]) < min_node_weight:
            continue
        if split_type == "equality":
            lefts, kinds, whole = stats[:, :buckets, None], [_EQUAL], total
        else:
            sums = np.cumsum(stats, axis=1, dtype=np.float32)[:, :buckets]
            lefts, kinds = np.stack([sums + stats[:, buckets:], sums], 2), [_LEFT, _RIGHT]
            whole = stats.sum(1, dtype=np.float32)[:, None, None]
        flat = lefts.reshape(-1, stats.shape[-1])
        rest = (whole - lefts).reshape(flat.shape)
        left, gain_left = _leaves(flat[:, :n], flat[:, n:], l1, l2)
        right, gain_right = _leaves(rest[:, :n], rest[:, n:], l1, l2)
        _, parent = _leaves(total[:n], total[n:], l1, l2)
        at = int(_first_best((gain_left + gain_right)[None])[0])
        dimension, bucket, kind = np.unravel_index(at, lefts.shape[:3])
        gain = gain_left[at] + gain_right[at] - parent - tree_complexity
        rows.append((node, gain, dimension, bucket, left[at], right[at], kinds[kind]))
    columns = list(zip(*rows, strict=True)) or [()] * 7
    shapes = [(-1,)] * 4 + [(len(rows), n)] * 2 + [(-1,)]
    types = (np.int32, np.float32, np.int32, np.int32, np.float32, np.float32, object)
    return tuple(np.array(x, t).reshape(s) for x, t, s in zip(columns, types, shapes, strict=True))


# -- quantiles


class Streams:
    """The summaries of several features, and the boundaries of buckets once they are known."""

    initialized = False

    def make(self, epsilon: float, most: int, number: int) -> None:
        self.epsilon, self.most, self.number = epsilon, most, number
        self.boundaries = [np.zeros(0, np.float32)] * number
        self.reset()
        self.initialized = True

    def reset(self) -> None:
        self.streams = [sketch.QuantileStream(self.epsilon, self.most) for _ in range(self.number)]


_QUICK: dict[str, Any] = {"host": True, "effect": "host", "stateful": True}


@op("BoostedTreesQuantileStreamResourceHandleOp", host=True, stateful=True, foldable=False)
def quantile_handle(*, container: str = "", shared_name: str = "", ctx) -> Outputs(resource=resource):
    """Summaries of features."""
    return ctx.resource(("quantile stream", container, shared_name or ctx.op.name), Streams)


@op("IsBoostedTreesQuantileStreamResourceInitialized", **_QUICK)
def quantiles_initialized(quantile_stream_resource_handle: resource) -> Outputs(is_initialized=bool_):
    """Whether they were made."""
    return np.bool_(held(quantile_stream_resource_handle).initialized)


@op("BoostedTreesCreateQuantileStreamResource", **_QUICK)
def create_quantile_stream(
    quantile_stream_resource_handle: resource, epsilon: float32, num_streams: int64, *, max_elements: int = 1 << 40
):
    """Make them, unless they are there. Raises InvalidArgumentError for an epsilon that is not above zero."""
    if not epsilon > 0:
        raise invalid("An epsilon value of zero is not allowed.")
    streams = held(quantile_stream_resource_handle)
    if not streams.initialized:
        streams.make(float(epsilon), max_elements, int(num_streams))


@op("BoostedTreesMakeQuantileSummaries", host=True)
def make_quantile_summaries(
    float_values: Many(float32, "num_features"), example_weights: float32, epsilon: float32
) -> Outputs(summaries=Many(float32, "num_features")):
    """A summary for each feature: rows of (value, weight, least rank, greatest rank)."""
    weights = np.ravel(example_weights)
    if len(weights) not in (1, np.size(float_values[0])):
        raise invalid("Weights should be a single value or same size as features.")
    found = []
    for values in float_values:
        stream = sketch.QuantileStream(float(epsilon), np.size(values) + 1)
        stream.push(np.ravel(values), np.broadcast_to(weights, np.size(values)))
        found.append(stream.finalize())
    return found


@op("BoostedTreesQuantileStreamResourceAddSummaries", **_QUICK)
def add_quantile_summaries(quantile_stream_resource_handle: resource, summaries: Many(float32, "num_features")):
    """Add a summary to each feature's."""
    for stream, rows in zip(held(quantile_stream_resource_handle).streams, summaries, strict=True):
        stream.push_summary(rows)


@op("BoostedTreesQuantileStreamResourceFlush", **_QUICK)
def flush_quantiles(quantile_stream_resource_handle: resource, num_buckets: int64, *, generate_quantiles: bool = False):
    """Find the boundaries of buckets from what was added, and begin again."""
    streams, number = held(quantile_stream_resource_handle), int(num_buckets)
    summaries = [stream.finalize() for stream in streams.streams]
    if generate_quantiles:
        streams.boundaries = [sketch.quantiles(rows, number - 1) for rows in summaries]
    else:
        streams.boundaries = [sketch.boundaries(rows, number) for rows in summaries]
    streams.reset()


@op("BoostedTreesFlushQuantileSummaries", **_QUICK)
def flush_quantile_summaries(quantile_stream_resource_handle: resource, *, num_features: Min(int, 0)) -> Outputs(
    summaries=Many(float32, "num_features")
):
    """What was added, as a summary for each feature, and begin again."""
    streams = held(quantile_stream_resource_handle)
    summaries = [stream.finalize() for stream in streams.streams]
    streams.reset()
    return summaries


@op("BoostedTreesQuantileStreamResourceGetBucketBoundaries", **_QUICK)
def bucket_boundaries(quantile_stream_resource_handle: resource, *, num_features: Min(int, 0)) -> Outputs(
    bucket_boundaries=Many(float32, "num_features")
):
    """The boundaries of each feature's buckets; none before they are found."""
    return list(held(quantile_stream_resource_handle).boundaries)


@op("BoostedTreesQuantileStreamResourceDeserialize", **_QUICK)
def restore_boundaries(quantile_stream_resource_handle: resource, bucket_boundaries: Many(float32, "num_streams", 1)):
    """Set the boundaries of each feature's buckets."""
    held(quantile_stream_resource_handle).boundaries = [np.array(x) for x in bucket_boundaries]


@op("BoostedTreesBucketize", host=True)
def bucketize(float_values: Many(float32, "num_features"), bucket_boundaries: Many(float32, "num_features")) -> Outputs(
    buckets=Many(int32, "num_features")
):
    """The bucket of each value: the first whose boundary is not below it, or the last one."""
    found = []
    for values, bounds in zip(float_values, bucket_boundaries, strict=True):
        if np.ndim(bounds) != 1:
            raise invalid("Buckets should be flat vectors.")
        place = np.searchsorted(bounds, np.ravel(values))
        found.append(np.clip(place, 0, max(len(bounds) - 1, 0)).astype(np.int32))
    return found


# -- shapes


@make_stats_summary.shape_rule
def _(node: Any) -> list[Any]:
    return [(node.attrs["num_features"], node.attrs["max_splits"], node.attrs["num_buckets"], 2)]


@aggregate_stats.shape_rule
def _(node: Any) -> list[Any]:
    wide, g, h = (node.inputs[i].dims for i in (3, 1, 2))
    stats = g[1] + h[1] if g and h and None not in (g[1], h[1]) else None
    return [(node.attrs["max_splits"], wide[1] if wide else None, node.attrs["num_buckets"] + 1, stats)]


@best_gains_per_feature.shape_rule
def _(node: Any) -> list[Any]:
    n = node.attrs["num_features"]
    return [(None,)] * (3 * n) + [(None, 1)] * (2 * n)


@best_feature_split.shape_rule
def _(node: Any) -> list[Any]:
    wide = (None, node.attrs["logits_dimension"])
    return [(None,), (None,), (None,), (None,), wide, wide, (None,)]


bucketize.shape_rule(lambda node: [t.dims for t in node.inputs[: node.attrs["num_features"]]])
for _opdef in (make_quantile_summaries, flush_quantile_summaries):
    _opdef.shape_rule(lambda node: [(None, 4)] * node.attrs["num_features"])
bucket_boundaries.shape_rule(lambda node: [(None,)] * node.attrs["num_features"])
for _opdef in (quantile_handle, quantiles_initialized):
    _opdef.shape_rule(lambda node: [()])
for _opdef in (create_quantile_stream, add_quantile_summaries, flush_quantiles, restore_boundaries):
    _opdef.shape_rule(lambda node: [])
for _opdef in (
    *(make_stats_summary, aggregate_stats, best_gains_per_feature, best_feature_split, quantile_handle),
    *(quantiles_initialized, create_quantile_stream, make_quantile_summaries, add_quantile_summaries),
    *(flush_quantiles, flush_quantile_summaries, bucket_boundaries, restore_boundaries, bucketize),
):
    _opdef.not_differentiable()
