"""Feature columns and target columns of tf.contrib.layers: inputs and sums of every kind, errors, metrics."""

import sys

import numpy as np

from . import raised


def words(tf):
    return tf.SparseTensor([[0, 0], [0, 1], [1, 0], [2, 1]], ["a", "b", "c", "d"], [3, 2])


def features(tf):
    return {
        "words": words(tf),
        "ids": tf.SparseTensor([[0, 0], [1, 0], [2, 0], [2, 1]], tf.constant([1, 7, 3, 12], tf.int64), [3, 2]),
        "weights": tf.SparseTensor([[0, 0], [0, 1], [1, 0], [2, 1]], [0.5, 2.0, 1.5, 3.0], [3, 2]),
        "x": tf.constant([[1.0, -2.0], [3.0, 0.5], [0.0, 9.0]]),
    }


def columns(tf):
    layers = tf.contrib.layers
    keyed = layers.sparse_column_with_keys("words", ["a", "b", "c"])
    hashed = layers.sparse_column_with_hash_bucket("words", 7, hash_keys=[[1, 2], [3, 4]])
    ids = layers.sparse_column_with_integerized_feature("ids", 10, combiner="mean")
    x = layers.real_valued_column("x", 2, normalizer=lambda v: v * 2)
    buckets = layers.bucketized_column(layers.real_valued_column("x", 2), [0.0, 1.0, 1.0])
    return keyed, hashed, ids, x, buckets, layers.weighted_sparse_column(keyed, "weights")


def dense(tf):
    """One-hot, embedded, shared, scattered, bucketized and real-valued columns side by side, and each alone."""
    layers = tf.contrib.layers
    keyed, hashed, ids, x, buckets, weighted = columns(tf)

    def counted(shape, dtype=None, partition_info=None):
        return tf.reshape(tf.range(float(np.prod(shape))), shape)

    chosen = [
        *(layers.one_hot_column(keyed), layers.one_hot_column(weighted), x, buckets),
        layers.embedding_column(hashed, 3, initializer=counted),
        *layers.shared_embedding_columns([keyed, weighted], 2, initializer=counted),
        layers.scattered_embedding_column("words", 11, 3, hash_key=5, initializer=counted),
    ]
    outs = {}
    with tf.variable_scope("dense"):
        made = layers.input_from_feature_columns(features(tf), chosen, cols_to_outs=outs)
    names = [v.op.name for v in tf.global_variables() if v.op.name.startswith("dense")]
    return [made, {c.name + type(c).__name__.lstrip("_"): t for c, t in outs.items()}, names]


def wide(tf):
    """The sums of sparse, crossed, bucketized and real-valued columns; weights are 0, so their gradients are looked at."""
    layers = tf.contrib.layers
    keyed, hashed, ids, x, buckets, weighted = columns(tf)
    plain = layers.sparse_column_with_hash_bucket("words", 7)
    crossed = layers.crossed_column([plain, ids, buckets], 50)
    deeper = layers.crossed_column(
        [crossed, layers.sparse_column_with_hash_bucket("ids", 9, dtype=tf.int64)], 60, hash_key=3
    )
    with tf.variable_scope("wide"):
        total, variables, bias = layers.weighted_sum_from_feature_columns(
            features(tf), [keyed, ids, x, buckets, weighted, crossed, deeper, hashed], 2
        )
    scale = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    parts = [(c.name, v[0]) for c, v in sorted(variables.items(), key=lambda kv: kv[0].key.lstrip("_"))]
    found = tf.gradients(total * scale, [v for _, v in parts] + [bias])
    return [[name for name, _ in parts], [tf.convert_to_tensor(g) for g in found], total]


def joint(tf):
    layers = tf.contrib.layers
    keyed, hashed, ids, x, buckets, weighted = columns(tf)
    plain = layers.sparse_column_with_hash_bucket("words", 7)
    with tf.variable_scope("joint"):
        total, variables, bias = layers.joint_weighted_sum_from_feature_columns(features(tf), [keyed, plain], 1)
        refused = [
            raised(layers.joint_weighted_sum_from_feature_columns, features(tf), [c], 1) for c in (x, weighted, ids)
        ]
    found = tf.convert_to_tensor(tf.gradients(total * [[1.0], [10.0], [100.0]], variables[0])[0])
    return [total, found, [v.op.name for v in variables], refused]


def sequences(tf):
    layers = tf.contrib.layers
    sparse = tf.SparseTensor([[0, 0, 0], [0, 1, 0], [1, 0, 1]], ["a", "c", "b"], [2, 2, 2])
    keyed = layers.sparse_column_with_keys("words", ["a", "b", "c"])
    x = layers.real_valued_column("x", 2)
    given = {"words": sparse, "x": tf.constant(np.arange(8.0).reshape(2, 2, 2).astype("float32"))}
    made = layers.sequence_input_from_feature_columns(given, [layers.one_hot_column(keyed), x])
    refused = [
        raised(layers.sequence_input_from_feature_columns, given, [c])
        for c in (keyed, layers.bucketized_column(layers.real_valued_column("x", 2), [1.0]))
    ]
    return [made, refused]


