"""thalweg.plot draws what it is given: the tests read numbers, colours and texts back from the Axes."""

import io
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from thalweg import plot
from thalweg._src.formats import protos
from thalweg._src.formats.events import EventWriter
from thalweg._src.formats.tensors import to_proto


def texts(ax):
    return [t.get_text() for t in ax.texts]


def rendered(ax) -> np.ndarray:
    """The figure's pixels [height, width, 4]."""
    stream = io.BytesIO()
    ax.figure.savefig(stream, format="rgba", dpi=60)
    width, height = (np.array(ax.figure.get_size_inches()) * 60).astype(int)
    return np.frombuffer(stream.getvalue(), np.uint8).reshape(height, width, 4)


def outside(ax) -> list[str]:
    """The texts of `ax` that are cut off by the figure's edge."""
    ax.figure.draw_without_rendering()
    frame = ax.figure.bbox
    shown = [*ax.texts, ax.title]
    if ax.axison:
        shown += [ax.xaxis.label, ax.yaxis.label]
        for axis, i in (
            (ax.xaxis, 0),
            (ax.yaxis, 1),
        ):  # matplotlib keeps labels beyond the limits, and does not draw them
            low, high = sorted(axis.get_view_interval())
            shown += [t for t in axis.get_ticklabels() if low <= t.get_position()[i] <= high]
    boxes = [(t.get_text(), t.get_window_extent()) for t in shown if t.get_text()]
    return [t for t, b in boxes if b.x0 < -1 or b.y0 < -1 or b.x1 > frame.x1 + 1 or b.y1 > frame.y1 + 1]


def overlaps(ax) -> list[tuple[str, str]]:
    """Pairs of `ax.texts` that lie over each other."""
    ax.figure.draw_without_rendering()
    boxes = [(t.get_text(), t.get_window_extent()) for t in ax.texts]
    return [(a, b) for i, (a, p) in enumerate(boxes) for b, q in boxes[i + 1 :] if p.overlaps(q)]


def counts(ax) -> dict[tuple[int, int], int]:
    """(row, column) -> the number that stands there."""
    return {(int(t.get_position()[1]), int(t.get_position()[0])): int(t.get_text()) for t in ax.texts}


# confusion_matrix


def test_confusion_matrix_counts_and_colours():
    labels = [0, 0, 0, 1, 1, 2, 2, 2, 2]
    said = [0, 0, 1, 1, 1, 2, 2, 0, 2]
    ax = plot.confusion_matrix(labels, said)
    assert counts(ax) == {(0, 0): 2, (0, 1): 1, (1, 1): 2, (2, 2): 3, (2, 0): 1}
    right, wrong = (image.get_array() for image in ax.images)
    np.testing.assert_allclose(right.filled(0), np.diag([2 / 3, 1, 3 / 4]))
    np.testing.assert_allclose(wrong.filled(0), [[0, 1 / 3, 0], [0, 0, 0], [1 / 4, 0, 0]])
    assert ax.get_title() == "7 of 9 right (77.8 %)"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "actual")


