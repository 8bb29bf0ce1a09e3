"""Losses and streaming metrics."""

import numpy as np

from . import After, raised

LABELS = np.float32([[0.2, 0.8, 0.0], [1.0, 0.1, 0.7]])
GUESSES = np.float32([[0.3, 0.5, 0.1], [0.9, 0.2, 0.4]])
WEIGHTS = np.float32([[1.0], [0.5]])
ONE_HOT = np.float32([[0, 1, 0], [1, 0, 0]])
CLASSES = np.int64([1, 0])
BITS = np.float32([[1, 0, 1], [0, 0, 1]])


def loss(name, labels=LABELS, guesses=GUESSES, **more):
    """A loss with and without weights and reduction."""

    def run(tf):
        f, reduction = getattr(tf.losses, name), tf.losses.Reduction
        weights = WEIGHTS[:, 0] if "softmax" in name else WEIGHTS
        results = [f(labels, guesses, **more), f(labels, guesses, weights=weights, loss_collection=None, **more)]
        if name != "mean_pairwise_squared_error":
            results.append(f(labels, guesses, weights=weights, reduction=reduction.NONE, **more))
        return results

    return run


def collected(tf):
    with tf.Graph().as_default() as graph:
        tf.losses.add_loss(tf.constant(2.0))
        tf.losses.add_loss(tf.constant(3.0), loss_collection="others")
        tf.get_variable("w", [], initializer=tf.ones_initializer(), regularizer=lambda w: 5.0 * w, use_resource=True)
        counts = [len(tf.losses.get_losses()), len(tf.losses.get_losses(loss_collection="others"))]
        regular = tf.losses.get_regularization_losses()
        total = tf.losses.get_total_loss()
        with tf.Session(graph=graph) as session:
            session.run(tf.global_variables_initializer())
            return [counts, session.run([regular, total, tf.losses.get_regularization_loss()])]


LOSSES = {
    "tf.losses.absolute_difference": loss("absolute_difference"),
    "tf.losses.cosine_distance": loss("cosine_distance", axis=1),
    "tf.losses.hinge_loss": loss("hinge_loss", BITS),
    "tf.losses.huber_loss": loss("huber_loss", delta=0.15),
    "tf.losses.log_loss": loss("log_loss", BITS),
    "tf.losses.mean_pairwise_squared_error": loss("mean_pairwise_squared_error"),
    "tf.losses.mean_squared_error": loss("mean_squared_error"),
    "tf.losses.sigmoid_cross_entropy": loss("sigmoid_cross_entropy", BITS, label_smoothing=0.1),
    "tf.losses.softmax_cross_entropy": loss("softmax_cross_entropy", ONE_HOT, label_smoothing=0.1),
    "tf.losses.sparse_softmax_cross_entropy": loss("sparse_softmax_cross_entropy", CLASSES),
    "tf.losses.compute_weighted_loss": lambda tf: [
        tf.losses.compute_weighted_loss(LABELS, WEIGHTS, reduction=r, loss_collection=None)
        for r in [
            "none",
            "weighted_sum",
            "weighted_mean",
            "weighted_sum_over_batch_size",
            "weighted_sum_by_nonzero_weights",
        ]
    ],
    "tf.losses.add_loss": collected,
    "tf.losses.get_losses": lambda tf: raised(tf.losses.mean_squared_error, LABELS, GUESSES[:1]),
    "tf.losses.get_regularization_losses": lambda tf: raised(tf.losses.mean_squared_error, LABELS, None),
    "tf.losses.get_total_loss": lambda tf: raised(tf.losses.compute_weighted_loss, LABELS, reduction="all"),
}


def metric(name, of_labels, of_guesses, *more, **named):
    """A metric after two updates, with and without weights: value and update."""

    def run(tf):
        f, labels, guesses = getattr(tf.metrics, name), tf.constant(of_labels), tf.constant(of_guesses)
        pairs = [f(labels, guesses, *more, **named)]
        if "iou" not in name and "mean_per_class" not in name and "_k" not in name:
            pairs.append(f(labels, guesses, *more, weights=np.float32([[1.0], [0.25]]), **named))
        updates = [update for _, update in pairs]
        return After([value for value, _ in pairs], updates, updates)

    return run


