"""examples/digits: its data, its models and the demo, at sizes that take seconds."""

import gzip
import importlib
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "digits"
PROGRAMS = ("data", "train", "softmax", "hidden", "convnet", "demo")

pytest.importorskip("sklearn")


@pytest.fixture
def load(monkeypatch):
    """`load("data")`: a program of the folder as a module, as the others see it when they run as scripts."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module
    for name in PROGRAMS:
        sys.modules.pop(name, None)


@pytest.fixture
def data(load):
    return load("data")


# data: the bundled digits


def test_bundled_digits_are_split_by_digit_and_hold_every_picture_once(data):
    from sklearn.datasets import load_digits

    digits = data.load()
    assert digits.side == 8
    assert len(digits.train.images) + len(digits.test.images) == 1797
    share = digits.test.labels.sum(0) / (digits.test.labels.sum(0) + digits.train.labels.sum(0))
    assert (abs(share - 0.2) < 0.005).all()
    both = np.concatenate([digits.train.images, digits.test.images])
    assert both.dtype == np.float32
    given = load_digits().data / 16
    np.testing.assert_array_equal(both[np.lexsort(both.T)], given[np.lexsort(given.T)].astype(np.float32))
    again = data.load()
    np.testing.assert_array_equal(again.test.images, digits.test.images)


# data: MNIST's files


def write_idx(path: Path, array: np.ndarray) -> None:
    raw = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)


@pytest.fixture
def mnist(tmp_path):
    """A folder like MNIST's, of 12 pictures to train with and 5 to test, 12x12, the labels gzipped."""
    rng = np.random.default_rng(0)
    for part, n in (("train", 12), ("t10k", 5)):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", rng.integers(0, 256, [n, 12, 12], np.uint8))
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte.gz", np.arange(n, dtype=np.uint8) % 10)
    return tmp_path


def test_mnist_files_plain_and_gzipped(data, mnist):
    digits = data.load(mnist)
    assert digits.side == 12
    assert digits.train.images.shape == (12, 144)
    assert (digits.train.images.min(), digits.train.images.max()) == (0, 1)
    np.testing.assert_array_equal(digits.test.labels, np.eye(10)[:5])


def test_real_mnist(data, data_dir):
    digits = data.load(data_dir("mnist"))
    assert digits.train.images.shape == (60000, 784)
    assert digits.train.labels.sum(0)[:3].tolist() == [5923, 6742, 5958]
    assert digits.test.labels[:5].argmax(1).tolist() == [7, 2, 1, 0, 4]


def test_missing_files_are_all_named(data, mnist):
    (mnist / "t10k-labels-idx1-ubyte.gz").unlink()
    (mnist / "train-images-idx3-ubyte").unlink()
    with pytest.raises(data.DataError) as caught:
        data.load(mnist)
    message = str(caught.value)
    assert "lacks 2 of MNIST's four files" in message
    for name in data.IDX_FILES:
        state = "missing" if name in ("t10k-labels-idx1-ubyte", "train-images-idx3-ubyte") else "found"
        assert any(line.split() == [state, name] for line in message.splitlines())


def test_a_folder_that_is_not_there(data, tmp_path):
    with pytest.raises(data.DataError, match="is not a folder"):
        data.load(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda raw: b"\x89PNG" + raw[4:], "no idx file"),
        (lambda raw: raw[:6], "ends within its header"),
        (lambda raw: raw[:-1], "it holds"),
        (lambda raw: raw + b"\0", "it holds"),
        (lambda raw: b"", "no idx file"),
    ],
)
def test_damaged_files(data, mnist, change, words):
    path = mnist / "train-images-idx3-ubyte"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(data.DataError, match=words) as caught:
        data.load(mnist)
    assert str(path) in str(caught.value)


def test_a_gzip_file_that_is_cut_short(data, mnist):
    path = mnist / "train-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(data.DataError, match="cannot be read"):
        data.load(mnist)


def test_files_that_do_not_belong_together(data, mnist):
    write_idx(mnist / "train-labels-idx1-ubyte.gz", np.zeros(11, np.uint8))
    with pytest.raises(data.DataError, match="do not fit"):
        data.load(mnist)
    write_idx(mnist / "train-labels-idx1-ubyte.gz", np.full(12, 10, np.uint8))
    with pytest.raises(data.DataError, match="digits are 0 to 9"):
        data.load(mnist)


# data: batches


