"""Small programs of tf.contrib, as those of tests/oracle/public; recorded by record_contrib.py. Kept to what Python 3.6 reads."""

import numpy as np

from oracle.bijector_programs import BIJECTORS
from oracle.constrained_programs import CONSTRAINED
from oracle.extra_programs import EXTRAS
from oracle.probability_programs import DISTRIBUTIONS
from oracle.pruning_programs import PRUNED
from oracle.public import After, raised
from oracle.quantize_programs import QUANTIZED

LABELS = np.float32([1, 0, 1, 1, 0, 0, 1, 0])
GUESSES = np.float32([0.9, 0.4, 0.6, 0.3, 0.7, 0.1, 0.8, 0.4])
WEIGHTS = np.float32([1, 2, 0.5, 1, 1, 3, 1, 0.25])
LOGITS = np.float32([[1.0, 2.0, 0.5], [0.1, 0.2, 0.3], [-3.0, 0.0, 3.0]])


def metric(name, *more, **named):
    """A streaming metric after two batches, with and without weights."""

    def run(tf):
        f = getattr(tf.contrib.metrics, name)
        first = "labels" if f.__code__.co_varnames[0] == "labels" or "streaming" not in name else "predictions"
        first = named.get("first", first)
        pair = [LABELS > 0.5, GUESSES] if first == "labels" else [GUESSES, LABELS > 0.5]
        extra = {k: v for k, v in named.items() if k != "first"}
        if "rate" in name and "thresholds" not in name:
            pair[0] = pair[0] > 0.5
        pairs = [
            f(*([tf.constant(p) for p in pair] + list(more)), **dict(extra, **w)) for w in ({}, {"weights": WEIGHTS})
        ]
        updates = [update for _, update in pairs]
        return After([value for value, _ in pairs], updates, updates)

    return run


METRICS = {
    "f1_score": metric("f1_score", first="labels"),
    "precision_at_recall": metric("precision_at_recall", 0.7, first="labels"),
    "recall_at_precision": metric("recall_at_precision", 0.7, first="labels"),
    "recall_at_precision strict": metric("recall_at_precision", 0.95, strict_mode=True, first="labels"),
    "precision_recall_at_equal_thresholds": metric(
        "precision_recall_at_equal_thresholds", num_thresholds=5, first="labels"
    ),
    "streaming_curve_points": metric("streaming_curve_points", num_thresholds=5, first="labels"),
    "streaming_curve_points PR": metric("streaming_curve_points", num_thresholds=5, curve="PR", first="labels"),
    "streaming_dynamic_auc": metric("streaming_dynamic_auc", first="labels"),
    "streaming_dynamic_auc PR": metric("streaming_dynamic_auc", curve="PR", first="labels"),
    "auc_with_confidence_intervals": metric("auc_with_confidence_intervals", first="labels"),
    "auc_with_confidence_intervals plain": metric(
        "auc_with_confidence_intervals", alpha=0.9, logit_transformation=False, first="labels"
    ),
    "streaming_false_positive_rate": metric("streaming_false_positive_rate", first="predictions"),
    "streaming_false_negative_rate": metric("streaming_false_negative_rate", first="predictions"),
    "streaming_false_positive_rate_at_thresholds": metric(
        "streaming_false_positive_rate_at_thresholds", [0.2, 0.5], first="predictions"
    ),
    "streaming_false_negative_rate_at_thresholds": metric(
        "streaming_false_negative_rate_at_thresholds", [0.2, 0.5], first="predictions"
    ),
}


def after(pair):
    return After(pair[0], pair[1], pair[1])


