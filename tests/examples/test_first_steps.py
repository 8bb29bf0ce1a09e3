"""examples/perceptron.py, linear_regression.py and ways_down.py."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "examples"

pytest.importorskip("matplotlib")


@pytest.fixture
def load(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module
    for name in ("perceptron", "linear_regression", "ways_down"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("seed", range(3))
def test_perceptron_learns_what_a_line_can_tell_apart(load, tmp_path, capsys, seed):
    perceptron = load("perceptron")
    learned = perceptron.main(["--out", str(tmp_path / "p.png"), "--seed", str(seed)])
    for name, values in perceptron.FUNCTIONS.items():
        w, solved = learned[name]
        right = ((perceptron.X @ w >= 0) == values).all()
        assert right == solved == (name != "XOR")
    assert capsys.readouterr().out.count("agree") == 4
    assert (tmp_path / "p.png").stat().st_size > 5000


def test_perceptron_in_numpy_and_as_graph_take_the_same_way(load):
    perceptron = load("perceptron")
    start = np.array([-0.4, 0.3, 0.9], np.float32)
    for values in perceptron.FUNCTIONS.values():
        y = np.array(values, np.float32)
        for passes in (1, 2, 5):
            by_hand, as_graph = (
                f(y, start, passes=passes) for f in (perceptron.train_in_numpy, perceptron.train_as_graph)
            )
            np.testing.assert_array_equal(by_hand[0], as_graph[0])
            assert by_hand[1] == as_graph[1]


def test_linear_regression_finds_the_least_squares_line(load, tmp_path, capsys):
    program = load("linear_regression")
    fit = program.main(["--out", str(tmp_path / "l.png")])
    x, y = program.points()
    W, b = np.polyfit(x, y, 1)
    assert abs(fit.W[-1] - W) < 1e-3
    assert abs(fit.b[-1] - b) < 1e-3
    assert abs(fit.W[-1] - 0.1) < 0.01
    assert abs(fit.b[-1] - 0.3) < 0.01
    assert fit.loss[-1] < fit.loss[0]
    assert len(fit.loss) == 401
    assert "drawn in" in capsys.readouterr().out
    assert (tmp_path / "l.png").stat().st_size > 5000


def test_linear_regression_descends_as_the_formula_says(load):
    program = load("linear_regression")
    x, y = program.points(50, seed=1)
    fit = program.train(x, y, steps=5, rate=0.2)
    for i in range(5):
        error = fit.W[i] * x + fit.b[i] - y
        np.testing.assert_allclose(fit.loss[i], np.mean(error**2), rtol=1e-5)
        np.testing.assert_allclose(fit.W[i + 1], fit.W[i] - 0.2 * 2 * np.mean(error * x), rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(fit.b[i + 1], fit.b[i] - 0.2 * 2 * np.mean(error), rtol=1e-4, atol=1e-6)


def test_higher_derivatives_need_fewer_looks(load):
    ways_down = load("ways_down")
    pytest.importorskip("scipy")
    slow, _ = ways_down.descend("gradient descent", looks=20)
    fast, accuracy = ways_down.descend("L-BFGS", looks=20)
    assert len(fast) <= 24
    assert fast[-1] < 0.2 < 0.9 < slow[-1]
    assert accuracy > 0.95


def test_annealing_needs_no_gradient(load):
    history, said = load("ways_down").anneal()
    assert history[-1] == 0
    assert said.tolist() == [0, 1, 1, 0]
