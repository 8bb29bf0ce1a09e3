"""`thalweg check`: what a program lacks is found by reading it."""

import json
import subprocess
import sys

import pytest

from thalweg._src.compat import check, signatures


def found(source):
    return [(f.line, f.message) for f in sorted(set(check.check_source(source, "p.py").findings))]


@pytest.fixture(autouse=True)
def served():
    from thalweg._src.compat import hook

    before = hook.installed()
    hook.install()
    yield
    if not before:
        hook.uninstall()


def test_a_program_that_lacks_nothing():
    assert (
        found("""
import tensorflow as tf
from tensorflow.examples.tutorials.mnist import input_data
x = tf.placeholder(tf.float32, [None, 3], name="x")
y = tf.nn.softmax(tf.matmul(x, tf.Variable(tf.zeros([3, 2]))))
print(tf.Variable([1.0]).numpy())
with tf.Session(config=tf.ConfigProto(allow_soft_placement=True)) as sess:
    sess.run(tf.global_variables_initializer())
""")
        == []
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("tf.nn.reluu(1)", "thalweg has no tf.nn.reluu; the nearest is tf.nn.relu"),
        ("layers = tf.nn\nlayers.no_such(1)", "thalweg has no tf.nn.no_such"),
        ("from tensorflow.python.ops import no_such_ops", "thalweg has no tf.python.ops.no_such_ops"),
        ("import tensorflow.no_such", "thalweg has no tensorflow.no_such"),
        ("tf.placeholder(tf.float32, shap=[1])", "tf.placeholder takes no argument 'shap'"),
        ("tf.nn.relu(1, 'name', 3)", "tf.nn.relu takes at most 2 arguments, 3 are given"),
        ("tf.Session().runn([])", "thalweg's tf.Session has no 'runn'"),
        ("sess = tf.Session()\nsess.run([], feeds={})", "tf.Session().run takes no argument 'feeds'"),
        ("tf.GraphKeys.NO_KEY", "thalweg has no tf.GraphKeys.NO_KEY"),
        ("def f(x=tf.no_such):\n    return x", "thalweg has no tf.no_such"),
        ("class A(tf.no_such):\n    pass", "thalweg has no tf.no_such"),
    ],
)
def test_what_is_missing(line, message):
    findings = found("import tensorflow as tf\n" + line)
    assert len(findings) == 1, findings
    assert findings[0][1].startswith(message)
    assert findings[0][0] == 2 + line.count("\n") if "def" not in line and "class" not in line else 2


def test_names_that_mean_something_else_are_left_alone():
    assert (
        found("""
import tensorflow as tf
def f(tf):
    return tf.no_such
tf2 = make()
tf2.no_such
g = lambda tf: tf.no_such
for nn in [tf.nn]:
    nn.no_such
""")
        == []
    )


def test_a_program_that_has_another_way_lacks_nothing():
    assert (
        found("""
import tensorflow as tf
try:
    cell = tf.nn.no_such_cell
except AttributeError:
    cell = tf.no_such_cell_either
""")
        == []
    )


def test_old_orders_of_arguments_are_known():
    assert found("import tensorflow as tf\ntf.image.resize_images([[[1.0]]], 2, 2, 0, True)") == []
    assert found("import tensorflow as tf\ntf.image.resize_images([[[1.0]]], new_height=2, new_width=3)") == []
    assert found("import tensorflow as tf\ntf.reduce_sum(1, reduction_indices=[0], keep_dims=True)") == []


def test_attributes_that_programs_give_are_theirs(tmp_path):
    (tmp_path / "a.py").write_text("import tensorflow as tf\ntf.GraphKeys.MINE = 'mine'\ntf.mine = 1\n")
    (tmp_path / "b.py").write_text("import tensorflow as tf\nprint(tf.GraphKeys.MINE, tf.mine, tf.yours)\n")
    assert [f.symbol for f in check.check([str(tmp_path)]).findings] == ["tf.yours"]


def test_annotations_that_python_evaluates_are_read():
    source = """
import tensorflow as tf
class A:
    kept: tf.Tensorr = None
def f(x: tf.Tensor, *rest: tf.Tensorr) -> tf.Operationn:
    local: tf.Tensorr = 3
"""
    assert [line for line, _ in found(source)] == [4, 5, 5]
    assert found("from __future__ import annotations" + source) == []


def test_python_2_is_told():
    assert found('import tensorflow as tf\nprint "x"')[0][1].startswith("not Python 3")


def test_attributes_that_methods_set_count():
    class A:
        def __init__(self):
            self.x, self.y = 1, 2
            self.z: int = 3

    assert all(signatures.has_attribute(A, name) for name in "xyz")
    assert not signatures.has_attribute(A, "w")


def test_the_command_reads_folders_and_notebooks(tmp_path):
    (tmp_path / "good.py").write_text("import tensorflow as tf\ntf.add(1, 2)\n")
    (tmp_path / "other.py").write_text("import numpy\n")
    cell = {"cell_type": "code", "source": ["%matplotlib inline\n", "import tensorflow as tf\n", "tf.no_such"]}
    (tmp_path / "book.ipynb").write_text(json.dumps({"cells": [cell]}))

    def run(*words):
        return subprocess.run(
            [sys.executable, "-m", "thalweg", "check", *words], capture_output=True, text=True, timeout=120
        )

    told = run(str(tmp_path))
    assert told.returncode == 1
    assert f"{tmp_path / 'book.ipynb'}:3: thalweg has no tf.no_such" in told.stdout
    assert "3 files" in told.stdout
    told = run(str(tmp_path / "good.py"))
    assert told.returncode == 0
    assert "nothing is missing" in told.stdout
    assert run(str(tmp_path / "absent.py")).returncode == 2
