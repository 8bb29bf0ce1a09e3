"""SavedModels from TensorFlow and for it, and graphs as they are frozen for serving."""

import json
from pathlib import Path

import numpy as np
import pytest

import thalweg as tf

FOLDER = Path(__file__).parents[1] / "golden" / "savers"
SERVING = [tf.saved_model.tag_constants.SERVING]


def served(folder):
    """What the signature of a loaded model says: y = (x + the number of a word) w, with w = 3."""
    with tf.Graph().as_default(), tf.Session() as session:
        meta = tf.saved_model.loader.load(session, SERVING, str(folder))
        signature = meta.signature_def["serving_default"]
        assert signature.method_name == tf.saved_model.signature_constants.PREDICT_METHOD_NAME
        feed = {signature.inputs["x"].name: [1.0, 2.0, 3.0], signature.inputs["word"].name: ["ten", "twenty", "none"]}
        return session.run(signature.outputs["y"].name, feed).tolist()


@pytest.mark.parametrize("version", ["1.15", "2.21"])
def test_models_of_tensorflow_are_served(version, tmp_path):
    """Also from another place: the asset goes along."""
    assert tf.saved_model.loader.maybe_saved_model_directory(str(FOLDER / f"{version}-model"))
    assert served(FOLDER / f"{version}-model") == [33.0, 66.0, 6.0]


def export(folder, words, *, simple=False):
    """A model of ours like that of tests/oracle/record_savers.py; `simple` is one without an asset."""
    with tf.Graph().as_default(), tf.Session() as session:
        x, word = tf.placeholder(tf.float32, [None], name="x"), tf.placeholder(tf.string, [None], name="word")
        w = tf.get_variable("w", initializer=3.0, use_resource=True)
        if simple:
            y = x * w
            session.run(tf.global_variables_initializer())
            tf.saved_model.simple_save(session, str(folder), {"x": x}, {"y": y})
            return
        words.write_text("ten\t10\ntwenty\t20\n")
        asset = tf.constant(str(words))
        tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, asset)
        table = tf.lookup.StaticHashTable(tf.lookup.TextFileInitializer(asset, tf.string, 0, tf.int64, 1), -1)
        y = (x + tf.to_float(table.lookup(word))) * w
        session.run([tf.global_variables_initializer(), tf.tables_initializer()])
        builder = tf.saved_model.builder.SavedModelBuilder(str(folder))
        signature = tf.saved_model.signature_def_utils.predict_signature_def({"x": x, "word": word}, {"y": y})
        builder.add_meta_graph_and_variables(
            session,
            SERVING,
            {"serving_default": signature},
            assets_collection=tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS),
            main_op=tf.tables_initializer(),
        )
        builder.add_meta_graph(["other", "tags"])
        builder.save()
        words.unlink()


def test_models_of_ours_are_served(tmp_path):
    export(tmp_path / "model", tmp_path / "words.txt")
    assert sorted(str(p.relative_to(tmp_path / "model")) for p in (tmp_path / "model").rglob("*.*")) == [
        "assets/words.txt",
        "saved_model.pb",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    ]
    (tmp_path / "model").rename(tmp_path / "moved")
    assert served(tmp_path / "moved") == [33.0, 66.0, 6.0]
    with tf.Graph().as_default(), tf.Session() as session:
        assert tf.saved_model.loader.load(session, ["tags", "other"], str(tmp_path / "moved")).meta_info_def.tags
        with pytest.raises(RuntimeError, match="MetaGraphDef associated with tags.*train.*could not be found"):
            tf.saved_model.loader.load(session, ["train"], str(tmp_path / "moved"))
        with pytest.raises(OSError, match="SavedModel file does not exist"):
            tf.saved_model.loader.load(session, SERVING, str(tmp_path / "nowhere"))
    with pytest.raises(AssertionError, match="already exists, and isn't empty"):
        tf.saved_model.builder.SavedModelBuilder(str(tmp_path / "moved"))


READS = """
import json, tensorflow
tf = tensorflow.compat.v1
told = []
with tf.Graph().as_default(), tf.Session() as sess:
    meta = tf.saved_model.loader.load(sess, ["serve"], {model!r})
    names = meta.signature_def["serving_default"]
    feed = {{names.inputs["x"].name: [1.0, 2.0, 3.0], names.inputs["word"].name: ["ten", "twenty", "none"]}}
    told.append(sess.run(names.outputs["y"].name, feed).tolist())
if tensorflow.__version__ > "2":
    tensorflow.compat.v1.enable_eager_execution()
    model = tensorflow.saved_model.load({simple!r})
    told.append(model.signatures["serving_default"](tensorflow.constant([2.0, 3.0]))["y"].numpy().tolist())
print("TOLD " + json.dumps(told))
"""


