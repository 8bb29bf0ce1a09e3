"""Records of what stands behind linear models and clusters: dual ascent, first centres, nearest neighbours, crosses of old."""

from cases.base import Fails, OpCase, Steps, given, ints, normal, raw

CASES = []
PLAIN = {"grad": False, "misuse": False, "shapes": False, "types": ("float32",)}


def record(op, inputs, build, label="", **more):
    CASES.append(OpCase(op, inputs, build, label, **dict(PLAIN, **more)))


# -- dual ascent: examples that share no feature, so that their order does not matter

LABELS = {"squared_loss": [1.5, -2.0, 0.25], "poisson_loss": [3.0, 0.0, 1.0]}


def ascent(op, loss, state=((0.0, 0, 0, 0), (0.0, 0, 0, 0), (0.0, 0, 0, 0)), indices=(0, 1, 0, 2), **attrs):
    def build(tf, weights, labels, values, sparse, before):
        return raw(
            tf,
            op,
            sparse_example_indices=[[0, 0, 1, 2], [2]],
            sparse_feature_indices=[[3, 5, 7, 8], [1]],
            sparse_feature_values=[values],
            dense_features=[],
            example_weights=weights,
            example_labels=labels,
            sparse_indices=[[8, 3, 5, 7], [1]],
            sparse_weights=[sparse, [0.5]],
            dense_weights=[],
            example_state_data=before,
            loss_type=loss,
            l1=attrs.get("l1", 0.0),
            l2=2.0,
            num_loss_partitions=attrs.get("partitions", 1),
            num_inner_iterations=1,
            **{"adaptative" if op == "SdcaOptimizer" else "adaptive": False},
        )

    inputs = [
        given([1.0, 2.0, 0.5], "float32"),
        given(LABELS.get(loss, [1.0, 0.0, 1.0]), "float32"),
        given([0.5, -1.5, 2.0, 1.0], "float32"),
        given([0.1, -0.2, 0.3, 0.0], "float32"),
        given(state, "float32"),
    ]
    return inputs, build


for loss in ("logistic_loss", "squared_loss", "hinge_loss", "smooth_hinge_loss", "poisson_loss"):
    record("SdcaOptimizer", *ascent("SdcaOptimizer", loss), label="" if loss == "logistic_loss" else loss)
SEEN = ((0.3, 0.1, 0.2, 1.0), (-0.5, 0.1, 0.2, 1.0), (0.9, 0.1, 0.2, 1.0))
record("SdcaOptimizerV2", *ascent("SdcaOptimizerV2", "logistic_loss", SEEN, l1=0.1, partitions=3))


def dense_ascent(tf, x, before):
    return raw(
        tf,
        "SdcaOptimizerV2",
        sparse_example_indices=[],
        sparse_feature_indices=[],
        sparse_feature_values=[],
        dense_features=[x, [[2.0]]],
        example_weights=[1.0],
        example_labels=[1.0],
        sparse_indices=[],
        sparse_weights=[],
        dense_weights=[[0.5, -0.5, 0.25], [1.0]],
        example_state_data=before,
        loss_type="hinge_loss",
        l1=0.25,
        l2=1.0,
        num_loss_partitions=1,
        num_inner_iterations=1,
        adaptive=False,
    )


ONE = given([[0.0, 0.0, 0.0, 0.0]], "float32")
record("SdcaOptimizerV2", [normal(1, 3), ONE], dense_ascent, "dense")
CASES.append(Fails("SdcaOptimizerV2", [normal(1, 5), ONE], dense_ascent, "more features than weights", **PLAIN))
record(
    "SdcaFprint",
    [],
    lambda tf: tf.train.sdca_fprint(
        ["", "a", "very looooooong string", "x" * 16, "y" * 33, "z" * 150, "0123456789" * 40]
    ),
)
record(
    "SdcaShrinkL1",
    [],
    lambda tf: (
        lambda v, w: Steps(tf.train.sdca_shrink_l1([v, w], l1=1.0, l2=2.0), v, w)
    )(tf.Variable([0.2, -2.0, 3.0]), tf.Variable([[0.5, -0.75]])),
)  # fmt: skip

# -- clusters


def clustering(tf, op, **args):
    """An op of clusters, which TensorFlow 1.15 has in no public place."""
    if tf.__name__ != "thalweg":
        from tensorflow.python.ops import gen_clustering_ops

        names = {"KMC2ChainInitialization": "kmc2_chain_initialization", "NearestNeighbors": "nearest_neighbors"}
        return getattr(gen_clustering_ops, names.get(op, "kmeans_plus_plus_initialization"))(**args)
    return raw(tf, op, **args)


record(
    "KmeansPlusPlusInitialization",
    [normal(20, 3)],
    lambda tf, x: clustering(
        tf, "KmeansPlusPlusInitialization", points=x, num_to_sample=5, seed=7, num_retries_per_sample=2
    ),
)
record(
    "KmeansPlusPlusInitialization",
    [normal(13, 2)],
    lambda tf, x: clustering(
        tf, "KmeansPlusPlusInitialization", points=x, num_to_sample=4, seed=1, num_retries_per_sample=-1
    ),
    "as many tries as it likes",
)
record(
    "KMC2ChainInitialization",
    [given([0.5, 0.1, 2.0, 1.5, 0.0, 0.7, 3.0, 0.2, 0.1], "float32")],
    lambda tf, d: [clustering(tf, "KMC2ChainInitialization", distances=d, seed=s) for s in (0, 1, 42)],
)
record(
    "NearestNeighbors",
    [normal(6, 3), normal(4, 3)],
    lambda tf, x, c: [clustering(tf, "NearestNeighbors", points=x, centers=c, k=k) for k in (1, 3, 9)],
)
CASES.append(
    Fails(
        "NearestNeighbors",
        [normal(6, 3), normal(4, 2)],
        lambda tf, x, c: clustering(tf, "NearestNeighbors", points=x, centers=c, k=1),
        "widths",
        **PLAIN,
    )
)

# -- crosses


def crosses(tf, numbers):
    words = tf.SparseTensor([[0, 0], [0, 1], [1, 0]], ["a", "b", "c"], [2, 2])
    numbers = tf.SparseTensor([[0, 0], [1, 0], [1, 1]], numbers, [2, 2])
    if tf.__name__ == "thalweg":
        cross = tf.contrib.layers.sparse_feature_cross
    else:
        from tensorflow.contrib.layers.python.ops.sparse_feature_cross_op import sparse_feature_cross as cross
    made = [cross([words, numbers], *args) for args in ((), (True,), (True, 100))]
    return [(c.indices, c.values, c.dense_shape) for c in made]


record("SparseFeatureCross", [ints(-5, 5, 3, dtype="int64")], crosses, types=("int64",))