def parsed(tf):
    layers = tf.contrib.layers
    keyed, _, _, _, buckets, weighted = columns(tf)
    example = tf.train.Example()
    example.features.feature["words"].bytes_list.value.extend([b"a", b"zz"])
    example.features.feature["weights"].float_list.value.extend([1.5, 2.5])
    example.features.feature["x"].float_list.value.extend([0.5, 7.0])
    made = layers.parse_feature_columns_from_examples([example.SerializeToString()], [weighted, buckets])
    sequence = tf.train.SequenceExample()
    sequence.context.feature["x"].float_list.value.extend([1.0, 2.0])
    sequence.feature_lists.feature_list["words"].feature.add().bytes_list.value.extend([b"b"])
    context, lists = layers.parse_feature_columns_from_sequence_examples(
        sequence.SerializeToString(), [layers.real_valued_column("x", 2)], [keyed]
    )
    return [made["x"], made["words"], made[weighted], made[buckets], context, lists["words"]]


def described(tf):
    """Keys, names, specs and placeholders; what can't be asked for."""
    layers = tf.contrib.layers
    keyed, hashed, ids, x, buckets, weighted = columns(tf)
    crossed = layers.crossed_column([keyed, ids], 9)
    chosen = [keyed, weighted, x, buckets, crossed, layers.one_hot_column(ids)]
    spec = layers.create_feature_spec_for_parsing(chosen)
    held = layers.make_place_holder_tensors_for_base_features(chosen)
    refused = [
        raised(layers.sparse_column_with_hash_bucket, "words", 0),
        raised(layers.sparse_column_with_hash_bucket, "words", 5, dtype=tf.float32),
        raised(layers.sparse_column_with_hash_bucket, "words", 5, hash_keys=[[1]]),
        raised(layers.sparse_column_with_vocabulary_file, "words", "nowhere"),
        raised(layers.crossed_column, [keyed, x], 9),
        raised(layers.crossed_column, [keyed], 9),
        raised(layers.crossed_column, [keyed, ids], 1),
        raised(layers.shared_embedding_columns, {keyed}, 2),
        raised(layers.shared_embedding_columns, [], 2),
        raised(layers.shared_embedding_columns, [keyed, ids], 2),
        raised(layers.embedding_column, keyed, 2, ckpt_to_load_from="somewhere"),
        raised(layers.scattered_embedding_column, "words", 0, 3, 1),
        raised(layers.scattered_embedding_column, "words", 4, 3, 1, combiner="max"),
        raised(layers.check_feature_columns, [keyed, keyed]),
        raised(layers.input_from_feature_columns, features(tf), [keyed]),
        raised(layers.weighted_sum_from_feature_columns, features(tf), [layers.embedding_column(keyed, 2)], 1),
    ]
    names = [[c.name, sorted(c.config)] for c in chosen]
    kinds = {k: [type(v).__name__, v.dtype.name] for k, v in spec.items()}
    return [names, kinds, sorted(held), refused, crossed.length, buckets.length, weighted.length]


def targets(tf):
    layers = tf.contrib.layers
    svm = sys.modules[layers.multi_class_target.__module__].binary_svm_target  # public in 0.x alone
    logits, two = tf.constant([[1.0], [-2.0], [0.5]]), tf.constant([[1.0, 0.0, -1.0], [0.5, 2.0, 0.0], [0.0, 0.0, 1.0]])
    given, labels = {"w": tf.constant([[1.0], [2.0], [0.5]])}, tf.constant([[1], [0], [1]])
    made = []
    for column, out, target in (
        (layers.regression_target(weight_column_name="w"), logits, tf.constant([[0.5], [1.0], [1.5]])),
        (layers.regression_target(), logits, tf.constant([0.5, 1.0, 1.5])),
        (layers.multi_class_target(2, weight_column_name="w"), logits, labels),
        (layers.multi_class_target(3), two, labels),
        (svm(), logits, labels),
    ):
        made.append([column.loss(out, target, given), column.training_loss(out, target, given)])
        made.append([column.logits_to_predictions(out), column.num_label_columns, column.problem_type])
    proba = layers.multi_class_target(2).logits_to_predictions(logits, proba=True)
    refused = [
        raised(layers.multi_class_target, 1),
        raised(svm().logits_to_predictions, logits, proba=True),
    ]
    measured = layers.multi_class_target(2, weight_column_name="w").get_eval_ops(given, logits, labels)
    return [made, proba, refused, {k: update for k, (_, update) in measured.items()}]


TABLES = {
    "contrib_columns": {
        "contrib.layers.input_from_feature_columns": dense,
        "contrib.layers.weighted_sum_from_feature_columns": wide,
        "contrib.layers.joint_weighted_sum_from_feature_columns": joint,
        "contrib.layers.sequence_input_from_feature_columns": sequences,
        "contrib.layers.parse_feature_columns_from_sequence_examples": parsed,
        "contrib.layers.create_feature_spec_for_parsing": described,
        "contrib.layers.multi_class_target": targets,
    },
}