def test_confusion_matrix_takes_scores_one_hot_labels_and_names():
    scores = np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]])
    ax = plot.confusion_matrix(np.eye(3)[[1, 2]], scores, names=["cat", "dog", "spaceship"])
    assert counts(ax) == {(1, 1): 1, (2, 0): 1}
    assert [t.get_text() for t in ax.get_xticklabels()] == ["cat", "dog", "spaceship"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["cat", "dog", "spaceship"]
    assert not outside(ax)


def test_confusion_matrix_shows_classes_that_only_names_know():
    ax = plot.confusion_matrix([0, 1], [0, 1], names=list("abcd"))
    assert ax.images[0].get_array().shape == (4, 4)


@pytest.mark.parametrize(
    ("labels", "predictions", "words"),
    [
        ([0, 1], [0, 1, 1], "lengths"),
        ([0, 1.5], [0, 1], "class numbers"),
        (np.zeros([2, 2, 2]), [0, 1], "labels must be"),
        ([0, -1], [0, 1], "start at 0"),
    ],
)
def test_confusion_matrix_refuses(labels, predictions, words):
    with pytest.raises(ValueError, match=words):
        plot.confusion_matrix(labels, predictions)


def test_confusion_matrix_refuses_too_few_names():
    with pytest.raises(ValueError, match="3 classes, but 2 names"):
        plot.confusion_matrix([0, 2], [0, 2], names=["a", "b"])


# least_certain, most_wrong

PROBABILITIES = np.array([[0.9, 0.1, 0.0], [0.2, 0.5, 0.3], [0.3, 0.1, 0.6], [0.0, 1.0, 0.0]])
LABELS = [0, 2, 2, 0]
IMAGES = np.arange(4 * 9, dtype=float).reshape(4, 9)


def test_least_certain_orders_and_captions():
    ax = plot.least_certain(IMAGES, PROBABILITIES, LABELS, k=3)
    assert texts(ax) == ["1? 50 %\nis 2", "2? 60 %", "0? 90 %"]
    for image, i in zip(ax.images, [1, 2, 0], strict=True):
        np.testing.assert_array_equal(image.get_array(), IMAGES[i].reshape(3, 3))
    red, black = (ax.texts[i].get_color() for i in (0, 1))
    assert red != black


def test_most_wrong_shows_mistakes_only_the_surest_first():
    ax = plot.most_wrong(IMAGES.reshape(4, 3, 3, 1), PROBABILITIES, np.eye(3)[LABELS], names=["cat", "dog", "cup"])
    assert texts(ax) == ["dog? 100 %\nis cat", "dog? 50 %\nis cup"]
    np.testing.assert_array_equal(ax.images[0].get_array(), IMAGES[3].reshape(3, 3))
    assert len(plot.most_wrong(IMAGES, PROBABILITIES, LABELS, k=1).images) == 1


def test_most_wrong_of_a_faultless_model():
    ax = plot.most_wrong(IMAGES, PROBABILITIES, PROBABILITIES)
    assert texts(ax) == ["all 4 are right"]
    assert not ax.images
    assert not outside(ax)


def test_tiles_lie_in_rows_without_overlap():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.ones(10), 20)
    ax = plot.least_certain(rng.random([20, 8, 8]), p, rng.integers(0, 10, 20), k=20, columns=8)
    corners = np.array([image.get_extent() for image in ax.images])  # left, right, bottom, top
    assert len({*corners[:, 0].round(6)}) == 8
    assert len({*corners[:, 3].round(6)}) == 3
    np.testing.assert_allclose(corners[:, 1] - corners[:, 0], 1)
    assert not overlaps(ax)
    assert not outside(ax)


def test_colour_pictures_pass():
    rgb = np.random.default_rng(0).random([4, 5, 6, 3])
    ax = plot.least_certain(rgb, PROBABILITIES, LABELS, k=1)
    np.testing.assert_array_equal(ax.images[0].get_array(), rgb[1])


@pytest.mark.parametrize(
    ("images", "probabilities", "words"),
    [
        (np.zeros([4, 8]), PROBABILITIES, "must be squares"),
        (np.zeros([4, 3, 3, 2]), PROBABILITIES, "Pictures must be"),
        (np.zeros([3, 9]), PROBABILITIES, "lengths"),
        (IMAGES, PROBABILITIES[0], "probabilities must be"),
    ],
)
def test_pictures_that_do_not_fit(images, probabilities, words):
    for draw in (plot.least_certain, plot.most_wrong):
        with pytest.raises(ValueError, match=words):
            draw(images, probabilities, LABELS)


# calibration


def test_calibration_points():
    p = np.array([[0.72, 0.28], [0.78, 0.22], [0.05, 0.95], [0.15, 0.85], [0.05, 0.95]])
    ax = plot.calibration(p, [0, 1, 1, 1, 0], bins=10)
    points = ax.collections[-1].get_offsets()
    np.testing.assert_allclose(points, [[0.75, 0.5], [0.85, 1.0], [0.95, 0.5]])
    error = (2 * 0.25 + 0.15 + 2 * 0.45) / 5
    assert ax.get_title() == f"calibration error {100 * error:.1f} %"
    sizes = ax.collections[-1].get_sizes()
    assert sizes[0] == sizes[2] > sizes[1]


def test_calibration_of_a_model_that_is_right_as_often_as_it_says():
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1, 40_000)
    labels = (rng.random(40_000) > sure).astype(int)
    ax = plot.calibration(np.stack([sure, 1 - sure], 1), labels)
    points = ax.collections[-1].get_offsets()
    np.testing.assert_allclose(points[:, 0], points[:, 1], atol=0.02)
    assert float(ax.get_title().split()[2]) < 1.5


def test_calibration_bars_are_wilsons_interval():
    ax = plot.calibration(np.tile([0.9, 0.1], [10, 1]), [0] * 8 + [1] * 2)
    (segment,) = ax.collections[0].get_segments()
    np.testing.assert_allclose(segment[:, 1], [0.4902, 0.9433], atol=1e-4)  # the textbook's values for 8 of 10


