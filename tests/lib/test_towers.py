"""tf.contrib.estimator.replicate_model_fn: towers train, evaluate and predict as one model does."""

import numpy as np
import pytest

import thalweg as tf

TWO = ["/cpu:0", "/cpu:0"]
X = np.arange(8, dtype=np.float32)[:, None] / 4
Y = 3 * X + 1


def data():
    return tf.constant(X), tf.constant(Y)


def model(features, labels, mode):
    told = tf.layers.dense(features, 1, kernel_initializer=tf.ones_initializer(), name="line")
    table = tf.get_variable("table", [3, 1], initializer=tf.zeros_initializer())
    told += tf.nn.embedding_lookup(table, tf.zeros(tf.shape(features)[:1], tf.int32))  # its gradient is sparse
    if mode == "infer":
        return tf.estimator.EstimatorSpec(
            mode, {"told": told}, export_outputs={"all": tf.estimator.export.RegressionOutput(told)}
        )
    loss = tf.losses.mean_squared_error(labels, told)
    optimizer = tf.contrib.estimator.TowerOptimizer(lambda: tf.train.GradientDescentOptimizer(0.05))
    train = optimizer.minimize(loss, global_step=tf.train.get_global_step())
    metrics = {"mean": tf.metrics.mean(told), "error": tf.metrics.mean_absolute_error(labels, told)}
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train, eval_metric_ops=metrics)


def made(devices, **how):
    replicated = tf.contrib.estimator.replicate_model_fn(model, devices=devices, **how)
    return tf.estimator.Estimator(replicated).train(data, steps=5)


def test_two_towers_are_as_one():
    one, two = made(["/cpu:0"]), made(TWO)
    for name in ("line/kernel", "table"):
        np.testing.assert_allclose(one.get_variable_value(name), two.get_variable_value(name), rtol=1e-5)
    expected, found = one.evaluate(data, steps=2), two.evaluate(data, steps=2)
    assert {k: pytest.approx(v, rel=1e-5) for k, v in expected.items()} == found
    told = [np.array([row["told"] for row in e.predict(lambda: tf.data.Dataset.from_tensors(X))]) for e in (one, two)]
    np.testing.assert_allclose(told[0], told[1], rtol=1e-5)


def test_sums_of_losses():
    once, twice = made(TWO), made(TWO, loss_reduction=tf.losses.Reduction.SUM)
    first, second = once.evaluate(data, steps=1), twice.evaluate(data, steps=1)
    assert once.get_variable_value("line/kernel") != twice.get_variable_value("line/kernel")
    assert first["loss"] != second["loss"]


def test_what_can_not_be():
    with pytest.raises(ValueError, match="need to be reduced"):
        tf.contrib.estimator.replicate_model_fn(model, loss_reduction=tf.losses.Reduction.NONE)

    def plain(features, labels, mode):
        loss = tf.losses.mean_squared_error(labels, tf.layers.dense(features, 1))
        train = tf.train.GradientDescentOptimizer(0.1).minimize(loss, tf.train.get_global_step())
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train)

    replicated = tf.contrib.estimator.replicate_model_fn(plain, devices=TWO)
    with tf.Graph().as_default():
        tf.train.create_global_step()
        with pytest.raises(ValueError, match="wrap optimizers with TowerOptimizer"):
            replicated(*data(), "train")
    with tf.Graph().as_default(), pytest.raises(ValueError, match="Batch size 7 needs to be divisible"):
        replicated(tf.constant(X[1:]), tf.constant(Y[1:]), "train")


def test_several_heads_have_their_names_in_front_of_what_is_served():
    heads = [tf.contrib.estimator.regression_head(name=name) for name in ("a", "b")]
    both = tf.contrib.estimator.multi_head(heads, head_weights=[1.0, 3.0])
    logits = {"a": tf.constant([[1.0]]), "b": tf.constant([[2.0]])}
    served = both.create_estimator_spec({}, "infer", logits).export_outputs
    assert set(served) == {
        "serving_default",
        "predict",
        "a",
        "a/predict",
        "a/regression",
        "b",
        "b/predict",
        "b/regression",
    }
    loss = both.create_loss({}, "eval", logits, {"a": tf.constant([[0.0]]), "b": tf.constant([[0.0]])})
    with tf.Session() as session:
        assert session.run([loss.training_loss, loss.unreduced_loss["b"]]) == [13.0, [[12.0]]]
