"""The examples with recurrent networks, at sizes that take seconds."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

import thalweg as tf

EXAMPLES = Path(__file__).parents[2] / "examples"
LOCAL = ("text", "cells")


@pytest.fixture
def load(monkeypatch):
    """`load("char_rnn/char_rnn.py")`: a program as a module, in a graph of its own."""

    def module(name):
        path = EXAMPLES / name
        monkeypatch.syspath_prepend(str(path.parent))
        spec = importlib.util.spec_from_file_location(path.stem, path)
        found = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(found)
        return found

    with tf.Graph().as_default():
        yield module
    for name in LOCAL:
        sys.modules.pop(name, None)


def test_batches_go_on_where_they_stopped(load):
    text = load("char_rnn/text.py")
    found = list(text.batches(np.arange(25), rows=2, steps=3))
    firsts = [x[:, 0].tolist() for x, _ in found]
    assert firsts == [[0, 12], [3, 15], [6, 18], [9, 21]]
    assert all((y == x + 1).all() for x, y in found)
    with pytest.raises(ValueError, match="too few"):
        list(text.batches(np.arange(5), rows=2, steps=3))


def test_text_holds_out_its_end(load):
    text = load("char_rnn/text.py").of_string("abcabcabcd", 0.2)
    assert text.characters == "abcd"
    assert text.decode(text.train.tolist()) == "abcabcab"
    assert text.decode(text.held_out.tolist()) == "cd"


@pytest.mark.parametrize("cell", ["lstm", "first"])
def test_characters_are_learnt_and_written(load, tmp_path, capsys, cell):
    source = tmp_path / "input.txt"
    source.write_text("the quick brown fox jumps over the lazy dog.\n" * 60)
    sizes = ["--iterations", "120", "--batch", "4", "--steps", "10", "--units", "24", "--cell", cell]
    loss = load("char_rnn/char_rnn.py").main([str(source), *sizes])
    assert loss < 2.0  # a guess by how often each character stands in the text: 3.0
    assert "nats per character" in capsys.readouterr().out


def test_classes_of_texts(load, tmp_path, capsys):
    subjects = {"Animal": "fur paws tail legs", "Plant": "leaf root seed stem"}
    draw = np.random.RandomState(0)
    (tmp_path / "classes.txt").write_text("\n".join(subjects))
    for part, count in (("train", 200), ("test", 40)):
        rows = []
        for i in range(count):
            own = list(subjects.values())[i % 2].split()
            words = ["of", "the", "and", *draw.choice(own, 2)]
            draw.shuffle(words)
            rows.append(f'{i % 2 + 1},"{" ".join(words)}"')
        (tmp_path / f"{part}.csv").write_text("\n".join(rows) + "\n")
    main = load("text_classification/ontology.py").main
    assert main([str(tmp_path), "--passes", "6", "--words", "6", "--cell", "gru"]) > 0.9
    assert "Plant" in capsys.readouterr().out


def test_translation_is_learnt(load, tmp_path, capsys):
    words = {"ein": "a", "roter": "red", "blauer": "blue", "hund": "dog", "ball": "ball", "springt": "jumps"}
    draw = np.random.RandomState(0)
    for part, count in (("train", 300), ("val", 30)):
        german = [
            f"ein {draw.choice(['roter', 'blauer'])} {draw.choice(['hund', 'ball'])} springt" for _ in range(count)
        ]
        (tmp_path / f"{part}.de").write_text("\n".join(german))
        (tmp_path / f"{part}.en").write_text("\n".join(" ".join(words[w] for w in s.split()) for s in german))
    sizes = ["--steps", "60", "--batch", "16", "--longest", "5"]
    loss, found = load("translation/translate.py").main([str(tmp_path), *sizes])
    assert loss < 0.5
    assert found > 0.9
    assert "jumps" in capsys.readouterr().out


def test_forecasts_beat_the_last_value(load, tmp_path, capsys):
    t = np.arange(900)
    values = np.sin(2 * np.pi * t / 12) + 0.05 * np.random.RandomState(0).randn(len(t))
    table = tmp_path / "series.csv"
    table.write_text("date,height\n" + "\n".join(f"{i},{v:.4f}" for i, v in enumerate(values)))
    pytest.importorskip("matplotlib")
    picture = tmp_path / "forecast.png"
    sizes = ["--column", "height", "--season", "12", "--past", "24", "--horizon", "6", "--steps", "120"]
    found = load("time_series/forecast.py").main([str(table), *sizes, "--plot", str(picture)])
    assert max(found["LSTM"][0], found["TCN"][0]) < 0.5 * found["last value"][0]
    assert found["last season"][0] < 0.1
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "mean absolute" in capsys.readouterr().out


def test_a_column_that_is_not_there_is_named(load, tmp_path):
    table = tmp_path / "series.csv"
    table.write_text("date,height\n0,1\n")
    with pytest.raises(ValueError, match="no column 'width'; it has date, height"):
        load("time_series/forecast.py").column(table, "width")
