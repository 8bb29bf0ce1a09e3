"""tf.contrib.linear_optimizer: dual ascent finds the best linear model, in the graph and in the estimators of both kinds."""

import numpy as np
import pytest

import thalweg as tf

X = np.float32([[1, 0.5], [0.5, 1], [-1, -0.5], [-0.5, -2], [0.25, -0.25]])
Y = np.float32([1, 1, 0, 0, 1])


def names():
    return [str(i) for i in range(len(X))]


def trained(loss_type, **options):
    """(weights, duality gap, regularized loss) after forty passes."""
    with tf.Graph().as_default(), tf.Session() as session:
        weights = tf.Variable(tf.zeros([2]))
        examples = {
            "sparse_features": [],
            "dense_features": [tf.constant(X)],
            "example_labels": Y,
            "example_weights": np.ones(5, np.float32),
            "example_ids": names(),
        }
        variables = {"sparse_features_weights": [], "dense_features_weights": [weights]}
        options = {"symmetric_l1_regularization": 0.0, "symmetric_l2_regularization": 1.0, **options}
        model = tf.contrib.linear_optimizer.SdcaModel(examples, variables, {**options, "loss_type": loss_type})
        session.run(tf.global_variables_initializer())
        step = model.minimize()
        update = model.update_weights(step)
        for _ in range(40):
            session.run(step)
        session.run(update)
        return session.run([weights, model.approximate_duality_gap(), model.regularized_loss(examples)])


@pytest.mark.parametrize("adaptive", [False, True])
@pytest.mark.parametrize(
    "loss_type", ["logistic_loss", "squared_loss", "hinge_loss", "smooth_hinge_loss", "poisson_loss"]
)
def test_no_gap_is_left(loss_type, adaptive):
    _, gap, _ = trained(loss_type, adaptive=adaptive)
    assert abs(gap) < 1e-3


def test_squared_loss_is_ridge_regression():
    weights, _, _ = trained("squared_loss", symmetric_l2_regularization=2.0)
    np.testing.assert_allclose(weights, np.linalg.solve(X.T @ X + 2 * np.eye(2), X.T @ Y), rtol=1e-4)


def test_one_example_reaches_its_best_in_one_pass():
    nothing = [0.0] * 4
    how = {"loss_type": "squared_loss", "l1": 0.0, "l2": 1.0, "num_loss_partitions": 1, "num_inner_iterations": 1}
    state, _, (change,) = tf.train.sdca_optimizer(
        [], [], [], [[[2.0]]], [1.0], [1.0], [], [], [[0.0]], [nothing], **how
    )
    with tf.Session() as session:
        state, change = session.run([state, change])
    np.testing.assert_allclose(change, [2.0 / (1 + 4)], rtol=1e-6)
    np.testing.assert_allclose(state, [[0.2, 0.5, 0.0, 1.0]], rtol=1e-6)


def test_l1_shrinks_to_zero():
    weights, _, _ = trained("squared_loss", symmetric_l1_regularization=100.0)
    np.testing.assert_array_equal(weights, [0, 0])


def test_what_it_refuses():
    with pytest.raises(ValueError, match="Unsupported loss_type"):
        trained("no_loss")
    with pytest.raises(ValueError, match="non-negative"):
        trained("squared_loss", symmetric_l1_regularization=-1.0)


def inputs():
    words = tf.SparseTensor([[i, 0] for i in range(5)], ["a", "a", "b", "b", "c"], [5, 1])
    features = {"x": tf.constant(X), "word": words, "id": tf.constant(names())}
    return features, tf.constant(Y.astype(np.int32)[:, None])


def test_an_estimator():
    columns = [
        tf.feature_column.numeric_column("x", shape=(2,)),
        tf.feature_column.categorical_column_with_vocabulary_list("word", ["a", "b"]),
    ]
    sdca = tf.estimator.experimental.LinearSDCA("id", symmetric_l2_regularization=0.1)
    model = tf.estimator.LinearClassifier(columns, optimizer=sdca).train(inputs, steps=20)
    assert model.evaluate(inputs, steps=1)["accuracy"] == 1.0
    with pytest.raises(ValueError, match="multi-class"):
        tf.estimator.LinearClassifier(columns, n_classes=3, optimizer=sdca)


def test_a_support_vector_machine():
    columns = [tf.contrib.layers.real_valued_column("x", dimension=2)]
    svm = tf.contrib.learn.SVM("id", columns, l2_regularization=0.1).fit(input_fn=inputs, steps=20)
    assert svm.evaluate(input_fn=inputs, steps=1)["accuracy"] >= 0.8
    with pytest.raises(ValueError, match="Kernel"):
        tf.contrib.learn.SVM("id", columns, kernels=[1])