# weights, filters


def test_weights_share_a_scale_with_zero_in_the_middle():
    W = np.array([[0.5, -2.0], [0.0, 1.0], [0.25, 0.0], [0.0, 0.0], [-1.0, 0.0], [0.0, 0.5]])
    ax = plot.weights(W, (2, 3), names=["a", "b"])
    assert texts(ax) == ["a", "b"]
    for unit, image in enumerate(ax.images):
        np.testing.assert_array_equal(image.get_array(), W[:, unit].reshape(2, 3))
        assert image.get_clim() == (-2.0, 2.0)
    shown = ax.images[0].to_rgba(np.array([-2.0, 0.0, 2.0]))
    assert shown[0, 0] > shown[0, 2]  # against: red
    assert shown[1, :3].min() > 0.95  # zero: white
    assert shown[2, 2] > shown[2, 0]  # for: blue
    with pytest.raises(ValueError, match=r"\[2 \* 3, units\]"):
        plot.weights(W.T, (2, 3))


def test_filters_of_one_channel():
    kernel = np.random.default_rng(0).normal(size=[5, 4, 1, 6])
    ax = plot.filters(kernel)
    for i, image in enumerate(ax.images):
        np.testing.assert_array_equal(image.get_array(), kernel[:, :, 0, i])
    assert len(ax.images) == 6


def test_filters_of_colours_are_stretched_one_by_one():
    kernel = np.random.default_rng(0).normal(size=[3, 3, 3, 2]) * [1, 100]
    kernel[..., 0] = 7.0  # all the same: no range to stretch
    flat, image = (i.get_array() for i in plot.filters(kernel).images)
    assert np.ptp(flat) == 0
    assert (image.min(), image.max()) == (0, 1)
    np.testing.assert_allclose(image, (kernel[..., 1] - kernel[..., 1].min()) / np.ptp(kernel[..., 1]))


def test_filters_of_many_channels_want_one_named():
    kernel = np.random.default_rng(0).normal(size=[3, 3, 8, 2])
    with pytest.raises(ValueError, match="channel=0 to 7"):
        plot.filters(kernel)
    with pytest.raises(ValueError, match="channels 0 to 7"):
        plot.filters(kernel, channel=8)
    with pytest.raises(ValueError, match="must be"):
        plot.filters(kernel[0])
    np.testing.assert_array_equal(plot.filters(kernel, channel=5).images[1].get_array(), kernel[:, :, 5, 1])


# curves


def write_events(folder, points, *, as_tensor=False):
    """An event file in `folder` with (step, tag, value) for each of `points`."""
    folder.mkdir(parents=True)
    with (folder / "events.out.tfevents.1.here").open("wb") as stream:
        writer = EventWriter(stream, 1.0)
        for step, tag, number in points:
            event = protos.Event(wall_time=1.0 + step, step=step)
            value = event.summary.value.add(tag=tag)
            if as_tensor:
                value.tensor.CopyFrom(to_proto(np.array(number, np.float32), protos.DT_FLOAT))
            else:
                value.simple_value = number
            writer.write(event)
        writer.close()


def lines(ax):
    return {line.get_label(): (line.get_xdata().tolist(), line.get_ydata().tolist()) for line in ax.lines}


def test_curves_from_event_files(tmp_path):
    write_events(tmp_path / "a" / "train", [(0, "loss", 2.0), (10, "loss", 1.0), (10, "accuracy", 0.5)])
    write_events(tmp_path / "a" / "test", [(0, "loss", 2.5), (10, "loss", 1.5)], as_tensor=True)
    write_events(tmp_path / "b" / "train", [(5, "other", 1.0)])
    ax = plot.curves(tmp_path)
    assert lines(ax) == {"a/train": ([0, 10], [2.0, 1.0]), "a/test": ([0, 10], [2.5, 1.5])}
    assert ax.get_ylabel() == "loss"
    train, test = sorted(ax.lines, key=lambda line: line.get_label(), reverse=True)
    assert train.get_color() == test.get_color()
    assert train.get_linestyle() != test.get_linestyle()
    assert lines(plot.curves(tmp_path, "accuracy")) == {"a/train": ([10], [0.5])}


def test_curves_of_one_run_need_no_legend(tmp_path):
    write_events(tmp_path / "run", [(0, "loss", 2.0), (1, "loss", 1.0)])
    assert plot.curves(tmp_path / "run").get_legend() is None


