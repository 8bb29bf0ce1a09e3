"""tf.keras: the real Keras on thalweg. What needs it is skipped where Keras 2.2.4 is not installed."""

import importlib.metadata
import importlib.util
import subprocess
import sys

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compat import hook, keras_library
from thalweg._src.compat.internals import framework_ops


def version():
    try:
        return importlib.metadata.version("keras")
    except importlib.metadata.PackageNotFoundError:
        return ""


needs_keras = pytest.mark.skipif(not version().startswith("2.2."), reason="Keras 2.2.4 is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::SyntaxWarning", "ignore::DeprecationWarning")


@pytest.fixture
def keras():
    yield tf.keras
    tf.keras.backend.clear_session()


def numbers():
    random = np.random.RandomState(0)
    x = random.rand(48, 8).astype("float32")
    return x, (x.sum(1) > 4).astype("int32")


@pytest.mark.skipif(importlib.util.find_spec("keras") is not None, reason="Keras is installed")
def test_without_keras_the_error_says_what_to_install():
    assert dir(tf.keras) == []
    with pytest.raises(ModuleNotFoundError, match=r"pip install.*keras==2\.2\.4"):
        tf.keras.layers  # noqa: B018
    before = hook.installed()
    hook.install()
    try:
        with pytest.raises(ModuleNotFoundError, match=r"keras==2\.2\.4"):
            importlib.import_module("tensorflow.python.keras.layers")
    finally:
        if not before:
            hook.uninstall()


@pytest.mark.parametrize("newer", ["2.4.3", "2.15.0", "3.4.1", "1.2.2"])
def test_another_keras_is_refused(newer):
    with pytest.raises(ModuleNotFoundError, match=rf"Keras {newer} is installed.*keras==2\.2\.4"):
        keras_library.check_version(newer)


def test_what_counts_as_a_tensor():
    with tf.Graph().as_default():
        tensor, variable = tf.constant(1.0, name=None), tf.Variable(1.0)
        sparse = tf.SparseTensor([[0]], [1.0], [2])
    assert tensor.op.name == "Const"
    assert isinstance(tensor, framework_ops._TensorLike)
    assert isinstance(sparse, framework_ops._TensorLike)
    assert not isinstance(variable, framework_ops._TensorLike)
    assert framework_ops.is_dense_tensor_like(variable)
    assert not framework_ops.is_dense_tensor_like(sparse)

    class Ours:
        name = dtype = property(lambda self: "ours")

    assert not framework_ops.is_dense_tensor_like(Ours())
    framework_ops.register_dense_tensor_like_type(Ours)
    assert framework_ops.is_dense_tensor_like(Ours())
    with pytest.raises(TypeError, match="does not define a `name` property"):
        framework_ops.register_dense_tensor_like_type(int)


def test_a_graph_tells_the_device_of_the_blocks_around():
    class Captured:
        device = None

        def _set_device(self, device):
            self.device = device

    with tf.Graph().as_default() as graph:
        op = Captured()
        graph._apply_device_functions(op)
        assert op.device is None
        with tf.device("/job:a"), tf.device("/cpu:0"):
            graph._apply_device_functions(op)
    assert (op.device.job, op.device.device_type, op.device.device_index) == ("a", "CPU", 0)


def test_bytes_of_an_h5_file_stay_bytes(tmp_path):
    pytest.importorskip("h5py")
    program = (
        "import h5py, sys\n"
        "f = h5py.File(sys.argv[1], 'w')\n"
        "f.attrs['bytes'], f.attrs['text'] = b'abc', 'déf'\n"
        "f['d'] = [1, 2]\n"
        "assert f.attrs['bytes'] == b'abc' and f.attrs.get('bytes') == b'abc' and f.attrs['text'] == 'déf'\n"
        "f.attrs['list'] = [b'a', b'bc']\n"
        "assert f.attrs['list'].dtype == 'S2'\n"
        "f.attrs.create('objects', ['a', 'bc'], dtype=h5py.string_dtype('ascii'))\n"
        "assert f.attrs['objects'].tolist() == [b'a', b'bc']\n"
        "assert f['d'].value.tolist() == [1, 2]\n"
        "f.close()\n"
        "with h5py.File(sys.argv[1]) as f:\n"
        "    f['e'] = 3\n"
        "assert h5py.File('none', driver='core', backing_store=False).mode == 'r+'\n"
    )
    (tmp_path / "p.py").write_text(program, encoding="utf-8")
    run = [sys.executable, "-m", "thalweg", "run", str(tmp_path / "p.py"), str(tmp_path / "f.h5")]
    subprocess.run(run, check=True, timeout=120)


