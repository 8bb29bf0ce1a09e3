"""Record checkpoints with MetaGraphs as the Savers of TensorFlow write them.

oracle 0.12|1.15|2.21 tests/oracle/record_savers.py      -> tests/golden/savers/VERSION-FORMAT.{meta,index,data...}
                                                         and SavedModels in tests/golden/savers/VERSION-model (1.15, 2.21)

Each graph trains: `train` takes a step of momentum down `loss`, which reads a partitioned variable, and where there are
resource variables, one of those. `expected.json` has the variables as they were saved, and after the step `train` with x = 1, 2.
"""

import json
import os
import shutil
import sys
import warnings

warnings.filterwarnings("ignore")
import numpy as np
import tensorflow

V1 = getattr(getattr(tensorflow, "compat", None), "v1", None)
tf = V1 or tensorflow
FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "savers")


def numbers(*shape):
    return np.random.RandomState(sum(shape)).randn(*shape).astype("float32")


def build(resources):
    x = tf.placeholder(tf.float32, [2], name="x")
    w = tf.Variable(numbers(2, 3), name="w")
    with tf.variable_scope("parts", partitioner=lambda shape, dtype: [2, 1]):
        parts = tf.get_variable("p", shape=[4, 3], initializer=tf.constant_initializer(0.5))
    terms = [tf.matmul(tf.expand_dims(x, 0), w), tf.convert_to_tensor(parts)]
    if resources:
        terms.append(tf.get_variable("r", initializer=numbers(3), use_resource=True) * 2.0)
    tf.Variable(["a", "b\n"], name="names", trainable=False)
    step = tf.Variable(np.int64(0), name="step", trainable=False)
    loss = tf.add_n([tf.reduce_sum(tf.square(t - 1.0)) for t in terms], name="loss")
    optimizer = tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True)
    train = optimizer.minimize(loss, global_step=step, name="train")
    tf.add_to_collection("to_run", train)


def export(folder):
    """A SavedModel: y = (x + the number that the asset has for a word) times w."""
    shutil.rmtree(folder, ignore_errors=True)
    with tf.Graph().as_default(), tf.Session() as sess:
        words = os.path.join(os.path.dirname(folder), "words.txt")
        with open(words, "w") as f:
            f.write("ten\t10\ntwenty\t20\n")
        asset = tf.constant(words)
        tf.add_to_collection(tf.GraphKeys.ASSET_FILEPATHS, asset)
        x, word = tf.placeholder(tf.float32, [None], name="x"), tf.placeholder(tf.string, [None], name="word")
        initializer = tf.lookup.TextFileInitializer(asset, tf.string, 0, tf.int64, 1)
        table = tf.lookup.StaticHashTable(initializer, -1)
        w = tf.get_variable("w", initializer=3.0, use_resource=True)
        y = tf.identity((x + tf.cast(table.lookup(word), tf.float32)) * w, name="y")
        sess.run([tf.global_variables_initializer(), tf.tables_initializer()])
        builder = tf.saved_model.builder.SavedModelBuilder(folder)
        signature = tf.saved_model.signature_def_utils.predict_signature_def({"x": x, "word": word}, {"y": y})
        builder.add_meta_graph_and_variables(
            sess,
            [tf.saved_model.tag_constants.SERVING],
            {"serving_default": signature},
            assets_collection=tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS),
            main_op=tf.tables_initializer(),
        )
        builder.save()
        os.remove(words)


def plain(value):
    value = np.asarray(value)
    return [v.decode() for v in value] if value.dtype == object else value.tolist()


def record(name, resources, **options):
    """Save after one step; then the values, and those after another step."""
    with tf.Graph().as_default(), tf.Session() as sess:
        build(resources)
        init = getattr(tf, "global_variables_initializer", None) or tf.initialize_all_variables
        sess.run(init())
        variables = getattr(tf, "global_variables", None)()
        feed = {"x:0": [1.0, 2.0]}
        sess.run("train", feed)
        tf.train.Saver(**options).save(sess, os.path.join(FOLDER, name))
        told = []
        for _ in range(2):
            told.append({v.name: plain(sess.run(v)) for v in variables})
            sess.run("train", feed)
        return told


def main():
    version = ".".join(tensorflow.__version__.split(".")[:2])
    os.path.isdir(FOLDER) or os.makedirs(FOLDER)
    path = os.path.join(FOLDER, "expected.json")
    expected = {}
    if os.path.exists(path):
        with open(path) as f:
            expected = json.load(f)
    old, new = tf.train.SaverDef.V1, tf.train.SaverDef.V2
    expected[version + "-v2"] = record(version + "-v2", version != "0.12", write_version=new)
    if version != "2.21":
        expected[version + "-v1"] = record(version + "-v1", version != "0.12", write_version=old)
    if version == "1.15":
        expected["1.15-sharded"] = record("1.15-sharded", True, sharded=True)
    if version != "0.12":
        export(os.path.join(FOLDER, version + "-model"))
    with open(path, "w") as f:
        json.dump(expected, f, sort_keys=True)
    os.remove(os.path.join(FOLDER, "checkpoint"))


if __name__ == "__main__":
    sys.exit(main())
