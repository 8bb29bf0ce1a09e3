"""What Keras 2.3 takes from tf.keras.backend, without that library."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compat import keras_backend as K
from thalweg._src.compat import keras_library
from thalweg._src.compat.internals import keras_tensors


@pytest.fixture(autouse=True)
def fresh():
    K.clear_session()
    yield
    K.clear_session()


def test_names_and_phase_belong_to_the_graph():
    assert [K.get_uid("dense"), K.get_uid("dense"), K.get_uid("lstm")] == [1, 2, 1]
    phase = K.learning_phase()
    assert phase is K.learning_phase()
    assert phase.name == "keras_learning_phase:0"
    assert phase.dtype == tf.bool
    with tf.Graph().as_default():
        assert K.get_uid("dense") == 1
        K.set_learning_phase(1)
        assert K.learning_phase() == 1
    assert K.learning_phase() is phase
    with pytest.raises(ValueError, match="0 or 1"):
        K.set_learning_phase(2)


def test_settings():
    assert (K.floatx(), K.epsilon(), K.image_data_format()) == ("float32", 1e-7, "channels_last")
    K.set_floatx("float64")
    try:
        assert K.cast_to_floatx([1]).dtype == np.float64
        assert K.constant(1).dtype == tf.float64
        assert K.placeholder(ndim=2).dtype == tf.float64
    finally:
        K.set_floatx("float32")
    with pytest.raises(ValueError, match="float8"):
        K.set_floatx("float8")


def test_variables_are_initialized_when_the_session_is_asked_for():
    v, w = K.variable([1.0, 2.0]), K.variable(3)
    K.batch_set_value([(v, [4, 5]), (w, 6)])
    K.set_value(w, 7)
    values = K.batch_get_value([v, w])
    assert values[0].tolist() == [4.0, 5.0]
    assert values[1] == 7
    assert K.batch_get_value([]) == []
    with tf.Session() as session:
        assert K.get_session() is session


def test_function_feeds_updates_and_tells_what_it_fetched():
    x, y = K.placeholder(shape=(2,)), K.placeholder(ndim=0)
    v = K.variable(1.0)
    factor, seen = {y: 2.0}, []
    f = K.function([x], [x * y, v], updates=[(v, v + 1)], fetches=[v * 10.0], feed_dict=factor)
    f.fetch_callbacks[f.fetches[0]] = seen.append
    assert f([np.array([1, 2])])[0].tolist() == [2.0, 4.0]
    factor[y] = 3.0
    assert f([tf.constant([1.0, 2.0])])[0].tolist() == [3.0, 6.0]
    assert len(seen) == 2
    assert K.batch_get_value([v]) == [3.0]
    with pytest.raises(TypeError, match="list or tuple"):
        K.function([x], [x], updates=v)
    with pytest.raises(ValueError, match="nonsense"):
        K.function([x], [x], nonsense=1)


def walk(x, mask, backwards, zero):
    """The running sum of steps that count, by NumPy: outputs, and the last state."""
    state, output, outputs = np.zeros_like(x[:, 0]), np.zeros_like(x[:, 0]), []
    for t in range(x.shape[1])[:: -1 if backwards else 1]:
        m = mask[:, t, None]
        state = np.where(m, state + x[:, t], state)
        output = np.where(m, 2 * state, 0 if zero else output)
        outputs.append(output)
    return np.stack(outputs, 1), state


@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize(("backwards", "zero"), [(False, False), (True, False), (False, True)])
def test_rnn_keeps_state_and_output_where_it_is_masked(unroll, backwards, zero):
    x = np.random.RandomState(0).rand(3, 5, 2).astype("float32")
    mask = np.array([[1, 1, 0, 1, 0], [0, 1, 1, 1, 1], [1, 0, 0, 0, 0]], bool)

    def step(x, states):
        state = states[0] + x
        return 2 * state, [state]

    start = [tf.zeros([3, 2])]
    last, outputs, (state,) = K.rnn(
        step, tf.constant(x), start, backwards, tf.constant(mask), unroll=unroll, zero_output_for_mask=zero
    )
    assert outputs.shape.as_list() == [3, 5, 2]
    got = K.get_session().run([last, outputs, state])
    expected, end = walk(x, mask, backwards, zero)
    np.testing.assert_allclose(got[1], expected, rtol=1e-6)
    np.testing.assert_allclose(got[0], expected[:, -1], rtol=1e-6)
    np.testing.assert_allclose(got[2], end, rtol=1e-6)


def test_rnn_wants_steps_to_unroll_and_states_to_mask():
    open_ended = K.placeholder(shape=(3, None, 2))
    with pytest.raises(ValueError, match="fixed number"):
        K.rnn(lambda x, s: (x, s), open_ended, [], unroll=True)
    with pytest.raises(ValueError, match="No initial states"):
        K.rnn(lambda x, s: (x, s), open_ended, [], mask=K.placeholder(shape=(3, None)))


def test_cross_entropies_of_probabilities_and_of_logits_agree():
    logits = np.random.RandomState(1).randn(4, 3).astype("float32")
    classes = np.array([0, 2, 1, 1])
    onehot = np.eye(3, dtype="float32")[classes]
    soft, plain = tf.nn.softmax(logits), tf.identity(tf.nn.softmax(logits))
    several = [
        K.categorical_crossentropy(onehot, soft),
        K.categorical_crossentropy(onehot, plain),
        K.categorical_crossentropy(onehot, tf.constant(logits), from_logits=True),
        K.sparse_categorical_crossentropy(tf.constant(classes), soft),
        K.sparse_categorical_crossentropy(tf.constant(classes)[:, None], plain),
        K.sparse_categorical_crossentropy(tf.constant(classes), tf.transpose(plain), axis=0),
    ]
    expected = -np.log(np.exp(logits) / np.exp(logits).sum(1, keepdims=True))[np.arange(4), classes]
    for got in K.get_session().run(several):
        np.testing.assert_allclose(got, expected, rtol=1e-4)
    binary = [K.binary_crossentropy(onehot, s) for s in (tf.sigmoid(logits), tf.identity(tf.sigmoid(logits)))]
    one, other = K.get_session().run(binary)
    np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)


def test_random_numbers():
    drawn = [
        K.random_binomial([500], 0.3, seed=1),
        K.random_uniform([500], 2.0, 3.0),
        K.random_normal([500], 5.0, seed=1),
        K.truncated_normal([500], seed=1),
        K.hard_sigmoid(tf.constant([-9.0, 0.0, 9.0])),
    ]
    ones, uniform, normal, cut, hard = K.get_session().run(drawn)
    assert set(ones) == {0.0, 1.0}
    assert 0.2 < ones.mean() < 0.4
    assert uniform.min() >= 2
    assert uniform.max() < 3
    assert 4.7 < normal.mean() < 5.3
    assert abs(cut).max() <= 2
    assert hard.tolist() == [0.0, 0.5, 1.0]


def test_what_depends_on_an_input():
    x, other = K.placeholder(ndim=1), K.placeholder(ndim=1)
    y = x * 2.0 + 1.0
    found = keras_tensors.get_reachable_from_inputs([x], targets=[y])
    assert y in found
    assert other not in found
    assert other * 2.0 not in keras_tensors.get_reachable_from_inputs([x])


def test_which_keras_leans_on_it(monkeypatch):
    monkeypatch.setattr(keras_library.importlib.metadata, "version", lambda name: "2.3.1")
    monkeypatch.delitem(keras_library.sys.modules, "keras", raising=False)
    assert keras_library.leans_on_tensorflow()
    assert tf.keras.backend is K