@pytest.mark.slow
@pytest.mark.parametrize("version", ["1.15", "2.21"])
def test_tensorflow_serves_models_of_ours(oracle, tmp_path, version):
    export(tmp_path / "model", tmp_path / "words.txt")
    export(tmp_path / "simple", None, simple=True)
    output = oracle(version, READS.format(model=str(tmp_path / "model"), simple=str(tmp_path / "simple")))
    (told,) = [json.loads(line[5:]) for line in output.splitlines() if line.startswith("TOLD ")]
    assert told == [[33.0, 66.0, 6.0], [6.0, 9.0]][: 1 if version == "1.15" else 2]


@pytest.mark.parametrize("resource", [False, True])
def test_frozen_graphs(resource):
    """Variables become constants, identities and checks go, what is not needed is left out; TensorFlow's graph_util."""
    x = tf.placeholder(tf.float32, [2], name="x")
    w = tf.get_variable("w", initializer=tf.constant([3.0, 4.0]), use_resource=resource)
    tf.get_variable("other", initializer=1.0)
    y = tf.identity(tf.check_numerics(tf.identity(x), "bad") * w, name="y")
    tf.gradients(y, w)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        frozen = tf.graph_util.convert_variables_to_constants(session, session.graph_def, ["y"])
    names = {n.name for n in frozen.node}
    assert {"x", "y", "w"} <= names
    assert not any("other" in n or "gradients" in n for n in names)
    assert {n.op for n in frozen.node if n.name == "w"} == {"Const"}
    bare = tf.graph_util.remove_training_nodes(frozen, protected_nodes=["y"])
    assert not {"CheckNumerics"} & {n.op for n in bare.node}
    assert len(bare.node) < len(frozen.node)
    part = tf.graph_util.extract_sub_graph(tf.get_default_graph().as_graph_def(), ["x"])
    assert [n.name for n in part.node] == ["x"]
    with tf.Graph().as_default(), tf.Session() as session:
        for definition in (frozen, bare):
            x, y = tf.import_graph_def(definition, return_elements=["x:0", "y:0"])
            np.testing.assert_array_equal(session.run(y, {x: [1.0, 2.0]}), [3.0, 8.0])
    with pytest.raises(AssertionError, match="nothing is not in graph"):
        tf.graph_util.extract_sub_graph(frozen, ["nothing"])


def test_signatures_are_checked(tmp_path):
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    utils, constants = tf.saved_model.signature_def_utils, tf.saved_model.signature_constants
    classes, scores = tf.as_string(tf.argmax(x, 1)), tf.nn.softmax(x)
    examples = tf.placeholder(tf.string, [None])
    signature = utils.classification_signature_def(examples, classes, scores)
    assert signature.method_name == constants.CLASSIFY_METHOD_NAME
    assert utils.is_valid_signature(signature)
    assert utils.is_valid_signature(utils.regression_signature_def(examples, x[:, 0]))
    with pytest.raises(ValueError, match="(?i)classification.*string"):
        utils.classification_signature_def(x, classes, scores)
    sparse = tf.sparse_placeholder(tf.float32, [3, 4])
    info = tf.saved_model.utils.build_tensor_info(sparse)
    assert tf.saved_model.utils.get_tensor_from_tensor_info(info).indices is sparse.indices
    ragged = tf.ragged.constant([[1, 2], [3]])
    info = tf.saved_model.utils.build_tensor_info(ragged)
    assert [c.name for c in info.composite_tensor.components] == [ragged.flat_values.name, ragged.row_splits.name]
    builder = tf.saved_model.builder.SavedModelBuilder(str(tmp_path / "model"))
    again = tf.saved_model.utils.get_tensor_from_tensor_info(info)
    assert tf.Session().run(again).to_list() == [[1, 2], [3]]
    bad = utils.build_signature_def({"x": tf.saved_model.utils.build_tensor_info(x)}, {"y": type(info)(name="y:0")})
    with tf.Session() as session, pytest.raises(AssertionError, match="must have the dtype field set"):
        builder.add_meta_graph_and_variables(session, SERVING, {"bad": bad})
