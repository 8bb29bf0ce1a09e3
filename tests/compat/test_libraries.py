"""What libraries of the era (tensor2tensor, TensorFlow Probability, texar ...) take from TensorFlow's insides."""

import importlib
import subprocess
import sys
import unittest

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.compat import hook
from thalweg._src.compat.internals import array_ops, framework_ops, function, loops_and_branches, operator_arguments
from thalweg._src.core import eager
from thalweg._src.core import graph as graph_lib
from thalweg._src.lib.eager import testing


def run(fetches, feed=None):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(fetches, feed)


def test_products_of_matrices_broadcast_their_batches():
    a, b = np.arange(12.0).reshape(2, 3, 2), np.arange(6.0).reshape(3, 2)
    product = operator_arguments.matmul_with_broadcast(a, b, transpose_b=True)
    assert product.shape.as_list() == [2, 3, 3]
    np.testing.assert_array_equal(run(product), a @ b.T)
    np.testing.assert_array_equal(run(operator_arguments.matmul_with_broadcast(a, b, True)), np.swapaxes(a, 1, 2) @ b)


def test_defun_may_be_asked_to_compile():
    triple = function.Defun(tf.float32, compiled=True, noinline=True, func_name="triple")(lambda x: 3 * x)
    assert run(triple(2.0)) == 6.0


def test_a_gradient_of_ones_own_of_a_variable_that_is_an_argument():
    def back(op, gradient):
        return gradient * 10

    scaled = function.Defun(tf.float32, python_grad_func=back, func_name="scaled")(lambda x: x * 2)
    v = tf.Variable(3.0)
    assert (
        run(function.Defun(v.dtype, func_name="same")(tf.identity)(v)) == 3.0
    )  # a reference's type, in a graph's variables
    assert run([scaled(v), tf.gradients(scaled(v), v)[0]]) == [6.0, 10.0]
    triple = tf.custom_gradient(lambda x: (x * 3, lambda g: g * 7))
    assert run(tf.gradients(triple(v), v)) == [7.0]


def test_tests_in_both_modes_begin_in_the_graph_of_their_set_up():
    modes = []

    @testing.run_all_in_graph_and_eager_modes
    class Case(tf.test.TestCase):
        def setUp(self):
            super().setUp()
            self.graph = tf.get_default_graph()

        def test_here(self):
            modes.append((tf.executing_eagerly(), tf.get_default_graph() is self.graph))

    result = unittest.TestResult()
    Case("test_here").run(result)
    assert not result.failures + result.errors
    assert modes[0] == (False, True)
    assert not tf.executing_eagerly()


def test_a_test_begins_anew_in_a_block_of_a_graph():
    modes = []

    class Case(tf.test.TestCase):
        def test_here(self):
            with eager.graph_mode():
                self.setUp()
                with self.test_session() as session:
                    modes.append((tf.executing_eagerly(), session.run(tf.constant(3))))
            modes.append((tf.executing_eagerly(), self.evaluate(tf.constant(3))))

    program = graph_lib._global_graph
    graph_lib._global_graph = eager.graph()  # as tf.enable_eager_execution() leaves it
    try:
        result = unittest.TestResult()
        Case("test_here").run(result)
    finally:
        graph_lib._global_graph = program
    assert not result.failures + result.errors
    assert modes == [(False, 3), (True, 3)]


def test_what_tensorflow_computes_in_a_run_fails_in_a_run():
    counts = tf.reduce_sum(tf.constant([[1, 1], [0, 0]]), 1)
    assertion = tf.assert_positive(counts)  # known here, but not said of tf.reduce_sum
    with pytest.raises(tf.errors.InvalidArgumentError, match="element-wise"):
        run(assertion)
    with pytest.raises(tf.errors.InvalidArgumentError, match="element-wise"):
        tf.assert_positive(tf.cast(tf.stack([1, 0]), tf.float32))


def test_internal_modules_hold_generated_ops():
    before = hook.installed()
    hook.install()
    try:
        io_ops = importlib.import_module("tensorflow.python.ops.io_ops")
        handles = importlib.import_module("tensorflow.python.ops.gen_resource_variable_ops")
        beta = importlib.import_module("tensorflow.python.ops.distributions.beta")
        assert io_ops.restore_v2("prefix", ["name"], [""], [tf.float32])[0].op.type == "RestoreV2"
        assert io_ops.read_file is tf.read_file
        assert callable(handles.assign_variable_op)
        assert beta.BetaWithSoftplusConcentration is tf.contrib.distributions.BetaWithSoftplusConcentration
        ops = importlib.import_module("tensorflow.contrib.recurrent.python.ops")
        assert (
            ops.functional_rnn.functional_rnn is tf.contrib.recurrent.functional_rnn
        )  # module and function share a name
        assert not hasattr(io_ops, "no_such_op")
    finally:
        if not before:
            hook.uninstall()


def test_small_internals_of_graphs():
    assert loops_and_branches.GetContainingXLAContext(tf.get_default_graph()._get_control_flow_context()) is None
    assert array_ops.shape_internal(tf.zeros([2, 3]), "shape", False).op.type == "Shape"
    assert run(array_ops.size_internal(tf.zeros([2, 3]), out_type=tf.int64)) == 6
    assert framework_ops.uid() != framework_ops.uid()
    made = framework_ops.internal_convert_to_tensor([1, 2], "float32", "made", False)
    assert (made.dtype, made.op.name) == (tf.float32, "made")


def test_test_modules_that_pytest_loads_are_rewritten_too(tmp_path):
    (tmp_path / "test_numbers.py").write_text(
        "import numpy as np\n\ndef test_one():\n    assert int(np.array([[3]])) == 3\n    assert float(np.ones(1)) == 1.0\n"
    )
    for _ in range(2):  # what the first one left on the disk is found by the second
        command = [
            sys.executable,
            "-m",
            "thalweg",
            "run",
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "test_numbers.py",
        ]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert "1 passed" in ran.stdout, ran.stdout + ran.stderr
    assert all("thalweg" in path.name for path in tmp_path.rglob("test_numbers*.pyc"))
