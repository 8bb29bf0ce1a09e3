"""Layers and models of tf.keras that are called: at once, with `training=`, and as checkpoints save them."""

import importlib.metadata
import importlib.util

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.core import eager

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("keras") is None or not importlib.metadata.version("keras").startswith("2.2."),
        reason="Keras 2.2.4 is not installed",
    ),
    pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning"),
]


@pytest.fixture
def keras():
    yield tf.keras
    tf.keras.backend.clear_session()


def network(keras, **first):
    kernels = {"kernel_initializer": "ones"}
    return keras.Sequential(
        [keras.layers.Dense(4, **kernels, **first), keras.layers.Dropout(0.5), keras.layers.Dense(2, **kernels)]
    )


def test_a_model_in_a_graph_is_told_whether_it_trains(keras):
    model = network(keras, input_shape=(3,))
    x = tf.ones([64, 3])
    trained, tested, flagged = model(x, training=True), model(x, training=False), model(x, training=x[0, 0] < 0.0)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        dropped, whole, other = sess.run([trained, tested, flagged])
    assert np.all(whole == 12)
    assert np.all(other == 12)
    assert len(np.unique(dropped)) > 2
    assert not model.layers[1].__dict__.get("call")  # nothing of it stays


def test_models_that_run_at_once(keras):
    with eager.eager_mode():
        for model in (network(keras), network(keras, input_shape=(3,))):
            assert model(tf.ones([5, 3])).numpy().tolist() == [[12.0, 12.0]] * 5
            assert len(np.unique(model(tf.ones([64, 3]), training=True).numpy())) > 2
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(model(tf.ones([2, 3]), training=False))
            gradients = tape.gradient(loss, model.trainable_variables)
            assert [g.shape.as_list() for g in gradients] == [[3, 4], [4], [4, 2], [2]]
            for layer in model.layers:
                assert len(layer._inbound_nodes) == 1  # only the call that built the model was noted down


def test_a_model_of_two_inputs_that_runs_at_once(keras):
    with eager.eager_mode():
        a, b = keras.Input((3,)), keras.Input((3,))
        shared = keras.layers.Dense(2, kernel_initializer="ones")
        model = keras.Model([a, b], keras.layers.add([shared(a), shared(b)]))
        assert model([tf.ones([1, 3]), 2.0 * tf.ones([1, 3])]).numpy().tolist() == [[9.0, 9.0]]


def test_recurrent_and_normalizing_layers_run_at_once(keras):
    with eager.eager_mode():
        outputs, state = keras.layers.GRU(4, return_sequences=True, return_state=True)(tf.ones([2, 3, 5]))
        np.testing.assert_array_equal(outputs[:, -1].numpy(), state.numpy())
        norm = keras.layers.BatchNormalization(momentum=0.5)
        norm(tf.constant([[2.0], [4.0]]), training=True)
        assert norm.moving_mean.numpy()[0] > 0
        assert norm.updates == []


def test_what_checkpoints_save_of_models(keras, tmp_path):
    class Two(keras.Model):
        def __init__(self):
            super().__init__()
            self.first = keras.layers.Dense(2)
            self.parts = network(keras, input_shape=(2,))

        def call(self, x):
            return self.parts(self.first(x))

    with eager.eager_mode():
        model, x = Two(), tf.ones([1, 3])
        before = model(x).numpy()
        path = tf.train.Checkpoint(model=model).save(str(tmp_path / "c"))
        names = {name for name, _ in tf.train.list_variables(path)}
        other = Two()
        other(x)
        tf.train.Checkpoint(model=other).restore(path).assert_consumed()
        np.testing.assert_array_equal(other(x).numpy(), before)
    suffix = "/.ATTRIBUTES/VARIABLE_VALUE"
    kept = {"first/kernel", "parts/layer_with_weights-1/bias"}
    assert {f"model/{name}{suffix}" for name in kept} <= names


def test_a_layer_of_both_families(keras):
    """EfficientNet and others derive from a layer of Keras and from tf.layers.Layer at once."""

    class Depthwise(keras.layers.DepthwiseConv2D, tf.layers.Layer):
        pass

    with tf.Graph().as_default(), tf.Session() as sess:
        layer = Depthwise([3, 3], depthwise_initializer=tf.ones_initializer(), padding="same", use_bias=False)
        y = layer(tf.ones([1, 4, 4, 2]))
        assert isinstance(layer, tf.layers.Layer)
        assert layer.trainable
        (w,) = tf.trainable_variables()
        assert w.name.startswith(f"{layer.name}/depthwise_kernel")
        keras.backend.set_session(sess)
        sess.run(tf.global_variables_initializer())
        assert sess.run(y)[0, 1, 1].tolist() == [9.0, 9.0]