@needs_keras
def test_a_perceptron_learns(keras):
    x, y = numbers()
    model = keras.Sequential(
        [
            keras.layers.Dense(16, activation="relu", input_shape=(8,)),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(lr=0.02), "binary_crossentropy", metrics=["accuracy"])
    losses = model.fit(x, y, epochs=12, batch_size=16, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    assert model.evaluate(x, y, verbose=0)[1] > 0.6
    assert model.predict(x).shape == (48, 1)


@needs_keras
def test_dense_layers_compute_what_numpy_does(keras):
    x, _ = numbers()
    inputs = keras.layers.Input((8,))
    hidden = keras.layers.Dense(5, activation="tanh", kernel_regularizer=keras.regularizers.l2(0.1))(inputs)
    model = keras.Model(inputs, keras.layers.Dense(2, use_bias=False)(hidden))
    w, b, v = model.get_weights()
    np.testing.assert_allclose(model.predict(x), np.tanh(x @ w + b) @ v, rtol=1e-5, atol=1e-6)
    model.compile(tf.train.GradientDescentOptimizer(0.0), "mse")
    expected = np.mean((np.tanh(x @ w + b) @ v) ** 2) + 0.1 * np.sum(w**2)
    np.testing.assert_allclose(model.train_on_batch(x, np.zeros((48, 2))), expected, rtol=1e-4)


@needs_keras
@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
def test_recurrent_layers_follow_a_mask(keras, kind):
    ids = np.array([[3, 4, 0, 0], [1, 2, 5, 6]])
    layers = keras.layers
    model = keras.Sequential([layers.Embedding(9, 3, mask_zero=True), getattr(layers, kind)(4), layers.Dense(1)])
    model.compile("rmsprop", "mse")
    model.fit(ids, np.ones(2), epochs=1, verbose=0)
    np.testing.assert_allclose(model.predict(ids[:1, :2]), model.predict(ids[:1]), rtol=1e-5)


@needs_keras
def test_a_convolutional_network_trains_and_is_rebuilt_from_its_json(keras):
    layers = keras.layers
    images, labels = np.random.RandomState(1).rand(8, 10, 10, 1), np.eye(3)[np.arange(8) % 3]
    model = keras.Sequential(
        [
            layers.Conv2D(4, 3, activation="relu", input_shape=(10, 10, 1)),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Conv2DTranspose(2, 2),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile("sgd", "categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, labels, verbose=0)
    again = keras.models.model_from_json(model.to_json())
    again.set_weights(model.get_weights())
    np.testing.assert_allclose(again.predict(images), model.predict(images), rtol=1e-5)


@needs_keras
def test_callbacks_run(keras, tmp_path):
    x, y = numbers()
    model = keras.Sequential([keras.layers.Dense(1, input_shape=(8,))])
    model.compile("adam", "mse")
    c, rates = keras.callbacks, []
    schedule = c.LearningRateScheduler(lambda epoch: rates.append(epoch) or 0.01)
    model.fit(x, y, epochs=2, verbose=0, callbacks=[schedule, c.TensorBoard(str(tmp_path)), c.EarlyStopping("loss")])
    assert rates == [0, 1]
    assert list(tmp_path.iterdir())


@needs_keras
def test_keras_is_served_without_leaving_the_hook(tmp_path):
    program = (
        "import sys, thalweg as tf\n"
        "assert 'keras' not in sys.modules\n"
        "tf.keras.backend.eval(tf.keras.backend.ones((2, 3)))\n"
        "assert 'tensorflow' not in sys.modules\n"
        "try:\n    import tensorflow\nexcept ImportError:\n    print('none')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.endswith("none\n")


@needs_keras
def test_every_path_leads_to_the_same_layers(tmp_path):
    program = (
        "import tensorflow as tf, keras\n"
        "from tensorflow.keras.layers import Dense\n"
        "from tensorflow.python.keras.layers.core import Dense as internal\n"
        "import tensorflow.contrib.keras as contrib\n"
        "assert Dense is internal is contrib.layers.Dense is tf.keras.layers.Dense is keras.layers.Dense\n"
    )
    (tmp_path / "p.py").write_text(program)
    subprocess.run([sys.executable, "-m", "thalweg", "run", str(tmp_path / "p.py")], check=True, timeout=120)


@needs_keras
def test_a_data_set_that_cannot_be_fetched_says_where_to_put_it(keras, tmp_path):
    with pytest.raises(Exception, match=r"put the file of http://127.0.0.1:9/a.npz at .*sub.a\.npz"):
        keras.utils.get_file("a.npz", "http://127.0.0.1:9/a.npz", cache_dir=str(tmp_path), cache_subdir="sub")


@needs_keras
def test_layers_name_their_variables(keras):
    class Scale(keras.layers.Layer):
        def build(self, shape):
            self.factor = self.add_variable("factor", (1,), initializer="ones")
            super().build(shape)

        def call(self, inputs):
            return inputs * self.factor

    class Pair(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.scale = keras.layers.Dense(2), Scale()

        def call(self, inputs):
            return self.scale(self.dense(inputs))

    model = Pair()
    output = model(tf.placeholder(tf.float32, (None, 3)))
    assert output.shape.as_list() == [None, 2]
    assert [v.shape.as_list() for v in model.trainable_variables] == [[3, 2], [2], [1]]
    assert model.variables == model.weights


@needs_keras
def test_a_layer_without_compute_output_shape_has_the_shape_of_its_tensor(keras):
    class Twice(keras.layers.Layer):
        def call(self, inputs):
            return keras.backend.concatenate([inputs, inputs])

    inputs = keras.layers.Input((3,))
    doubled = Twice()(inputs)
    assert keras.backend.int_shape(doubled) == (None, 6)
    assert keras.Model(inputs, keras.layers.Dense(2)(doubled)).count_params() == 14


@needs_keras
def test_a_model_is_saved_and_loaded(tmp_path):
    pytest.importorskip("h5py")
    program = (
        "import sys, numpy as np, keras\n"
        "layers = [keras.layers.Dense(4, input_shape=(8,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)]\n"
        "model = keras.models.Sequential(layers)\n"
        "model.compile('adam', 'mse')\n"
        "x = np.random.rand(6, 8)\n"
        "model.fit(x, np.zeros(6), verbose=0)\n"
        "model.save(sys.argv[1])\n"
        "again = keras.models.load_model(sys.argv[1])\n"
        "np.testing.assert_allclose(again.predict(x), model.predict(x), rtol=1e-5)\n"
        "assert again.optimizer.get_config() == model.optimizer.get_config()\n"
        "model.save_weights(sys.argv[2])\n"
        "again.load_weights(sys.argv[2])\n"
    )
    (tmp_path / "p.py").write_text(program)
    files = [str(tmp_path / "m.h5"), str(tmp_path / "w.h5")]
    subprocess.run([sys.executable, "-m", "thalweg", "run", str(tmp_path / "p.py"), *files], check=True, timeout=120)


@needs_keras
def test_distributions_that_only_tf_keras_knows(keras):
    drawn = keras.initializers.VarianceScaling(2.0, distribution="untruncated_normal", seed=1)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        weights = sess.run(drawn((40, 50), tf.float32))
    assert weights.std() == pytest.approx((2 / 40) ** 0.5, rel=0.1)
    assert abs(weights).max() > 2.2 * weights.std()  # nothing is cut off
    assert drawn.get_config()["distribution"] == "untruncated_normal"
    with pytest.raises(ValueError, match="distribution"):
        keras.initializers.VarianceScaling(distribution="other")


@needs_keras
@pytest.mark.parametrize("named", [False, True])
def test_a_model_as_an_estimator(keras, tmp_path, named):
    x, y = numbers()
    layers = [keras.layers.Dense(16, "relu", input_shape=(8,), name="first"), keras.layers.BatchNormalization()]
    model = keras.Sequential([*layers, keras.layers.Dense(1, activation="sigmoid", name="last")])
    model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
    before = model.predict(x)
    estimator = tf.keras.estimator.model_to_estimator(keras_model=model, model_dir=str(tmp_path))

    def batches(epochs=1):
        features = {model.input_names[0]: x} if named else x
        return tf.data.Dataset.from_tensor_slices((features, y)).repeat(epochs).batch(12)

    estimator.train(batches, steps=1)
    first = estimator.evaluate(batches)
    estimator.train(lambda: batches(40))
    last = estimator.evaluate(batches)
    assert last["global_step"] == 161
    assert last["loss"] < first["loss"]
    assert last["accuracy"] > 0.7
    (name,) = model.output_names
    after = np.array([p[name] for p in estimator.predict(batches)])
    assert after.shape == before.shape
    np.testing.assert_allclose(model.predict(x), before, rtol=1e-5)  # the model itself stays as it was
    saved = estimator.export_savedmodel(
        str(tmp_path / "out"),
        tf.estimator.export.build_raw_serving_input_receiver_fn(
            {model.input_names[0]: tf.placeholder(tf.float32, [None, 8])}
        ),
    )
    served = tf.contrib.predictor.from_saved_model(saved.decode() if isinstance(saved, bytes) else saved)
    np.testing.assert_allclose(served({model.input_names[0]: x})[name], after, rtol=1e-4, atol=1e-6)


def test_an_estimator_of_no_model_is_refused():
    from thalweg._src.compat import keras_estimator

    pytest.importorskip("keras")
    with pytest.raises(ValueError, match="not both"):
        keras_estimator.model_to_estimator()