def test_batches_pass_over_all_examples_before_one_comes_again(data):
    part = data.examples(np.arange(10, dtype=np.float32)[:, None], np.arange(10))
    got = np.concatenate([b.images[:, 0] for b in data.batches(part, 4, 5)])
    assert sorted(got[:10]) == sorted(got[10:]) == list(range(10))
    assert list(got[:10]) != list(got[10:])
    for images, labels in data.batches(part, 3, 4, seed=1):
        np.testing.assert_array_equal(labels.argmax(1), images[:, 0])


def test_batches_of_a_seed_are_the_same(data):
    part = data.load().train
    wobble = data.Wobble(0.5, 10, 0.1)
    one, two = ([b.images for b in data.batches(part, 7, 3, seed=5, wobble=wobble)] for _ in range(2))
    np.testing.assert_array_equal(one, two)
    (other,) = data.batches(part, 7, 1, seed=6, wobble=wobble)
    assert not np.array_equal(other.images, one[0])


class Given:
    """A generator that draws what the test says: the angle, the scale, then both shifts."""

    def __init__(self, angle=0.0, scale=0.0, shift=(0.0, 0.0)):
        self.draws = iter([np.array([angle]), np.array([scale]), np.array(shift).reshape(2, 1, 1)])

    def uniform(self, low, high, size):
        return next(self.draws)


def test_wobbled_by_whole_and_part_pixels(data):
    picture = np.random.default_rng(0).random([1, 36]).astype(np.float32)
    square = picture.reshape(6, 6)
    move = lambda **given: data.wobbled(picture, data.Wobble(9), Given(**given)).reshape(6, 6)
    np.testing.assert_allclose(move(), square, atol=1e-6)
    np.testing.assert_allclose(move(shift=(1, 0)), np.pad(square, ((0, 1), (0, 0)))[1:], atol=1e-6)
    np.testing.assert_allclose(move(shift=(0, -2)), np.pad(square, ((0, 0), (2, 0)))[:, :6], atol=1e-6)
    below = np.pad(square, ((0, 1), (0, 0)))[1:]
    np.testing.assert_allclose(move(shift=(0.25, 0)), 0.75 * square + 0.25 * below, atol=1e-6)
    assert not move(shift=(60, 0)).any()


def test_wobbled_by_a_quarter_turn_and_by_half_the_size(data):
    picture = np.random.default_rng(0).random([1, 25]).astype(np.float32)
    square = picture.reshape(5, 5)
    turned = data.wobbled(picture, data.Wobble(0, 90), Given(angle=90.0)).reshape(5, 5)
    np.testing.assert_allclose(turned, np.rot90(square, -1), atol=1e-5)
    smaller = data.wobbled(picture, data.Wobble(0, 0, 1), Given(scale=1.0)).reshape(5, 5)
    np.testing.assert_allclose(smaller[1:4, 1:4], square[::2, ::2], atol=1e-5)
    assert not smaller[[0, -1]].any()


# the models


@pytest.mark.parametrize(
    ("name", "small", "large"),
    [
        ("softmax", 64 * 10 + 10, 784 * 10 + 10),
        ("hidden", 64 * 512 + 512 + 5130, 784 * 512 + 512 + 5130),
        ("convnet", 832 + 9 * 32 * 64 + 64 + 256 * 256 + 256 + 2570, 832 + 51264 + 3136 * 1024 + 1024 + 10250),
    ],
)
def test_sizes(load, name, small, large):
    import thalweg as tf

    build = getattr(load(name), name)
    for side, wanted in ((8, small), (28, large)):
        with tf.Graph().as_default():
            model = build(side)
            assert model.x.get_shape().as_list() == [None, side * side]
            assert model.y.get_shape().as_list() == [None, 10]
            assert sum(v.get_shape().num_elements() for v in tf.trainable_variables()) == wanted


@pytest.mark.parametrize(
    ("name", "steps", "enough"), [("softmax", 400, 0.93), ("hidden", 300, 0.95), ("convnet", 60, 0.85)]
)
def test_each_learns(load, data, name, steps, enough):
    train, program, digits = load("train"), load(name), data.load()
    looks = []
    plan = program.plan(digits)._replace(steps=steps)
    outcome = train.fit(getattr(program, name), digits, plan, watch=looks.append)
    assert outcome.accuracy >= enough
    assert looks[0].step == 0
    assert looks[-1].step == steps
    assert looks[0].loss > 1.5 > looks[-1].loss
    assert outcome.probabilities.shape == (len(digits.test.images), 10)
    np.testing.assert_allclose(outcome.probabilities.sum(1), 1, rtol=1e-5)
    assert outcome.parameters == sum(w.size for w in outcome.weights.values())
    assert outcome.steps_per_second > 0


