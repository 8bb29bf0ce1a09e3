"""Eager execution against TensorFlow 1.15: values, texts, errors, gradients, variables, functions, checkpoints."""

import gc
import gzip
import json
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))
from oracle.eager_programs import PROGRAMS

import thalweg as tf
from thalweg._src.core import eager
from thalweg._src.runtime.eager_session import session

GOLDEN = Path(__file__).parents[1] / "golden" / "eager-1.15.json.gz"
RECORDED = json.loads(gzip.decompress(GOLDEN.read_bytes()))


@pytest.fixture(autouse=True)
def eagerly(clean_start):
    """A program of its own in eager execution."""
    graph = eager.graph()
    graph.seed = None
    graph._collections.clear()
    graph._scratch.clear()
    with eager.eager_mode():
        yield
    graph.seed = None


def same(got, expected):
    if isinstance(expected, list):
        assert isinstance(got, list | tuple)
        assert len(got) == len(expected)
        for g, e in zip(got, expected, strict=True):
            same(g, e)
    elif isinstance(expected, float):
        assert got == pytest.approx(expected, rel=1e-4, abs=1e-5)
    else:
        assert got == expected


@pytest.mark.parametrize("name", sorted(PROGRAMS))
def test_program(name):
    same(PROGRAMS[name](tf, np), RECORDED[name])


def test_memory_stays_flat():
    x = tf.constant(np.ones(1000, np.float32))
    for _ in range(50):
        x = x * 1.0 + 0.0
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(500):
        x = x * 1.0 + 0.0
    assert len(gc.get_objects()) - before < 100