def test_curves_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="no folder"):
        plot.curves(tmp_path / "nothing")
    with pytest.raises(ValueError, match="no summaries at all"):
        plot.curves(tmp_path)
    write_events(tmp_path / "a", [(0, "cost", 2.0)])
    with pytest.raises(ValueError, match=r"'loss'; there are \['cost'\]"):
        plot.curves(tmp_path)


def test_curves_from_a_dictionary():
    ax = plot.curves({"a": [3.0, 2.0], "b": ([5, 7, 9], np.ones(3))}, log=True)
    assert lines(ax) == {"a": ([0, 1], [3.0, 2.0]), "b": ([5, 7, 9], [1.0, 1.0, 1.0])}
    assert ax.get_yscale() == "log"
    assert len({line.get_color() for line in ax.lines}) == 2
    with pytest.raises(ValueError, match="2 steps, but 3 values"):
        plot.curves({"a": ([1, 2], [1, 2, 3])})


# loss_surface


def test_loss_surface_heights_and_path():
    x, y = np.linspace(-1, 2, 31), np.linspace(-3, 1, 41)
    path = [(2, -3), (1, -1), (0.5, 0)]
    ax = plot.loss_surface(lambda a, b: (a - 0.5) ** 2 + 2 * b**2, x, y, path)
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), path)
    np.testing.assert_array_equal(ax.lines[1].get_xydata(), [path[0]])
    np.testing.assert_array_equal(ax.lines[2].get_xydata(), [path[-1]])
    for level, height in zip(ax.collections[1].get_paths(), ax.collections[1].levels, strict=True):
        for a, b in level.vertices:  # on a grid of 0.1 a line of equal height is out by little
            assert abs((a - 0.5) ** 2 + 2 * b**2 - height) < 0.03
    given = plot.loss_surface(np.add.outer(y**2, x), x, y)
    assert not given.lines


def test_loss_surface_refuses():
    with pytest.raises(ValueError, match=r"\[3, 2\]"):
        plot.loss_surface(np.zeros([2, 3]), [0, 1], [0, 1, 2])
    with pytest.raises(ValueError, match="path"):
        plot.loss_surface(np.eye(2), [0, 1], [0, 1], path=[1, 2, 3])


# all of them


def each(ax=None):
    rng = np.random.default_rng(0)
    p, labels, images = rng.dirichlet(np.ones(10) * 0.3, 60), rng.integers(0, 10, 60), rng.random([60, 64])
    yield plot.confusion_matrix(labels, p, ax=ax)
    yield plot.least_certain(images, p, labels, ax=ax)
    yield plot.most_wrong(images, p, labels, ax=ax)
    yield plot.calibration(p, labels, ax=ax)
    yield plot.weights(rng.normal(size=[64, 10]), (8, 8), ax=ax)
    yield plot.filters(rng.normal(size=[5, 5, 1, 32]), ax=ax)
    yield plot.curves({"train": rng.random(9), "test": rng.random(9)}, ax=ax)
    yield plot.loss_surface(lambda a, b: a * a + b * b, np.linspace(-1, 1, 9), np.linspace(-1, 1, 9), ax=ax)
    yield plot.activations(p, 3, labels, ax=ax)
    yield plot.most_exciting(images, p, 3, ax=ax)
    yield plot.decision_surface(lambda x: x[:, 0] > x[:, 1], rng.normal(size=[20, 2]), rng.integers(0, 2, 20), ax=ax)
    yield plot.capacity([0, 1, 2], [0, 1, 4], {"line": lambda x: 2 * x}, truth=np.square, ax=ax)


def test_each_draws_something_and_nothing_is_cut_off():
    for ax in each():
        assert (rendered(ax)[..., :3] < 200).any()
        assert not outside(ax), ax.get_title()


def test_each_draws_into_the_axes_it_is_given():
    figure = Figure(figsize=(6, 6))
    for i, drawn in enumerate(each(ax := figure.add_subplot())):
        assert drawn is ax
        assert drawn.has_data() or drawn.images, i
        ax.clear()


def test_matplotlib_is_imported_on_use_and_pyplot_never():
    program = (
        "import io, sys; from thalweg import plot; assert 'matplotlib' not in sys.modules; "
        "plot.confusion_matrix([0], [0]).figure.savefig(io.BytesIO()); assert 'matplotlib.pyplot' not in sys.modules"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