def test_weights_as_tf_keras_adds_them(keras):
    def ones(shape, dtype=None, partition_info=None):
        return tf.ones(shape, dtype)

    class Own(keras.layers.Layer):
        def build(self, input_shape):
            self.a = self.add_weight("a", shape=[input_shape[-1], 4], use_resource=False)
            self.b = self.add_variable("b", [4], initializer=ones, dtype=tf.float32)
            self.n = self.add_weight(name="n", dtype=tf.int32, trainable=False)
            self.built = True

        def call(self, x):
            return tf.matmul(x, self.a) + self.b

    with tf.Graph().as_default(), tf.Session() as sess:
        layer = Own()
        y = layer(tf.ones([2, 3]))
        keras.backend.set_session(sess)
        sess.run(tf.global_variables_initializer())
        assert sess.run(y).shape == (2, 4)
        assert 0 < np.abs(sess.run(layer.a)).max() < 1  # Glorot's
        assert sess.run([layer.b, layer.n])[0].tolist() == [1.0] * 4
        assert (layer.n.shape.ndims, layer.n.dtype.base_dtype) == (0, tf.int32)
        assert layer.trainable_weights == [layer.a, layer.b]


def steps(keras, x, y, train):
    """The losses of two rounds over the same model, which `train` begins."""
    kernel = keras.initializers.Constant(0.1)
    model = keras.Sequential(
        [
            keras.layers.Dense(3, "tanh", input_shape=(4,), kernel_initializer=kernel),
            keras.layers.Dense(1, kernel_initializer=kernel),
        ]
    )
    model.compile(tf.train.AdamOptimizer(0.1), "mse", metrics=["mae"])
    return model, train(model, x, y).history


def by_arrays(model, x, y):
    return model.fit(x, y, 5, epochs=2, verbose=0, shuffle=False, validation_data=(x, y))


def by_dataset(model, x, y):
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(5)
    return model.fit(data, epochs=2, verbose=0, validation_data=data)


def by_iterator(model, x, y):
    data = tf.data.Dataset.from_tensor_slices((x, y)).batch(5).repeat()
    walk = iter(data) if tf.executing_eagerly() else data.make_one_shot_iterator()
    return model.fit(walk, epochs=2, steps_per_epoch=2, verbose=0, validation_data=data, validation_steps=2)


@pytest.mark.parametrize("train", [by_arrays, by_dataset, by_iterator])
@pytest.mark.parametrize("at_once", [True, False])
def test_a_model_is_compiled_and_fits_at_once_and_in_a_graph(keras, train, at_once):
    x = np.arange(40, dtype=np.float32).reshape(10, 4) / 40
    y = x.sum(axis=1, keepdims=True)
    with eager.eager_mode() if at_once else tf.Graph().as_default():
        model, history = steps(keras, x, y, train)
        np.testing.assert_allclose(history["loss"], [3.8220328, 1.8975485], rtol=1e-4)  # TensorFlow 1.15's
        np.testing.assert_allclose(history["val_loss"][-1], model.evaluate(x, y, verbose=0)[0], rtol=1e-4)
        data = tf.data.Dataset.from_tensor_slices((x, y)).batch(5)
        assert model.predict(data, steps=1).shape == (5, 1)
        weights = model.get_weights()
        model.set_weights([0 * w for w in weights])
        assert not model.predict(x).any()


def test_a_model_of_ones_own_fits_at_once(keras):
    class Line(keras.Model):
        def __init__(self):
            super().__init__()
            self.line = keras.layers.Dense(1, kernel_initializer="zeros")

        def call(self, x):
            return self.line(x)

    with eager.eager_mode():
        model = Line()
        model.compile(keras.optimizers.SGD(0.5), "mse")
        model.fit(np.ones([4, 2]), np.ones([4, 1]), epochs=1, verbose=0)
        assert model.line.kernel.numpy().tolist() == [[1.0], [1.0]]
        assert model(np.ones([1, 2], np.float32)).numpy().tolist() == [[3.0]]


def test_batch_normalization_at_once_averages_when_it_trains(keras):
    x = np.array([[1.0], [3.0]], np.float32)
    with eager.eager_mode():
        layer = keras.layers.BatchNormalization(momentum=0.5)
        layer(x)
        assert layer.moving_mean.numpy().tolist() == [0.0]
        layer(x, training=True)
        layer(x, training=True)
        assert layer.moving_mean.numpy().tolist() == [1.5]
