"""TPU estimators and computations, as one shard on the device of this process, and cluster resolvers."""

import json

import numpy as np
import pytest

import thalweg as tf
from thalweg.contrib import cluster_resolver, tpu

told = []


def input_fn(params):
    told.append(params["batch_size"])
    x = np.float32([[1], [2], [3], [4]])
    return tf.data.Dataset.from_tensor_slices((x, 2 * x)).repeat(4).batch(params["batch_size"], drop_remainder=True)


def model_fn(features, labels, mode, params):
    w = tf.get_variable("w", [1, 1], initializer=tf.zeros_initializer())
    out = tf.matmul(features, w)
    if mode == tf.estimator.ModeKeys.PREDICT:
        return tpu.TPUEstimatorSpec(mode, predictions={"out": out})
    loss = tf.reduce_mean(tf.square(out - labels))
    optimizer = tpu.CrossShardOptimizer(tf.train.GradientDescentOptimizer(0.05))
    train = optimizer.minimize(loss, tf.train.get_or_create_global_step())

    def host(step):
        return [
            tf.assign_add(tf.get_variable("calls", [], initializer=tf.zeros_initializer(), trainable=False), step[0])
        ]

    def metrics(out, labels):
        return {"mae": tf.metrics.mean_absolute_error(labels, out)}

    return tpu.TPUEstimatorSpec(
        mode, loss=loss, train_op=train, eval_metrics=(metrics, [out, labels]), host_call=(host, [tf.ones([1])])
    )


def test_an_estimator_trains_evaluates_and_predicts(tmp_path):
    told.clear()
    config = tpu.RunConfig(model_dir=str(tmp_path), tpu_config=tpu.TPUConfig(iterations_per_loop=3, num_shards=8))
    estimator = tpu.TPUEstimator(
        model_fn, config=config, use_tpu=False, train_batch_size=4, eval_batch_size=2, predict_batch_size=1
    )
    estimator.train(input_fn, max_steps=4)
    assert estimator.get_variable_value("calls") == 4
    assert estimator.evaluate(input_fn, steps=2)["mae"] < 1.0
    first = next(iter(estimator.predict(input_fn)))
    assert abs(first["out"][0] - 2) < 0.3
    assert told == [4, 2, 1]


def test_what_does_not_fit_together():
    config = tpu.RunConfig()
    with pytest.raises(ValueError, match="reserved keys"):
        tpu.TPUEstimator(model_fn, config=config, use_tpu=False, params={"batch_size": 3})
    with pytest.raises(ValueError, match="must be provided with type"):
        tpu.TPUEstimator(model_fn, config=tf.estimator.RunConfig())
    with pytest.raises(ValueError, match="`train_batch_size` cannot be `None`"):
        tpu.TPUEstimator(model_fn, config=config)
    with pytest.raises(ValueError, match="must be positive"):
        tpu.TPUConfig(iterations_per_loop=0)
    with pytest.raises(ValueError, match="tuple of length 2"):
        tpu.TPUEstimatorSpec("train", eval_metrics=lambda: 0)
    with pytest.raises(ValueError, match="Unsupported reduction"):
        tpu.CrossShardOptimizer(tf.train.GradientDescentOptimizer(1.0), "none")


def test_settings():
    config = tpu.RunConfig(master="grpc://a:1", save_summary_steps=7)
    assert (config.master, config.evaluation_master, config.save_summary_steps) == ("grpc://a:1", "grpc://a:1", 7)
    other = config.replace(tpu_config=tpu.TPUConfig(num_shards=2), save_summary_steps=8)
    assert (other.tpu_config.num_shards, other.save_summary_steps, config.tpu_config.num_shards) == (2, 8, None)
    assert tpu.TPUConfig().per_host_input_for_training == tpu.InputPipelineConfig.PER_HOST_V1


def test_computations():
    with tf.Graph().as_default(), tf.Session() as sess:
        x = tf.constant([1.0, 2.0])
        (doubled,) = tpu.rewrite(lambda v: [tpu.cross_replica_sum(2 * v)], [x])
        (halved,) = tpu.batch_parallel(lambda v: v / 2, [x], num_shards=1)
        (grown,) = tpu.repeat(3, lambda v: v + v, [x])
        assert [v.tolist() for v in sess.run([doubled, halved, grown])] == [[2, 4], [0.5, 1], [8, 16]]
        sess.run([tpu.initialize_system(), tpu.shutdown_system()])
        with tpu.bfloat16_scope():
            v = tf.get_variable("v", [2], tf.bfloat16)
        assert v.dtype == tf.bfloat16
        assert tf.global_variables()[0].dtype.base_dtype == tf.float32
        with pytest.raises(tf.errors.UnimplementedError, match="one"):
            tpu.shard(lambda v: v, [x], num_shards=2)


def test_resolvers(monkeypatch):
    spec = tf.train.ClusterSpec({"worker": ["a:1", "b:2"]})
    simple = cluster_resolver.SimpleClusterResolver(spec, "grpc://m", rpc_layer="grpc")
    assert (simple.master(), simple.master("worker", 1)) == ("grpc://m", "grpc://b:2")
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": spec.as_dict(), "task": {"type": "worker", "index": 1}}))
    assert tf.distribute.cluster_resolver.TFConfigClusterResolver().master() == "b:2"
    assert cluster_resolver.TPUClusterResolver("").master() == ""
    assert cluster_resolver.TPUClusterResolver("grpc://c:3").cluster_spec().as_dict() == {"worker": ["c:3"]}
    with pytest.raises(tf.errors.UnimplementedError, match="looked up"):
        cluster_resolver.TPUClusterResolver("my-tpu", zone="z").master()
