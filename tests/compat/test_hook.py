"""The import hook, installed in this process for one test at a time."""

import importlib
import sys

import pytest

import thalweg as tf
from thalweg._src.compat import hook, modules


@pytest.fixture
def served():
    module = hook.install()
    yield module
    hook.uninstall()


def test_the_same_objects(served):
    import tensorflow as other

    assert other is served
    assert other.placeholder is tf.placeholder
    assert other.nn.relu is tf.nn.relu
    assert other.__version__ == tf.__version__
    assert other.Session is tf.Session


def test_the_dict_of_a_module_is_whole(served):
    cells = [
        x
        for x in served.contrib.rnn.__dict__.values()
        if isinstance(x, type) and issubclass(x, served.contrib.rnn.RNNCell)
    ]
    assert {tf.contrib.rnn.GRUCell, tf.contrib.rnn.NASCell} < set(cells)
    assert vars(served)["placeholder"] is tf.placeholder


def test_submodules_by_import_and_by_attribute(served):
    import tensorflow.nn
    from tensorflow.python.framework import dtypes, ops
    from tensorflow.python.ops import array_ops, math_ops

    assert tensorflow.nn.softmax is tf.nn.softmax
    assert ops.Graph is tf.Graph
    assert dtypes.float32 is tf.float32
    assert array_ops.reshape is tf.reshape
    assert math_ops.reduce_sum_v1 is tf.reduce_sum  # another name inside than outside
    assert served.python.ops.math_ops.add is tf.add


def test_compat_v1_is_the_namespace(served):
    import tensorflow.compat.v1 as v1
    from tensorflow.compat.v1 import nn

    assert v1.placeholder is tf.placeholder
    assert nn.relu is tf.nn.relu


def test_star_import(served):
    names: dict = {}
    exec("from tensorflow.python.ops.math_ops import *", names)
    assert names["reduce_mean"] is tf.reduce_mean
    assert not [n for n in names if n.startswith("_") and n != "__builtins__"]


def test_input_data_under_its_two_names(served):
    from tensorflow.contrib.learn.python.learn.datasets.mnist import read_data_sets
    from tensorflow.examples.tutorials.mnist import input_data

    assert input_data.read_data_sets is read_data_sets


def test_the_package_where_estimators_went(served):
    import tensorflow_estimator
    from tensorflow_estimator.python.estimator.canned import dnn
    from tensorflow_estimator.python.estimator.head import regression_head

    assert tensorflow_estimator.estimator.Estimator is tf.estimator.Estimator
    assert regression_head.RegressionHead is tf.estimator.RegressionHead
    assert dnn.DNNClassifier is tf.estimator.DNNClassifier
    with pytest.raises(ImportError, match=r"thalweg has no tensorflow_estimator.python.estimator.hed"):
        import tensorflow_estimator.python.estimator.hed


def test_classes_of_both_versions(served):
    from tensorflow.python.data.ops.dataset_ops import DatasetV1, DatasetV2

    assert DatasetV1 is DatasetV2 is tf.data.Dataset


def test_protos(served):
    from tensorflow.core.framework import graph_pb2, types_pb2
    from tensorflow.core.protobuf import config_pb2

    assert graph_pb2.GraphDef is tf.GraphDef
    assert config_pb2.ConfigProto is tf.ConfigProto
    assert types_pb2.DT_FLOAT == 1


@pytest.mark.parametrize(
    ("statement", "error", "text"),
    [
        ("tf.nn.reluu", AttributeError, "thalweg has no tf.nn.reluu; the nearest is tf.nn.relu"),
        ("tf.Placeholder", AttributeError, "the nearest is tf.placeholder"),
        (
            "from tensorflow.nn import reluu",
            ImportError,
            "thalweg has no tensorflow.nn.reluu; the nearest is tensorflow.nn",
        ),
        ("import tensorflow.python.ops.aray_ops", ImportError, "tensorflow.python.ops.array_ops"),
        ("import tensorflow.python.ops.math_ops.nothing_like_it", ImportError, "thalweg has no tensorflow.python"),
        ("math_ops.qqqqqqqq", AttributeError, "thalweg has no tf.python.ops.math_ops.qqqqqqqq"),
    ],
)
def test_missing_names_say_what_is_nearest(served, statement, error, text):
    import tensorflow as tf
    from tensorflow.python.ops import math_ops

    with pytest.raises(error) as caught:
        exec(statement, {"tf": tf, "math_ops": math_ops})
    assert text in str(caught.value)


def test_probing_is_quiet(served):
    assert not hasattr(served, "no_such_thing")
    assert getattr(served.nn, "no_such_thing", 5) == 5
    with pytest.raises(ImportError):
        importlib.import_module("tensorflow.no_such_thing")


def test_what_the_program_sets_stays_on_the_module(served):
    served.nn.my_own = 3
    import tensorflow.nn

    assert tensorflow.nn.my_own == 3


def test_tensorboard_uses_its_stub(served):
    pytest.importorskip("tensorboard")
    for name in [m for m in sys.modules if m.startswith("tensorboard")]:
        del sys.modules[name]
    from tensorboard.compat import tf as theirs

    assert theirs.__version__ == "stub"


def test_uninstall_forgets():
    tf = hook.install()
    importlib.import_module("tensorflow.python.ops.math_ops")
    hook.uninstall()
    assert not [m for m in sys.modules if m.split(".")[0] == "tensorflow"]
    assert not hook.installed()
    assert hook.install() is not tf
    hook.uninstall()


def test_install_twice_is_once():
    before = list(sys.meta_path)
    assert hook.install() is hook.install()
    hook.uninstall()
    assert sys.meta_path == before


def test_a_real_tensorflow_is_not_replaced(monkeypatch):
    import types

    monkeypatch.setitem(sys.modules, "tensorflow", types.ModuleType("tensorflow"))
    with pytest.raises(RuntimeError, match="imported already"):
        hook.install()


def test_every_recorded_line_is_well_formed():
    table = modules.table()
    assert len(table) > 700
    assert table["python.ops.array_ops"]["reshape"] == "reshape"
    assert table["python.ops.math_ops"]["bincount_v1"] == "bincount"
    assert table["core.protobuf.saver_pb2"]["SaverDef"] == "train.SaverDef"
    assert "python.ops" in modules.packages()
    assert modules.current("compat.v1.nn") == "nn"
    assert modules.current("compat.v11") == "compat.v11"


def test_what_stands_behind_internal_modules_can_be_imported():
    for path, ours in modules.OURS.items():
        assert modules.current(path) == path  # else it is never asked for
        importlib.import_module(ours)


def test_internal_modules_hold_what_they_imported(served):
    from tensorflow.contrib.framework.python.ops import add_arg_scope
    from tensorflow.python.ops.nn_ops import math_ops
    from tensorflow.python.ops.rnn import array_ops

    import thalweg as tf

    assert add_arg_scope is tf.contrib.framework.add_arg_scope
    assert math_ops.reduce_sum is not None
    assert array_ops.reshape is not None
    with pytest.raises(ImportError, match="no_such"):
        from tensorflow.python.ops.rnn import no_such  # noqa: F401
