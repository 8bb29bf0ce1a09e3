"""The projector's configuration, and the files that TensorBoard reads without TensorFlow."""

import os

import numpy as np
import pytest

import thalweg as tf
from thalweg import plot
from thalweg.contrib.tensorboard.plugins import projector


def shown(logdir):
    """What TensorBoard's projector knows of a folder: {name: embedding}, and the plugin."""
    plugin_module = pytest.importorskip("tensorboard.plugins.projector.projector_plugin")
    multiplexer = pytest.importorskip("tensorboard.backend.event_processing.plugin_event_multiplexer")
    base_plugin = pytest.importorskip("tensorboard.plugins.base_plugin")
    runs = multiplexer.EventMultiplexer().AddRunsFromDirectory(str(logdir)).Reload()
    provider = pytest.importorskip("tensorboard.backend.event_processing.data_provider")
    context = base_plugin.TBContext(
        logdir=str(logdir), multiplexer=runs, data_provider=provider.MultiplexerDataProvider(runs, str(logdir))
    )
    plugin = plugin_module.ProjectorPlugin(context)
    plugin._update_configs()
    return {e.tensor_name: e for config in plugin._configs.values() for e in config.embeddings}


def test_a_checkpoint_is_followed_by_its_embeddings_as_text(tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        vectors = tf.get_variable("net/vectors", [4, 3])
        tf.get_variable("other", [2])
        session.run(tf.global_variables_initializer())
        saver = tf.train.Saver()
        with tf.summary.FileWriter(tmp_path, session.graph) as writer:
            config = projector.ProjectorConfig()
            config.embeddings.add(tensor_name=vectors.name, metadata_path="labels.tsv")
            config.embeddings.add(tensor_name="own", tensor_path="own.tsv")
            config.embeddings.add(tensor_name="missing")
            projector.visualize_embeddings(writer, config)
        (tmp_path / "own.tsv").write_text("1\t2\n")
        for step in (1, 2):
            session.run(vectors.assign_add(tf.ones([4, 3])))
            saver.save(session, str(tmp_path / "model"), step)
            found = np.loadtxt(tmp_path / "net_vectors.tsv")
            np.testing.assert_allclose(found, session.run(vectors), rtol=1e-6)
        embedding = shown(tmp_path)["net/vectors"]
    assert (embedding.tensor_path, embedding.metadata_path) == ("net_vectors.tsv", "labels.tsv")
    assert list(embedding.tensor_shape) == [4, 3]
    assert (tmp_path / "own.tsv").read_text() == "1\t2\n"
    assert len(list(tmp_path.glob("*.tsv"))) == 2


def test_a_configuration_finds_the_checkpoint_that_is_there(tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        vectors = tf.get_variable("v", [3, 2])
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, str(tmp_path / "model"))
        config = projector.ProjectorConfig()
        config.embeddings.add(tensor_name=vectors.name)
        projector.visualize_embeddings(str(tmp_path), config)
        np.testing.assert_allclose(np.loadtxt(tmp_path / "v.tsv"), session.run(vectors), rtol=1e-6)


def test_no_configuration_no_text(tmp_path):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.get_variable("v", [3, 2])
        session.run(tf.global_variables_initializer())
        tf.train.Saver().save(session, str(tmp_path / "model"))
    assert not list(tmp_path.glob("*.tsv"))


def test_project_writes_vectors_labels_and_pictures(tmp_path):
    rng = np.random.default_rng(0)
    vectors, images = rng.normal(size=[5, 3]), rng.random([5, 4, 6])
    plot.project(tmp_path, vectors, name="digits", labels=list("abcd\t"), images=images)
    plot.project(tmp_path, np.eye(2), name="unit", labels={"name": ["x", "y"], "axis": [0, 1]})
    found = shown(tmp_path)
    assert sorted(found) == ["digits", "unit"]
    digits = found["digits"]
    np.testing.assert_allclose(np.loadtxt(tmp_path / digits.tensor_path), vectors, rtol=1e-6)
    assert (tmp_path / digits.metadata_path).read_text() == "a\nb\nc\nd\n \n"
    assert (tmp_path / found["unit"].metadata_path).read_text() == "name\taxis\nx\t0\ny\t1\n"
    assert list(digits.sprite.single_image_dim) == [6, 4]
    with tf.Graph().as_default(), tf.Session() as session:
        sprite = session.run(tf.image.decode_png((tmp_path / digits.sprite.image_path).read_bytes()))
    assert sprite.shape[:2] == (3 * 4, 3 * 6)  # a square of places
    darkest = np.unravel_index(images[4].argmax(), images[4].shape)
    assert sprite[4:8, 6:12].reshape(4, 6)[darkest] == sprite[4:8, 6:12].min()
    plot.project(tmp_path, np.zeros([1, 2]), name="unit")
    assert list(shown(tmp_path)["unit"].tensor_shape) == [1, 2]


def test_project_refuses(tmp_path):
    with pytest.raises(ValueError, match=r"\[n, k\]"):
        plot.project(tmp_path, np.zeros(3))
    with pytest.raises(ValueError, match="2 labels"):
        plot.project(tmp_path, np.zeros([3, 2]), labels=["a", "b"])
    with pytest.raises(ValueError, match="images"):
        plot.project(tmp_path, np.zeros([3, 2]), images=np.zeros([2, 4, 4]))
    assert not os.path.exists(tmp_path / "projector_config.pbtxt")