OTHERS = {
    "auc_using_histogram": lambda tf: after(
        tf.contrib.metrics.auc_using_histogram(tf.constant(LABELS > 0.5), tf.constant(GUESSES), [0.0, 1.0], nbins=6)
    ),
    "streaming_recall_at_k": lambda tf: after(
        tf.contrib.metrics.streaming_recall_at_k(tf.constant(LOGITS), tf.constant(np.int64([0, 0, 2])), 2)
    ),
    "streaming_sparse_average_precision_at_top_k": lambda tf: after(
        tf.contrib.metrics.streaming_sparse_average_precision_at_top_k(
            tf.constant(np.int64([[0, 2], [1, 2]])), tf.constant(np.int64([[2], [1]]))
        )
    ),
    "metrics refuse": lambda tf: [
        raised(tf.contrib.metrics.precision_at_recall, LABELS, GUESSES, 1.5),
        raised(tf.contrib.metrics.recall_at_precision, LABELS, GUESSES, -1),
        raised(tf.contrib.metrics.streaming_curve_points, LABELS, GUESSES, curve="X"),
        raised(tf.contrib.metrics.streaming_dynamic_auc, LABELS, GUESSES, curve="X"),
        raised(tf.contrib.metrics.auc_with_confidence_intervals, LABELS, GUESSES, alpha=2),
        raised(tf.contrib.metrics.auc_using_histogram, tf.constant(LABELS), tf.constant(GUESSES), [0.0, 1.0]),
    ],
    "sparsemax": lambda tf: tf.contrib.sparsemax.sparsemax(tf.constant(LOGITS)),
    "sparsemax of infinities": lambda tf: tf.contrib.sparsemax.sparsemax(
        tf.constant(np.float32([[-np.inf, 1, 2], [np.inf, 0, 0], [-np.inf, -np.inf, -np.inf]]))
    ),
    "sparsemax_loss": lambda tf: tf.contrib.sparsemax.sparsemax_loss(
        tf.constant(LOGITS), tf.contrib.sparsemax.sparsemax(tf.constant(LOGITS)), tf.constant(np.eye(3, dtype="f"))
    ),
    "graph_editor.util": lambda tf: [
        tf.contrib.graph_editor.util.scope_dirname("a/b/c"),
        tf.contrib.graph_editor.util.scope_basename("a/b/c"),
        list(tf.contrib.graph_editor.util.ListView([1, 2])),
    ],
}


def image(*shape):
    return np.float32(np.arange(np.prod(shape)).reshape(shape) % 7)


IMAGES = {
    "bipartite_match": lambda tf: [
        tf.contrib.image.bipartite_match(tf.constant(LOGITS), -1.0),
        tf.contrib.image.bipartite_match(tf.constant(LOGITS), 2.0, top_k=1),
    ],
    "connected_components": lambda tf: [
        tf.contrib.image.connected_components(
            tf.constant(
                np.int32([[[0, 1, 1, 2], [1, 0, 1, 2], [2, 2, 2, 2]], [[3, 3, 0, 0], [0, 3, 0, 1], [1, 0, 1, 1]]])
            )
        ),
        tf.contrib.image.connected_components(tf.constant([[True, False, True], [True, True, True]])),
        raised(tf.contrib.image.connected_components, tf.constant([1])),
    ],
    "dense_image_warp": lambda tf: tf.contrib.image.dense_image_warp(
        tf.constant(image(1, 4, 5, 2)), tf.constant(image(1, 4, 5, 2) / 5)
    ),
    "interpolate_spline": lambda tf: [
        tf.contrib.image.interpolate_spline(
            tf.constant(np.float32([[[0, 0], [1, 0], [0, 2], [2, 3]]])),
            tf.constant(np.float32([[[1], [2], [0], [1]]])),
            tf.constant(np.float32([[[0.5, 0.5], [1, 1]]])),
            order,
            regularization_weight=weight,
        )
        for order, weight in [(1, 0.0), (2, 0.1), (3, 0.0), (4, 0.0), (6, 0.1)]
    ],
    "sparse_image_warp": lambda tf: tf.contrib.image.sparse_image_warp(
        tf.constant(image(1, 6, 6, 1)),
        tf.constant(np.float32([[[1, 1], [3, 4]]])),
        tf.constant(np.float32([[[2, 1], [3, 3]]])),
        num_boundary_points=2,
    ),
}


