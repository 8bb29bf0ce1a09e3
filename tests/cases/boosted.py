"""Records of boosted trees: quantiles, sums of gradients, splits, and an ensemble that grows, is pruned and predicts."""

import numpy as np

from cases.base import OpCase, Steps, given, ints, normal, raw, uniform

CASES = []
PLAIN = {"grad": False, "misuse": False, "shapes": False, "types": ("float32",)}


def record(op, inputs, build, label="", **more):
    CASES.append(OpCase(op, inputs, build, label, **dict(PLAIN, **more)))


# -- buckets

VALUES = [normal(60), uniform(60)]
record(
    "BoostedTreesMakeQuantileSummaries",
    [*VALUES, uniform(60)],
    lambda tf, x, y, w: raw(
        tf, "BoostedTreesMakeQuantileSummaries", float_values=[x, y], example_weights=w, epsilon=0.1
    ),
)
record(
    "BoostedTreesMakeQuantileSummaries",
    [ints(0, 9, 500)],
    lambda tf, x: raw(
        tf,
        "BoostedTreesMakeQuantileSummaries",
        float_values=[tf.cast(x, tf.float32)],
        example_weights=[1.0],
        epsilon=0.02,
    ),
    "ties",
)
record(
    "BoostedTreesBucketize",
    [*VALUES, given([-0.5, 0.0, 0.5], "float32"), given([0.3], "float32")],
    lambda tf, x, y, a, b: raw(tf, "BoostedTreesBucketize", float_values=[x, y], bucket_boundaries=[a, b]),
)


def stream(tf, x, w, quantiles):
    handle = raw(tf, "BoostedTreesQuantileStreamResourceHandleOp", shared_name="stream%d" % quantiles)
    ready = raw(tf, "IsBoostedTreesQuantileStreamResourceInitialized", quantile_stream_resource_handle=handle)
    make = raw(
        tf,
        "BoostedTreesCreateQuantileStreamResource",
        quantile_stream_resource_handle=handle,
        epsilon=0.05,
        num_streams=1,
    )
    summaries = raw(tf, "BoostedTreesMakeQuantileSummaries", float_values=[x], example_weights=w, epsilon=0.05)
    add = raw(
        tf,
        "BoostedTreesQuantileStreamResourceAddSummaries",
        quantile_stream_resource_handle=handle,
        summaries=summaries,
    )
    flush = raw(
        tf,
        "BoostedTreesQuantileStreamResourceFlush",
        quantile_stream_resource_handle=handle,
        num_buckets=8,
        generate_quantiles=quantiles,
    )
    bounds = raw(
        tf,
        "BoostedTreesQuantileStreamResourceGetBucketBoundaries",
        quantile_stream_resource_handle=handle,
        num_features=1,
    )
    return handle, ready, make, add, flush, bounds


def boundaries(tf, x, w):
    _, ready, make, add, flush, bounds = stream(tf, x, w, False)
    return Steps(ready, make, ready, bounds, add, add, flush, bounds)


def quantiles(tf, x, w):
    _, _, make, add, flush, bounds = stream(tf, x, w, True)
    return Steps(make, add, flush, bounds)


def summaries(tf, x, w):
    handle, _, make, add, _, _ = stream(tf, x, w, False)
    flush = raw(tf, "BoostedTreesFlushQuantileSummaries", quantile_stream_resource_handle=handle, num_features=1)
    return Steps(make, add, flush)


def restored(tf, x):
    x = tf.placeholder_with_default(x, None)  # TensorFlow's shape rule takes boundaries for a scalar
    handle = raw(tf, "BoostedTreesQuantileStreamResourceHandleOp", shared_name="restored")
    make = raw(
        tf,
        "BoostedTreesCreateQuantileStreamResource",
        quantile_stream_resource_handle=handle,
        epsilon=0.05,
        num_streams=1,
    )
    put = raw(
        tf,
        "BoostedTreesQuantileStreamResourceDeserialize",
        quantile_stream_resource_handle=handle,
        bucket_boundaries=[x],
    )
    bounds = raw(
        tf,
        "BoostedTreesQuantileStreamResourceGetBucketBoundaries",
        quantile_stream_resource_handle=handle,
        num_features=1,
    )
    return Steps(make, put, bounds)


PAIR = [normal(100), uniform(100)]
record("BoostedTreesQuantileStreamResourceHandleOp", PAIR, boundaries)
record("IsBoostedTreesQuantileStreamResourceInitialized", PAIR, boundaries)
record("BoostedTreesCreateQuantileStreamResource", PAIR, boundaries)
record("BoostedTreesQuantileStreamResourceAddSummaries", PAIR, boundaries)
record("BoostedTreesQuantileStreamResourceFlush", PAIR, quantiles)
record("BoostedTreesQuantileStreamResourceGetBucketBoundaries", PAIR, boundaries)
record("BoostedTreesFlushQuantileSummaries", PAIR, summaries)
record("BoostedTreesQuantileStreamResourceDeserialize", [normal(5)], restored)

