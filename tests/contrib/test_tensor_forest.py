"""Random forests that learn from batches: what they learn, how they grow, save, refuse."""

import numpy as np
import pytest

import thalweg as tf
from thalweg.contrib.tensor_forest import ForestHParams, RandomForestGraphs, TrainingLossForest
from thalweg.contrib.tensor_forest.client.eval_metrics import get_metric, get_prediction_key
from thalweg.contrib.tensor_forest.client.random_forest import CoreTensorForestEstimator, TensorForestEstimator

RANDOM = np.random.RandomState(0)
X = RANDOM.randn(400, 4).astype(np.float32)
CLASSES = ((X[:, 0] > 0) + (X[:, 2] > 1)).astype(np.int32)
NUMBERS = (np.sin(X[:, 0] * 2) + X[:, 1]).astype(np.float32)


def parameters(**more):
    how = {"num_classes": 3, "num_features": 4, "num_trees": 3, "max_nodes": 60, "split_after_samples": 20}
    return ForestHParams(**{**how, "base_random_seed": 5, **more})


def forest(kind=RandomForestGraphs, labels=tf.int32, **more):
    """(session, forest, x, y) of a forest in a graph of its own."""
    graph = tf.Graph()
    with graph.as_default():
        made = kind(parameters(**more).fill())
        x, y = tf.placeholder(tf.float32, [None, 4]), tf.placeholder(labels, [None])
    return graph, made, x, y


def start(graph):
    with graph.as_default():
        session = tf.Session()
        session.run(tf.global_variables_initializer())
    return session


def test_learns_classes_and_grows_up_to_the_limit():
    graph, made, x, y = forest()
    with graph.as_default():
        step, values = made.training_graph(x, y), made.inference_graph(x)[0]
        facts = made.average_size(), made.average_impurity(), made.feature_importances()
    with start(graph) as session:
        sizes = []
        for _ in range(12):
            session.run(step, {x: X, y: CLASSES})
            sizes.append(session.run(facts[0]))
        found = session.run(values, {x: X})
        impurity, importances = session.run(facts[1:])
    assert sizes == sorted(sizes)
    assert 20 < sizes[-1] <= 62
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-5)
    assert (found.argmax(1) == CLASSES).mean() > 0.95
    assert 0 <= impurity < 0.5
    assert importances.sum() == pytest.approx(1)


def test_equal_seeds_make_equal_forests():
    runs = []
    for _ in range(2):
        graph, made, x, y = forest()
        with graph.as_default():
            step, values = made.training_graph(x, y), made.inference_graph(x)[0]
        with start(graph) as session:
            for _ in range(4):
                session.run(step, {x: X, y: CLASSES})
            runs.append(session.run(values, {x: X}))
    np.testing.assert_array_equal(*runs)


def test_saved_and_restored(tmp_path):
    graph, made, x, y = forest(regression=True, num_classes=1, labels=tf.float32)
    with graph.as_default():
        step, values, saver = made.training_graph(x, y), made.inference_graph(x)[0], tf.train.Saver()
    with start(graph) as session:
        for _ in range(10):
            session.run(step, {x: X, y: NUMBERS})
        expected = session.run(values, {x: X})
        path = saver.save(session, str(tmp_path / "forest"))
    assert np.mean((expected[:, 0] - NUMBERS) ** 2) < 0.5 * np.var(NUMBERS)
    with tf.Session(graph=graph) as session:
        saver.restore(session, path)
        np.testing.assert_array_equal(session.run(values, {x: X}), expected)


def test_parts_of_rows_and_features():
    graph, made, x, y = forest(bagging_fraction=0.5, feature_bagging_fraction=0.5, split_name="less")
    with graph.as_default():
        step, size = made.training_graph(x, y), made.average_size()
    assert [len(columns) for columns in made.params.bagged_features] == [2, 2, 2]
    with start(graph) as session:
        for _ in range(3):
            session.run(step, {x: X, y: CLASSES})
        assert session.run(size) > 1


def test_a_forest_with_a_loss():
    graph, made, x, y = forest(TrainingLossForest)
    with graph.as_default():
        step, loss = made.training_graph(x, y), made.training_loss(x, y)
    with start(graph) as session:
        losses = [session.run([loss, step], {x: X, y: CLASSES})[0] for _ in range(8)]
    assert losses[-1] < losses[1]


@pytest.mark.parametrize("kind", [TensorForestEstimator, CoreTensorForestEstimator])
def test_estimators(kind, tmp_path):
    estimator = kind(parameters(), model_dir=str(tmp_path), early_stopping_rounds=5)

    def inputs():
        data = tf.data.Dataset.from_tensor_slices(({"x": X}, CLASSES)).repeat(8).batch(100)
        return data.make_one_shot_iterator().get_next()

    if kind is TensorForestEstimator:
        metrics = estimator.fit(input_fn=inputs, steps=30).evaluate(input_fn=inputs, steps=4)
    else:
        metrics = estimator.train(inputs).evaluate(inputs, steps=4)
    assert metrics["accuracy"] > 0.9


def test_metrics_by_name():
    assert get_prediction_key("accuracy") == "classes"
    with tf.Graph().as_default(), tf.Session() as session:
        value, update = get_metric("accuracy")(tf.constant([1, 0, 1]), tf.constant([1, 1, 1]))
        session.run(tf.local_variables_initializer())
        session.run(update)
        assert session.run(value) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"split_finish_name": "hoeffding"}, NotImplementedError),
        ({"split_pruning_name": "half"}, NotImplementedError),
        ({"model_name": "else"}, KeyError),
    ],
)
def test_refuses(more, error):
    with pytest.raises(error):
        parameters(**more).fill()


def test_needs_to_know_classes():
    with pytest.raises(AttributeError, match="num_classes"):
        ForestHParams(num_features=2).fill()


@pytest.mark.parametrize(("x", "y", "words"), [(X[:, :2], CLASSES, "features"), (X, CLASSES + 3, "Labels must be in")])
def test_refuses_while_running(x, y, words):
    graph, made, _, _ = forest()
    with graph.as_default():
        step = made.training_graph(tf.placeholder_with_default(x, None), tf.constant(y))
    with start(graph) as session, pytest.raises(tf.errors.InvalidArgumentError, match=words):
        session.run(step)
