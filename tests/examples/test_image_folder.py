"""examples/image_folder: pictures in sub-folders, a model of them, its mistakes and its guesses."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "examples" / "image_folder"

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("matplotlib")
pytestmark = pytest.mark.timeout(200)


@pytest.fixture
def classify(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("classify")
    sys.modules.pop("classify", None)


@pytest.fixture
def pictures(tmp_path):
    """Two classes, bright above and bright below, of sizes of their own; one picture has the wrong label."""
    random = np.random.default_rng(0)
    for name in ("above", "below"):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for i in range(30):
            height = int(random.integers(20, 50))
            pixels = random.integers(0, 60, (height, 40, 3))
            above = name == "above" or i == 4
            half = slice(0, height // 2) if above else slice(height // 2, None)
            pixels[half] += 180
            ending = ("png", "jpg")[i % 2]
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "pictures" / name / f"{i:02}.{ending}")
    return tmp_path / "pictures"


def test_every_fifth_picture_is_for_testing(classify, pictures):
    classes, train, test = classify.find(pictures)
    assert classes == ["above", "below"]
    assert (len(train.paths), len(test.paths)) == (48, 12)
    assert not set(train.paths) & set(test.paths)


def test_it_learns_finds_the_wrong_label_and_predicts(classify, pictures, tmp_path, capsys):
    model = tmp_path / "model"
    assert classify.main(["train", str(pictures), "--model", str(model), "--steps", "30"]) == 0
    out, err = capsys.readouterr()
    assert float(out.split("\n")[0].rpartition(" ")[2]) > 0.85
    assert "below/04.png  labelled below, looks like above" in out
    assert "30/30" in err
    assert {p.name for p in model.glob("*.png")} == {"mistakes.png", "confusion.png"}
    assert classify.main(["predict", str(pictures / "above" / "07.jpg"), "--model", str(model)]) == 0
    assert "07.jpg  above" in capsys.readouterr().out


def test_a_damaged_picture_is_named(classify, pictures, tmp_path, capsys):
    (pictures / "above" / "00.png").write_bytes(b"no picture")
    assert classify.main(["train", str(pictures), "--model", str(tmp_path), "--steps", "500"]) == 1
    assert "00.png" in capsys.readouterr().err


def test_errors_in_words(classify, tmp_path, capsys):
    assert classify.main(["train", str(tmp_path / "none")]) == 1
    assert "is not a folder" in capsys.readouterr().err
    assert classify.main(["train", str(tmp_path)]) == 1
    assert "two classes or more" in capsys.readouterr().err
    assert classify.main(["predict", "a.png", "--model", str(tmp_path)]) == 1
    assert "holds no model" in capsys.readouterr().err


def test_a_file_that_is_not_there_does_not_cost_the_others(classify, capsys):
    error = classify.tf.errors.NotFoundError(None, None, "b.png; No such file")
    assert classify.show(["a.png", "b.png", "c.png"], [[("x", 0.9)], error, [("y", 0.8)]]) == 1
    out, err = capsys.readouterr()
    assert out == "a.png  x 0.90\nc.png  y 0.80\n"
    assert err == "b.png; No such file\n"