# -- splits

EXAMPLES = [ints(0, 3, 40), normal(40, 1), uniform(40, 1, low=0.1)]
record(
    "BoostedTreesMakeStatsSummary",
    [*EXAMPLES, ints(0, 4, 40), ints(0, 4, 40)],
    lambda tf, n, g, h, a, b: raw(
        tf,
        "BoostedTreesMakeStatsSummary",
        node_ids=n,
        gradients=g,
        hessians=h,
        bucketized_features_list=[a, b],
        max_splits=3,
        num_buckets=4,
    ),
)
record(
    "BoostedTreesAggregateStats",
    [ints(0, 3, 40), normal(40, 2), uniform(40, 2), ints(-1, 4, 40, 2)],
    lambda tf, n, g, h, f: raw(
        tf, "BoostedTreesAggregateStats", node_ids=n, gradients=g, hessians=h, feature=f, max_splits=3, num_buckets=4
    ),
)


def stats(tf, sums, weights):
    """Sums of gradients that may be negative, of Hessians that are not."""
    return tf.concat([sums, weights], -1)


for label, l1, l2, complexity, least in (
    ("", 0.0, 0.0, 0.0, 0.0),
    ("regularized", 0.2, 0.5, 0.1, 0.0),
    ("light nodes", 0.0, 0.1, 0.0, 2.5),
):

    def gains(tf, a, b, c, d, l1=l1, l2=l2, complexity=complexity, least=least):
        return raw(
            tf,
            "BoostedTreesCalculateBestGainsPerFeature",
            node_id_range=[0, 3],
            stats_summary_list=[stats(tf, a, b), stats(tf, c, d)],
            l1=l1,
            l2=l2,
            tree_complexity=complexity,
            min_node_weight=least,
            max_splits=4,
        )

    sums = [normal(4, 5, 1), uniform(4, 5, 1)]
    record("BoostedTreesCalculateBestGainsPerFeature", sums + sums, gains, label)

for label, n, kind, l1 in (
    ("", 1, "inequality", 0.1),
    ("equality", 1, "equality", 0.0),
    ("two logits", 2, "inequality", 0.0),
    ("two logits, equality", 2, "equality", 0.0),
):

    def split(tf, g, h, n=n, kind=kind, l1=l1):
        return raw(
            tf,
            "BoostedTreesCalculateBestFeatureSplit",
            node_id_range=[0, 3],
            stats_summary=stats(tf, g, h),
            l1=l1,
            l2=0.3,
            tree_complexity=0.0,
            min_node_weight=0.5,
            logits_dimension=n,
            split_type=kind,
        )

    record("BoostedTreesCalculateBestFeatureSplit", [normal(4, 2, 4, n), uniform(4, 2, 4, n)], split, label)

# -- ensembles


def new(tf, name, serialized=b""):
    handle = raw(tf, "BoostedTreesEnsembleResourceHandleOp", shared_name=name)
    make = raw(
        tf,
        "BoostedTreesCreateEnsemble",
        tree_ensemble_handle=handle,
        stamp_token=7,
        tree_ensemble_serialized=serialized,
    )
    return handle, make


def grow(tf, handle, nodes, gains, pruning=0, depth=2):
    """Splits of `nodes` by the features 0 and 2; the second gains a little more at every other node."""
    second = [gain + 0.1 * (-1) ** i for i, gain in enumerate(gains)]
    sides = np.linspace(-0.4, 0.4, len(nodes)).reshape(-1, 1).astype(np.float32)
    return raw(
        tf,
        "BoostedTreesUpdateEnsemble",
        tree_ensemble_handle=handle,
        feature_ids=[0, 2],
        node_ids=[nodes, nodes],
        gains=[gains, second],
        thresholds=[[1] * len(nodes), [2] * len(nodes)],
        left_node_contribs=[sides, sides + 0.25],
        right_node_contribs=[sides - 0.5, sides + 0.75],
        max_depth=depth,
        learning_rate=0.5,
        pruning_mode=pruning,
    )


def grow_by_dimension(tf, handle, kinds):
    nodes, width = [0], [[0.5]]
    return raw(
        tf,
        "BoostedTreesUpdateEnsembleV2",
        tree_ensemble_handle=handle,
        feature_ids=[1, 0],
        dimension_ids=[[0], [0]],
        node_ids=[nodes, nodes],
        gains=[[0.5], [0.5]],
        thresholds=[[2], [1]],
        left_node_contribs=[width, width],
        right_node_contribs=[[[-0.5]], [[-0.25]]],
        split_types=[[kind] for kind in kinds],
        max_depth=1,
        learning_rate=0.1,
        pruning_mode=0,
    )


