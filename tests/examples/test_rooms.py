"""The workshop's rooms: short runs of the examples around capacity, logits, codes, words and labels that are few."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "examples"
NAMES = ("capacity", "logits", "word2vec", "wide_and_deep", "autoencoder", "pseudo_labels", "data", "board", "retrain")

pytest.importorskip("matplotlib")


@pytest.fixture
def load(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.syspath_prepend(str(FOLDER / "digits"))
    yield importlib.import_module
    for name in NAMES:
        sys.modules.pop(name, None)


def test_capacity_fits_as_least_squares_do(load):
    program = load("capacity")
    x, y = program.points()
    for degree, penalty in ((1, 0.0), (2, 0.0), (8, 0.01)):
        p = program.powers(x, degree)
        held = penalty * np.eye(degree + 1)
        held[0, 0] = 0
        best = np.linalg.solve(p.T @ p / len(x) + held, p.T @ y / len(x))
        np.testing.assert_allclose(program.fit(x, y, degree, penalty, steps=2000), best, atol=1e-3)


def test_losses_from_logits_stay_finite(load):
    found = load("logits").losses(np.array([-120.0, -3.0, 0.0, 3.0, 120.0]), 0.0)
    loss, gradient = found["from logits"]
    np.testing.assert_allclose(loss, [0, np.log1p(np.exp(-3)), np.log(2), 3 + np.log1p(np.exp(-3)), 120], rtol=1e-6)
    np.testing.assert_allclose(gradient, 1 / (1 + np.exp([120.0, 3, 0, -3, -120])), atol=1e-6)
    naive = found["from probabilities"]
    np.testing.assert_allclose(naive[0][1:4], loss[1:4], rtol=1e-5)
    assert not np.isfinite(naive[0][[0, 4]]).any()


def test_words_answer_analogies(load, tmp_path, capsys):
    program = load("word2vec")
    share = program.main(["--steps", "500", "--logdir", str(tmp_path / "logs")])
    assert share > 0.4
    assert "analogies are right" in capsys.readouterr().out
    assert (tmp_path / "logs" / "projector_config.pbtxt").is_file()
    vectors = np.array([[1.0, 0], [0, 1], [2, 0.1], [0.1, 2], [1.9, 0.2]])
    assert program.answer(vectors, 0, 1, 2) == 3


def test_wide_and_deep_is_better_than_either(load):
    program = load("wide_and_deep")
    columns, rich = program.table(3000, 1)
    assert set(columns) == {"age", "hours", "education", "occupation", "region"}
    assert 0.3 < rich.mean() < 0.9
    found = program.main(["--people", "3000", "--steps", "20"])
    assert min(found.values()) > 0.6


def test_an_autoencoder_starts_better_from_boltzmann_machines(load):
    pytest.importorskip("sklearn")
    program = load("autoencoder")
    errors = program.main(["--steps", "40", "--passes", "4", "--out", "codes"])
    assert errors["pre-trained"] < errors["from random weights"]
    assert Path("codes/plane.png").stat().st_size > 5000
    assert Path("codes/drawn.png").stat().st_size > 2000


def test_pseudo_labels(load):
    pytest.importorskip("sklearn")
    program = load("pseudo_labels")
    np.testing.assert_allclose([program.alpha(step, 100) for step in (0, 20, 40, 60, 100)], [0, 0, 0.5, 1, 1])
    found = program.main(["--steps", "60", "--seeds", "1"])
    assert all(accuracy > 0.6 for accuracy in found.values())


def test_all_that_tensorboard_shows(load, tmp_path):
    pytest.importorskip("sklearn")
    assert load("board").main(["--steps", "20", "--logdir", str(tmp_path / "logs")]) > 0.5
    names = {path.name for path in (tmp_path / "logs").iterdir()}
    assert {"projector_config.pbtxt", "hidden_layer.vectors.tsv", "hidden_layer.sprite.png"} <= names


def test_retrain_tells_new_classes_from_a_folder(load, monkeypatch, tmp_path, capsys):
    image = pytest.importorskip("PIL.Image")
    monkeypatch.syspath_prepend(str(FOLDER / "retrain"))
    program = load("retrain")
    images, labels = program.drawn(program.NEW[:2], 6, seed=5)
    for i, (picture, label) in enumerate(zip(images, labels, strict=True)):
        folder = tmp_path / "pictures" / program.NEW[label]
        folder.mkdir(parents=True, exist_ok=True)
        image.fromarray((picture * 255).astype(np.uint8)).save(folder / f"{i}.png")
    found, kinds, names = program.read(tmp_path / "pictures")
    assert names == sorted(program.NEW[:2])
    np.testing.assert_allclose(found[kinds == names.index(program.NEW[0])], images[labels == 0], atol=1 / 255)
    result = program.main(["--folder", str(tmp_path / "pictures"), "--base", "20", "--steps", "9"])
    assert "9 pictures of cross, ring to learn from, 3 to tell" in capsys.readouterr().out
    assert len(result) == 3
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match="sub-folder"):
        program.read(tmp_path / "empty")