TOP = np.int64([[1], [2]])
SCORES = np.float32([[0.1, 0.7, 0.2], [0.6, 0.3, 0.1]])
FOUR = np.int64([0, 1, 2, 1])
HALVES = [0.25, 0.5]

METRICS = {
    "tf.metrics.accuracy": metric("accuracy", BITS, np.float32([[1, 1, 1], [0, 0, 0]])),
    "tf.metrics.auc": metric(
        "auc", BITS, GUESSES, num_thresholds=20, curve="PR", summation_method="careful_interpolation"
    ),
    "tf.metrics.false_negatives": metric("false_negatives", BITS, np.float32([[1, 1, 1], [0, 0, 0]])),
    "tf.metrics.false_positives": metric("false_positives", BITS, np.float32([[1, 1, 1], [0, 0, 0]])),
    "tf.metrics.true_negatives": metric("true_negatives", BITS, np.float32([[1, 1, 1], [0, 0, 0]])),
    "tf.metrics.true_positives": metric("true_positives", BITS, np.float32([[1, 1, 1], [0, 0, 0]])),
    "tf.metrics.precision": metric("precision", BITS, np.float32([[1, 1, 1], [0, 0, 0]])),
    "tf.metrics.recall": metric("recall", BITS, np.float32([[1, 1, 1], [0, 0, 0]])),
    "tf.metrics.mean_cosine_distance": lambda tf: cosine(tf),
    "tf.metrics.mean_iou": metric("mean_iou", FOUR, np.int64([0, 1, 1, 1]), 3),
    "tf.metrics.mean_per_class_accuracy": metric("mean_per_class_accuracy", FOUR, np.int64([0, 1, 1, 1]), 3),
    "tf.metrics.mean_relative_error": metric("mean_relative_error", LABELS, GUESSES, LABELS + 1),
    "tf.metrics.mean_squared_error": metric("mean_squared_error", LABELS, GUESSES),
    "tf.metrics.root_mean_squared_error": metric("root_mean_squared_error", LABELS, GUESSES),
    "tf.metrics.mean_tensor": lambda tf: tensor_mean(tf),
    "tf.metrics.percentage_below": lambda tf: below(tf),
    "tf.metrics.false_negatives_at_thresholds": metric("false_negatives_at_thresholds", BITS, GUESSES, HALVES),
    "tf.metrics.false_positives_at_thresholds": metric("false_positives_at_thresholds", BITS, GUESSES, HALVES),
    "tf.metrics.true_negatives_at_thresholds": metric("true_negatives_at_thresholds", BITS, GUESSES, HALVES),
    "tf.metrics.true_positives_at_thresholds": metric("true_positives_at_thresholds", BITS, GUESSES, HALVES),
    "tf.metrics.precision_at_thresholds": metric("precision_at_thresholds", BITS, GUESSES, HALVES),
    "tf.metrics.recall_at_thresholds": metric("recall_at_thresholds", BITS, GUESSES, HALVES),
    "tf.metrics.sensitivity_at_specificity": metric(
        "sensitivity_at_specificity", BITS, GUESSES, 0.6, num_thresholds=10
    ),
    "tf.metrics.specificity_at_sensitivity": metric(
        "specificity_at_sensitivity", BITS, GUESSES, 0.6, num_thresholds=10
    ),
    "tf.metrics.average_precision_at_k": metric("average_precision_at_k", TOP, SCORES, 2),
    "tf.metrics.precision_at_k": metric("precision_at_k", TOP, SCORES, 2),
    "tf.metrics.precision_at_top_k": metric("precision_at_top_k", TOP, np.int64([[1, 0], [0, 1]]), 2),
    "tf.metrics.recall_at_k": metric("recall_at_k", TOP, SCORES, 2, class_id=1),
    "tf.metrics.recall_at_top_k": metric("recall_at_top_k", TOP, np.int64([[1, 0], [0, 1]]), 2),
}


def cosine(tf):
    value, update = tf.metrics.mean_cosine_distance(LABELS, GUESSES, 1)
    return After(value, update, update)


def tensor_mean(tf):
    value, update = tf.metrics.mean_tensor(LABELS, weights=WEIGHTS)
    return After(value, update)


def below(tf):
    value, update = tf.metrics.percentage_below(LABELS, 0.5, weights=WEIGHTS)
    return After(value, update)


TABLES = {"losses": LOSSES, "metrics": METRICS}