def use(tf, handle, features, cached=None):
    """What a prediction and a step of training see: logits, and trees and nodes."""
    n = 12
    trees, nodes = cached if cached else (tf.zeros([n], tf.int32), -tf.ones([n], tf.int32))
    return [
        raw(
            tf,
            "BoostedTreesPredict",
            tree_ensemble_handle=handle,
            bucketized_features=features,
            logits_dimension=1,
        ),
        raw(
            tf,
            "BoostedTreesTrainingPredict",
            tree_ensemble_handle=handle,
            cached_tree_ids=trees,
            cached_node_ids=nodes,
            bucketized_features=features,
            logits_dimension=1,
        ),
        raw(tf, "BoostedTreesGetEnsembleStates", tree_ensemble_handle=handle),
    ]


def growing(name, pruning=0):
    def build(tf, *features):
        handle, make = new(tf, name)
        seen = use(tf, handle, features)
        cached = use(tf, handle, features, (tf.zeros([12], tf.int32), tf.constant([1, 2, 3, 4, 5, 6] * 2)))
        layer = [
            grow(tf, handle, [0], [0.3], pruning),
            grow(tf, handle, [1, 2], [0.2, -0.9], pruning),
            grow(tf, handle, [0], [0.1], pruning),
        ]
        serialize = raw(tf, "BoostedTreesSerializeEnsemble", tree_ensemble_handle=handle)
        steps = [make, seen, layer[0], seen, layer[1], seen]
        if pruning != 1:
            steps.append(cached)
        return Steps(*(steps + [layer[2], seen, serialize]))

    return build


def centered(tf, g, h, *features):
    handle, make = new(tf, "centered")
    center = raw(
        tf, "BoostedTreesCenterBias", tree_ensemble_handle=handle, mean_gradients=g, mean_hessians=h, l1=0.0, l2=0.1
    )
    serialize = raw(tf, "BoostedTreesSerializeEnsemble", tree_ensemble_handle=handle)
    seen = use(tf, handle, features)
    debug = raw(
        tf,
        "BoostedTreesExampleDebugOutputs",
        tree_ensemble_handle=handle,
        bucketized_features=features,
        logits_dimension=1,
    )
    layers = [grow(tf, handle, [0], [0.3]), seen, grow(tf, handle, [1, 2], [0.5, 0.6]), grow(tf, handle, [0], [0.1])]
    return Steps(*([make, center, seen, center] + layers + [seen, serialize, debug]))


def moved(tf, *features):
    handle, make = new(tf, "from")
    serialize = raw(tf, "BoostedTreesSerializeEnsemble", tree_ensemble_handle=handle)
    other, empty = new(tf, "to")
    there = raw(tf, "IsBoostedTreesEnsembleInitialized", tree_ensemble_handle=other)
    copy = raw(
        tf,
        "BoostedTreesDeserializeEnsemble",
        tree_ensemble_handle=other,
        stamp_token=serialize[0],
        tree_ensemble_serialized=serialize[1],
    )
    again = raw(tf, "BoostedTreesSerializeEnsemble", tree_ensemble_handle=other)
    return Steps(make, there, empty, there, grow(tf, handle, [0], [0.3]), copy, again, use(tf, other, features))


def of_kinds(tf, *features):
    handle, make = new(tf, "kinds")
    grown = [
        grow_by_dimension(tf, handle, kinds)
        for kinds in (
            ["EQUALITY_DEFAULT_RIGHT", "INEQUALITY_DEFAULT_LEFT"],
            ["EQUALITY_DEFAULT_RIGHT", "EQUALITY_DEFAULT_RIGHT"],
            ["INEQUALITY_DEFAULT_LEFT", "INEQUALITY_DEFAULT_RIGHT"],
        )
    ]
    serialize = raw(tf, "BoostedTreesSerializeEnsemble", tree_ensemble_handle=handle)
    return Steps(*([make] + grown + [use(tf, handle, features), serialize]))


FEATURES = [ints(0, 4, 12), ints(0, 4, 12), ints(0, 4, 12)]
MEANS = [normal(1, 1), uniform(1, 1, low=0.5)]
record("BoostedTreesEnsembleResourceHandleOp", FEATURES, growing("ensemble"))
record("BoostedTreesCreateEnsemble", FEATURES, growing("made"))
record("BoostedTreesPredict", FEATURES, growing("predict"))
record("BoostedTreesTrainingPredict", FEATURES, growing("pre-pruned", 1))
record("BoostedTreesUpdateEnsemble", FEATURES, growing("post-pruned", 2))
record("BoostedTreesExampleDebugOutputs", MEANS + FEATURES, centered)
record("BoostedTreesGetEnsembleStates", FEATURES, growing("states"))
record("BoostedTreesSerializeEnsemble", FEATURES, moved)
record("BoostedTreesDeserializeEnsemble", FEATURES, moved)
record("IsBoostedTreesEnsembleInitialized", FEATURES, moved)
record("BoostedTreesCenterBias", MEANS + FEATURES, centered)
record("BoostedTreesUpdateEnsembleV2", FEATURES, of_kinds)
