"""thalweg.plot: units of networks, regions and curves of small models, and pictures as summaries. Structure, not pixels."""

import io

import numpy as np
import pytest

import thalweg as tf
from thalweg import plot

pytest.importorskip("matplotlib")
from matplotlib.image import imread


def test_activations_of_a_unit():
    a = np.array([[0.0, 5.0], [1.0, 4.0], [2.0, 3.0]])
    ax = plot.activations(a, 1)
    assert sum(p.get_height() for p in ax.patches) == 3
    ax = plot.activations(a, 1, labels=[0, 1, 1], names=["cat", "dog"])
    assert [t.get_text() for t in ax.get_yticklabels()] == ["cat", "dog"]
    assert [line.get_xdata()[0] for line in ax.lines] == [5.0, 3.5]  # medians
    points = np.asarray(ax.collections[0].get_offsets())
    np.testing.assert_array_equal(points[:, 0], a[:, 1])
    assert (np.round(points[:, 1]) == [0, 1, 1]).all()


def test_activations_of_a_feature_map_count_at_their_strongest_place():
    maps = np.zeros([2, 3, 3, 4])
    maps[1, 2, 0, 3] = 7.0
    ax = plot.activations(maps, 3, labels=np.eye(2))
    assert [line.get_xdata()[0] for line in ax.lines] == [0.0, 7.0]


def test_most_exciting_pictures_come_first():
    images = np.arange(5.0)[:, None] * np.ones([5, 4])
    ax = plot.most_exciting(images, np.array([[1.0], [5.0], [3.0], [2.0], [4.0]]), unit=0, count=3)
    assert [t.get_text() for t in ax.texts] == ["5.00", "4.00", "3.00"]
    assert [float(i.get_array()[0, 0]) for i in ax.images] == [1.0, 4.0, 2.0]


def test_units_that_are_not_there():
    with pytest.raises(ValueError, match="units 0 to 1"):
        plot.activations(np.zeros([3, 2]), 2)
    with pytest.raises(ValueError, match="2 labels"):
        plot.activations(np.zeros([3, 2]), 0, labels=[0, 1])
    with pytest.raises(ValueError, match=r"\[n, units\]"):
        plot.activations(np.zeros(3), 0)
    with pytest.raises(ValueError, match="3 pictures"):
        plot.most_exciting(np.zeros([3, 4]), np.zeros([2, 2]), 0)


def test_decision_surface_of_two_classes():
    points = np.array([[-1.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    ax = plot.decision_surface(lambda p: 1 / (1 + np.exp(-9 * p[:, 0])), points, [0, 1, 1], names=["left", "right"])
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["left", "right"]
    (line,) = {round(float(v[0]), 1) for c in ax.collections for path in c.get_paths() for v in path.vertices}
    assert line == 0.0
    ground = np.asarray(ax.images[0].get_array())
    assert not np.allclose(ground[:, 0], ground[:, -1])  # two colours
    drawn = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert drawn["right"] == [[1.0, 0.0], [1.0, 1.0]]


def test_decision_surface_of_several_classes_and_of_one():
    points, labels = np.random.default_rng(0).normal(size=[9, 2]), np.arange(9) % 3
    ax = plot.decision_surface(lambda p: np.stack([p[:, 0], p[:, 1], -p.sum(axis=1)], axis=1), points, labels)
    assert len(ax.get_legend().get_texts()) == 3
    ax = plot.decision_surface(lambda p: np.zeros([len(p), 1]), points, np.zeros(9), resolution=9)
    assert not ax.collections  # no border


def test_decision_surface_refuses():
    with pytest.raises(ValueError, match=r"\[m, 2\]"):
        plot.decision_surface(lambda p: p[:, 0], np.zeros([3, 3]), [0, 1, 1])
    with pytest.raises(ValueError, match="predict gave"):
        plot.decision_surface(lambda p: np.zeros(3), np.zeros([3, 2]), [0, 1, 1])


def test_capacity():
    x, y = np.arange(4.0), np.array([0.0, 1.0, 4.0, 9.0])
    ax = plot.capacity(x, y, {"flat": lambda x: 0 * x + 3, "wild": lambda x: 1e6 * x}, truth=np.square)
    assert [line.get_label() for line in ax.lines] == ["truth", "flat", "wild", "points"]
    np.testing.assert_array_equal(ax.lines[-1].get_xydata(), np.stack([x, y], axis=1))
    np.testing.assert_allclose(ax.lines[0].get_ydata(), ax.lines[0].get_xdata() ** 2)
    assert ax.get_ylim()[1] < 20  # far from the points it is cut off
    with pytest.raises(ValueError, match="one length"):
        plot.capacity([1, 2], [1], {})


def test_a_drawing_is_an_image_summary(tmp_path):
    ax = plot.capacity([0, 1], [0, 1], {})
    found = plot.summary(ax, "fit")
    (value,) = found.value
    pixels = imread(io.BytesIO(value.image.encoded_image_string))
    assert pixels.shape == (value.image.height, value.image.width, value.image.colorspace)
    assert plot.summary(ax, "fit", dpi=50).value[0].image.width < value.image.width
    with tf.Graph().as_default(), tf.summary.FileWriter(tmp_path) as writer:
        writer.add_summary(found, 3)
    (path,) = tmp_path.iterdir()
    event = list(tf.train.summary_iterator(str(path)))[1]
    assert (event.step, event.summary.value[0].tag) == (3, "fit")