def test_values_go_without_the_garbage_collector():
    gc.disable()
    try:
        x = tf.constant([1.0, 2.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = x * 2.0
            gone = weakref.ref(y)
            z = tf.reduce_sum(y)
        del y
        tape.gradient(z, x)
        del tape
        assert gone() is None
        v = tf.Variable(3.0)
        key = v._unique_id
        assert key in session()._store.values
        del v
        assert key not in session()._store.values
    finally:
        gc.enable()


def test_arrays_of_the_caller_are_copied():
    a = np.ones(3, np.float32)
    x = tf.constant(a)
    a[0] = 5.0
    b = x.numpy()
    b[1] = 7.0
    assert x.numpy().tolist() == [1.0, 1.0, 1.0]


def test_a_value_outlives_the_assignment_after_it():
    v = tf.Variable(np.ones(3000, np.float32))
    add = tf.function(lambda: v.assign_add(np.ones(3000, np.float32)))
    before = v.read_value()
    add()
    add()
    assert before.numpy()[0] == 1.0
    assert v.numpy()[0] == 3.0


@pytest.mark.parametrize("size", [3, 5000])
def test_small_and_large_work_agree(size):
    a = np.linspace(-3, 3, size).astype(np.float32)
    for _ in range(3):  # NumPy at first, then an executable where it pays
        x = tf.constant(a)
        assert tf.nn.softplus(x).numpy() == pytest.approx(np.log1p(np.exp(a)), rel=1e-4, abs=1e-6)
        assert tf.reduce_sum(x * x).numpy() == pytest.approx(float((a * a).sum()), rel=1e-4)
        assert tf.gather(x, [0, size - 1]).numpy().tolist() == [a[0], a[-1]]


def test_checks_of_compiled_work_raise():
    x = tf.constant(np.ones((5000,), np.float32))
    for _ in range(3):
        with pytest.raises(tf.errors.InvalidArgumentError):
            tf.gather(x, [7000])


def test_many_slices_do_not_compile_each():
    x = tf.constant(np.arange(9000.0).reshape(3000, 3).astype(np.float32))
    assert [float(x[i][1]) for i in range(0, 3000, 50)] == [3.0 * i + 1 for i in range(0, 3000, 50)]


def test_a_function_of_python_effects_runs_them_once_for_each_kind_of_arguments():
    seen = []

    class Model:
        def __init__(self):
            self.w = tf.Variable(2.0)

        @tf.function
        def __call__(self, x, training=False):
            seen.append((x.shape.as_list(), training))
            return self.w * x

    model = Model()
    for x in (tf.constant(1.0), tf.constant(2.0), tf.constant([1.0])):
        model(x)
    model(tf.constant(3.0), training=True)
    assert seen == [([], False), ([1], False), ([], True)]
    assert float(model(tf.constant(4.0))) == 8.0


def test_dropout_in_a_function_has_one_mask_for_value_and_gradient():
    dropped = tf.function(lambda x: tf.nn.dropout(x * 3.0, 0.5))
    x = tf.ones([64])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = dropped(x)
    assert 0 < np.count_nonzero(y.numpy()) < 64
    assert tape.gradient(y, x).numpy().tolist() == y.numpy().tolist()


def test_summaries_are_written(tmp_path):
    tfs = tf.contrib.summary
    step = tf.train.get_or_create_global_step()
    writer = tfs.create_file_writer(str(tmp_path))
    with writer.as_default(), tfs.record_summaries_every_n_global_steps(2):
        for _ in range(4):
            step.assign_add(1)
            tfs.scalar("loss", tf.cast(step, tf.float32) * 2)
            with tfs.always_record_summaries(), tf.name_scope("always"):
                tfs.histogram("h", [1.0, 2.0])
    (file,) = tmp_path.iterdir()
    found = [(e.step, v.tag) for e in tf.train.summary_iterator(str(file)) for v in e.summary.value]
    assert found == [(1, "always/h"), (2, "loss"), (2, "always/h"), (3, "always/h"), (4, "loss"), (4, "always/h")]


def test_networks_hold_their_layers(tmp_path):
    tfe = tf.contrib.eager

    class Two(tfe.Network):
        def __init__(self):
            super().__init__(name="two")
            self.first = self.track_layer(tf.layers.Dense(3))
            self.second = self.track_layer(tf.layers.Dense(1))

        def call(self, x):
            return self.second(self.first(x))

    net, other = Two(), Two()
    x = tf.ones([1, 2])
    y = net(x)
    path = tfe.save_network_checkpoint(net, str(tmp_path / "net"))
    other(x)
    tfe.restore_network_checkpoint(other, path)
    assert float(other(x)) == float(y)
    assert len(net.trainable_variables) == 4
    stacked = tfe.Sequential([tf.layers.Dense(4), tf.nn.relu, tf.layers.Dense(1)])
    assert stacked(x).shape.as_list() == [1, 1]


def test_variables_restored_when_made(tmp_path):
    tfe = tf.contrib.eager
    path = tfe.Saver([tf.Variable([3.0], name="w")]).save(str(tmp_path / "m"))
    with tfe.restore_variables_on_create(path):
        assert tf.Variable([0.0], name="w").numpy().tolist() == [3.0]
        with pytest.raises(tf.errors.NotFoundError):
            tf.Variable([0.0], name="other")


def test_stores_share_variables_between_calls():
    container = tf.contrib.eager.EagerVariableStore()
    for _ in range(2):
        with container.as_default():
            tf.layers.dense(tf.ones([1, 2]), 3, name="l1")
    assert [v.name for v in container.variables()] == ["l1/bias:0", "l1/kernel:0"]
    assert len(container.trainable_variables()) == 2


def test_graphs_refuse_eager_tensors():
    x = tf.constant(1.0)
    with tf.Graph().as_default(), pytest.raises(RuntimeError, match="without building a function"):
        tf.add(x, 1.0)


def gradient_of(f, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x)


def test_functions_differentiate_what_they_capture_branch_on_and_stack():
    c = tf.constant([1.0, 2.0])
    times = tf.function(lambda x: x * c)
    assert gradient_of(lambda c: times(tf.constant(3.0)), c).numpy().tolist() == [3.0, 3.0]
    branch = tf.function(lambda x: tf.cond(x > 0, lambda: x * 2.0, lambda: -x))
    assert [float(gradient_of(branch, tf.constant(v))) for v in (3.0, -3.0)] == [2.0, -1.0]

    @tf.function
    def stacked(x):
        array = tf.TensorArray(tf.float32, 3)
        for i in range(3):
            array = array.write(i, x * i)
        return tf.reduce_sum(array.stack())

    assert float(gradient_of(stacked, tf.constant(2.0))) == 3.0
    table = tf.Variable(tf.ones([4, 2]))
    rows = tf.function(lambda i: tf.reduce_sum(tf.gather(table, i)))
    with tf.GradientTape() as tape:
        y = rows(tf.constant([1, 1]))
    g = tape.gradient(y, table)
    assert isinstance(g, tf.IndexedSlices)
    assert tf.convert_to_tensor(g).numpy().tolist() == [[0, 0], [2, 2], [0, 0], [0, 0]]


def test_functions_loop_and_branch_on_tensors():
    @tf.function
    def halved(x, limit):
        while x > limit:
            if x > 10.0:
                x = x / 4.0
            else:
                x = x / 2.0
        return x

    x = tf.constant(20.0)
    assert float(halved(x, 2.0)) == 1.25
    assert float(gradient_of(lambda x: halved(x, tf.constant(2.0)), x)) == 1 / 16


def test_functions_make_variables_once_and_return_structures():
    class Model:
        v = None

        @tf.function
        def __call__(self, x):
            if self.v is None:
                self.v = tf.Variable(2.0)
            return {"y": self.v * x, "x": [x]}, None

    model = Model()
    result, nothing = model(tf.constant(3.0))
    assert nothing is None
    assert float(result["y"]) == 6.0
    assert float(result["x"][0]) == 3.0
    assert float(model(tf.constant(4.0))[0]["y"]) == 8.0


def test_errors_of_functions_have_their_class():
    gather = tf.function(lambda x: tf.gather(x, [5]))
    with pytest.raises(tf.errors.InvalidArgumentError):
        gather(tf.constant([1, 2]))


def test_networks_of_the_tutorials_learn():
    tfe = tf.contrib.eager
    x = np.random.RandomState(0).randn(64, 4).astype(np.float32)
    labels = (x.sum(1) > 0).astype(np.int64)
    net = tfe.Sequential([tf.layers.Dense(8, activation=tf.nn.relu), tf.layers.Dense(2)])

    def loss(inputs, wanted):
        return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(logits=net(inputs), labels=wanted))

    optimizer, gradients = tf.train.AdamOptimizer(0.05), tfe.implicit_gradients(loss)
    data = tfe.Iterator(tf.data.Dataset.from_tensor_slices((x, labels)).repeat().batch(32))
    first = float(loss(x, labels))
    for _ in range(20):
        optimizer.apply_gradients(gradients(*data.next()))
    assert float(loss(x, labels)) < first / 2


def test_the_graph_of_eager_execution_is_never_closed():
    eager.graph().finalize()
    assert float(tf.constant(1.0) + 1.0) == 2.0


def test_a_function_works_in_the_order_of_its_lines():
    v = tf.Variable(1.0)

    @tf.function
    def step(x):
        v.assign_add(x)
        first = v.read_value()
        tf.cond(x > 0, lambda: tf.group(v.assign(v * 10.0)), tf.no_op)

        def body(i):
            v.assign_add(1.0)
            return i + 1

        tf.while_loop(lambda i: i < 3, body, [tf.constant(0)])
        return first, v.read_value()

    assert [t.numpy() for t in step(tf.constant(2.0))] == [3.0, 33.0]
    assert [t.numpy() for t in step(tf.constant(-3.0))] == [30.0, 33.0]


def test_a_function_checks_what_it_asserts():
    @tf.function
    def small(x):
        def checked():
            tf.Assert(x < 5.0, [x])
            return x

        return tf.cond(x > 0, checked, lambda: -x)

    assert [small(tf.constant(x)).numpy() for x in (4.0, -6.0)] == [4.0, 6.0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="assertion failed"):
        small(tf.constant(6.0))


def test_a_function_called_in_a_graph_does_all_its_work():
    with tf.Graph().as_default(), tf.Session() as session:
        v = tf.Variable(1.0, use_resource=True)

        @tf.function
        def add(x):
            tf.Assert(x > 0, [x])
            v.assign_add(x)
            return {"now": v.read_value(), "nothing": None}

        good, bad = add(tf.constant(2.0)), add(tf.constant(-1.0))
        session.run(tf.global_variables_initializer())
        assert [session.run(good["now"]) for _ in range(2)] == [3.0, 5.0]
        with pytest.raises(tf.errors.InvalidArgumentError):
            session.run(bad["now"])
        assert session.run(v) == 5.0