def test_the_same_seed_gives_the_same_model(load, data):
    train, program, digits = load("train"), load("convnet"), data.load()
    plan = program.plan(digits)._replace(steps=3)
    one, two = (train.fit(program.convnet, digits, plan, seed=3) for _ in range(2))
    np.testing.assert_array_equal(one.probabilities, two.probabilities)
    other = train.fit(program.convnet, digits, plan, seed=4)
    assert not np.array_equal(one.probabilities, other.probabilities)


def test_fit_writes_event_files(load, data, tmp_path):
    from thalweg import plot
    from thalweg._src.formats.events import read_events

    train, softmax, digits = load("train"), load("softmax"), data.load()
    looks = []
    train.fit(softmax.softmax, digits, train.Plan(steps=20), logdir=tmp_path, watch=looks.append)
    lines = {line.get_label(): line for line in plot.curves(tmp_path, "loss").lines}
    assert set(lines) == {"train", "test"}
    assert lines["train"].get_xdata().tolist() == [look.step for look in looks] == list(range(21))
    np.testing.assert_allclose(lines["train"].get_ydata(), [look.loss for look in looks], rtol=1e-6)
    (events,) = (tmp_path / "train").iterdir()
    with events.open("rb") as stream:
        graphs = [event.graph_def for event in read_events(stream) if event.graph_def]
    assert len(graphs) == 1
    assert b"inference/weights" in graphs[0]


# the programs


def run(program: str, *words: object, **keywords) -> subprocess.CompletedProcess:
    command = [sys.executable, str(FOLDER / program), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, **keywords)


def test_a_model_on_its_own(tmp_path):
    ran = run("softmax.py", "--steps", 200, "--logdir", tmp_path / "logs")
    assert ran.returncode == 0, ran.stderr
    first, *_, last = ran.stdout.splitlines()
    assert first.split()[:2] == ["step", "0"]
    assert "of the 364 test pictures" in last
    assert float(last.split("%")[0]) > 90
    assert list((tmp_path / "logs" / "train").iterdir())


def test_the_demo_on_a_folder_in_mnists_format(mnist, tmp_path):
    out = tmp_path / "out"
    earlier = out / "logs" / "softmax" / "train" / "events.out.tfevents.1.earlier"
    earlier.parent.mkdir(parents=True)
    earlier.write_text("of an earlier demo: its curves would be mixed with the new ones")
    ran = run("demo.py", "--steps", 2, "--data", mnist, "--out", out, env={"COLUMNS": "120", "PATH": ""})
    assert ran.returncode == 0, ran.stderr
    assert not earlier.exists()
    for title in ("softmax regression", "one hidden layer", "convolutional", "1,450", "79,370", "653,194"):
        assert title in ran.stdout
    assert len(list((out / "logs").rglob("*tfevents*"))) == 6
    pictures = {p.stem for p in (out / "pictures").glob("*.png")}
    assert {
        "softmax-weights",
        "convnet-filters",
        "convnet-least-certain",
        "hidden-confusion-matrix",
        "loss",
    } <= pictures
    assert all((out / "pictures" / f"{p}.png").stat().st_size > 2000 for p in pictures)


@pytest.mark.parametrize("command", ["script", "thalweg demo"])
def test_the_demo_without_data_or_without_a_place(command, tmp_path):
    def demo(*words):
        if command == "script":
            return run("demo.py", *words)
        return subprocess.run(
            [sys.executable, "-m", "thalweg", "demo", *map(str, words)], capture_output=True, text=True, timeout=120
        )

    ran = demo("--data", tmp_path, "--out", tmp_path / "out")
    assert ran.returncode == 2
    for name in (
        "train-images-idx3-ubyte",
        "train-labels-idx1-ubyte",
        "t10k-images-idx3-ubyte",
        "t10k-labels-idx1-ubyte",
    ):
        assert name in ran.stderr
    assert "Traceback" not in ran.stderr
    (tmp_path / "file").write_text("")
    ran = demo("--out", tmp_path / "file" / "out")
    assert ran.returncode == 2
    assert ran.stderr.startswith("thalweg demo: ")
    assert "Traceback" not in ran.stderr


def test_the_command_line_takes_the_options_of_the_program():
    ran = subprocess.run(
        [sys.executable, "-m", "thalweg", "demo", "--help"], capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    for option in ("--data", "--out", "--steps", "--seed"):
        assert option in ran.stdout