def optimizer(make, sparse=True, steps=4):
    """Three variables after some steps of an optimizer, one of them moved by rows."""

    def run(tf):
        with tf.Graph().as_default(), tf.Session() as session:
            step = tf.train.get_or_create_global_step()
            w = tf.get_variable("w", initializer=tf.constant(LOGITS))
            b = tf.get_variable("b", initializer=tf.constant([0.5, -1.0, 2.0]), use_resource=True)
            rows = tf.get_variable("rows", initializer=tf.constant(LOGITS / 2))
            seen = tf.gather(rows, [2, 0]) if sparse else rows
            loss = tf.reduce_sum(tf.square(tf.matmul(w, w) + b)) / 9 + tf.reduce_sum(tf.square(seen - 1.0))
            train = make(tf, step).minimize(loss, global_step=step)
            session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
            for _ in range(steps):
                session.run(train)
            return session.run([w, b, rows, step])

    return run


OPTIMIZERS = {
    "AdamGSOptimizer": optimizer(lambda tf, s: tf.contrib.opt.AdamGSOptimizer(s, 0.1, 0.8, 0.95)),
    "LazyAdamGSOptimizer": optimizer(lambda tf, s: tf.contrib.opt.LazyAdamGSOptimizer(s, 0.1, 0.8, 0.95)),
    "RegAdagradOptimizer": optimizer(lambda tf, s: tf.contrib.opt.RegAdagradOptimizer(0.2)),
    "ShampooOptimizer": optimizer(lambda tf, s: tf.contrib.opt.ShampooOptimizer(s, learning_rate=0.1)),
    "ShampooOptimizer averages": optimizer(
        lambda tf, s: tf.contrib.opt.ShampooOptimizer(
            s, 2, 0.9, 0.1, 0.8, 0.2, learning_rate=lambda t: 0.3 / (t + 1.0), svd_interval=1, alpha=0.4
        )
    ),
    "ShampooOptimizer seldom": optimizer(
        lambda tf, s: tf.contrib.opt.ShampooOptimizer(
            s, learning_rate=0.1, svd_interval=2, precond_update_interval=2, epsilon=0.1
        ),
        sparse=False,
    ),
    "ShampooOptimizer by iterations": optimizer(
        lambda tf, s: tf.contrib.opt.ShampooOptimizer(s, learning_rate=0.1, epsilon=0.1, use_iterative_root=True)
    ),
    "GGTOptimizer": optimizer(lambda tf, s: tf.contrib.opt.GGTOptimizer(0.05, window=3, svd_eps=0.01), sparse=False),
    "MultitaskOptimizerWrapper": optimizer(
        lambda tf, s: tf.contrib.opt.MultitaskOptimizerWrapper(tf.train.MomentumOptimizer(0.05, 0.9)), sparse=False
    ),
    "optimizer_v2 AdadeltaOptimizer": optimizer(lambda tf, s: tf.contrib.optimizer_v2.AdadeltaOptimizer(1.0)),
    "optimizer_v2 AdagradOptimizer": optimizer(lambda tf, s: tf.contrib.optimizer_v2.AdagradOptimizer(0.2)),
    "optimizer_v2 AdamOptimizer": optimizer(
        lambda tf, s: tf.contrib.optimizer_v2.AdamOptimizer(lambda: 0.1, beta1=tf.constant(0.8))
    ),
    "optimizer_v2 GradientDescentOptimizer": optimizer(
        lambda tf, s: tf.contrib.optimizer_v2.GradientDescentOptimizer(lambda: 0.1)
    ),
    "optimizer_v2 MomentumOptimizer": optimizer(
        lambda tf, s: tf.contrib.optimizer_v2.MomentumOptimizer(0.05, tf.constant(0.9), use_nesterov=True)
    ),
    "optimizer_v2 RMSPropOptimizer": optimizer(
        lambda tf, s: tf.contrib.optimizer_v2.RMSPropOptimizer(0.1, momentum=0.5, centered=True)
    ),
    "DropStaleGradientOptimizer": optimizer(
        lambda tf, s: tf.contrib.opt.DropStaleGradientOptimizer(tf.train.GradientDescentOptimizer(0.05), 1)
    ),
}


def slots_left_alone(tf):
    with tf.Graph().as_default(), tf.Session() as session:
        v = tf.get_variable("v", initializer=[1.0, 2.0])
        adagrad = tf.contrib.opt.RegAdagradOptimizer(0.5)
        train = adagrad.minimize(tf.reduce_sum(v * v))
        with adagrad.avoid_updating_slots():
            regularize = adagrad.minimize(tf.reduce_sum(v))
        session.run(tf.global_variables_initializer())
        session.run(regularize)
        found = session.run([v, adagrad.get_slot(v, "accumulator")])
        session.run(train)
        return found + session.run([v, adagrad.get_slot(v, "accumulator")])


def clipped(tf):
    pairs = [(tf.constant([3.0, 4.0]), 1), (tf.zeros([2]), 2), (None, 3)]
    clipped, norm = tf.contrib.opt.clip_gradients_by_global_norm(pairs, 2.5)
    return [[g for g, _ in clipped], [v for _, v in clipped], norm]


def elastic(tf):
    with tf.Graph().as_default(), tf.Session() as session:
        getter = tf.contrib.opt.ElasticAverageCustomGetter("/cpu:0")
        with tf.variable_scope("", custom_getter=getter):
            v = tf.get_variable("v", initializer=[0.0, 1.0])
        momentum = tf.train.MomentumOptimizer(0.5, 0.5)
        optimizer = tf.contrib.opt.ElasticAverageOptimizer(momentum, 1, getter, communication_period=2)
        step = tf.train.get_or_create_global_step()
        train = optimizer.minimize(tf.reduce_sum(v * v - v), global_step=step)
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        session.run(optimizer.get_init_op(0))
        found = [sorted(x.op.name for x in tf.global_variables()), sorted(x.op.name for x in tf.local_variables())]
        for _ in range(3):
            session.run(train)
            found.append(session.run([v, getter._global_map[v], step]))
        return found


def averaged(tf):
    with tf.Graph().as_default(), tf.Session() as session:
        getter = tf.contrib.opt.ModelAverageCustomGetter("/cpu:0")
        with tf.variable_scope("", custom_getter=getter):
            v = tf.get_variable("v", initializer=[0.0, 1.0])
        step = tf.train.get_or_create_global_step()
        descent = tf.train.GradientDescentOptimizer(0.25)
        optimizer = tf.contrib.opt.ModelAverageOptimizer(descent, 1, True, getter, interval_steps=1)
        train = optimizer.minimize(tf.reduce_sum(v * v - v), global_step=step)
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        session.run([optimizer._chief_init_op, optimizer.get_init_op()])
        found = []
        for _ in range(3):
            session.run(train)
            found.append(session.run([v, getter._local_2_global[v], step]))
        return found


def accumulated(tf):
    with tf.Graph().as_default(), tf.Session() as session:
        getter = tf.contrib.opt.AGNCustomGetter("/cpu:0")
        with tf.variable_scope("", custom_getter=getter):
            v = tf.get_variable("v", initializer=[0.0, 1.0])
        step = tf.train.get_or_create_global_step()
        adam = tf.train.AdamOptimizer(0.1)
        optimizer = tf.contrib.opt.AGNOptimizer(adam, 1, getter, communication_period=2)
        train = optimizer.minimize(tf.reduce_sum(v * v - v), global_step=step)
        session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        session.run(optimizer.get_init_op(0))
        found = []
        for _ in range(3):
            session.run(train)
            found.append(session.run([v, getter._global_map[v], step]))
        return found


WORKERS = {
    "avoid_updating_slots": slots_left_alone,
    "clip_gradients_by_global_norm": clipped,
    "ElasticAverageOptimizer": elastic,
    "ModelAverageOptimizer": averaged,
    "AGNOptimizer": accumulated,
}

TABLES = {
    "metrics": METRICS,
    "others": OTHERS,
    "image": IMAGES,
    "optimizers": OPTIMIZERS,
    "workers": WORKERS,
    "distributions": DISTRIBUTIONS,
    "bijectors": BIJECTORS,
    "extras": EXTRAS,
    "quantize": QUANTIZED,
    "constrained": CONSTRAINED,
    "pruned": PRUNED,
}
