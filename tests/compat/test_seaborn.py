"""Seaborn as programs of the era call it."""

import types
import warnings

import numpy as np
import pytest

sns = pytest.importorskip("seaborn")
pd = pytest.importorskip("pandas")
matplotlib = pytest.importorskip("matplotlib")

from thalweg._src.compat.mended import seaborn  # noqa: E402


@pytest.fixture
def plt():
    matplotlib.use("Agg")
    from matplotlib import pyplot

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield pyplot
    pyplot.close("all")


@pytest.fixture
def before(plt):
    """A module with Seaborn's functions and classes, mended; the library itself stays as it is."""
    module = types.SimpleNamespace(**vars(sns))
    for name in ("FacetGrid", "PairGrid", "JointGrid"):
        setattr(module, name, type(name, (getattr(sns, name),), {}))
    seaborn.seaborn(module)
    return module


@pytest.fixture
def table():
    numbers = np.random.RandomState(0).randn(20)
    return pd.DataFrame({"x": np.tile(range(5), 4), "y": numbers, "c": list("ab") * 10, "u": 0})


def test_x_and_y_come_by_position(before, table, plt):
    grid = before.jointplot(table.x.values, table.y.values)
    assert grid.ax_joint.collections[0].get_offsets().shape == (20, 2)
    grid = before.jointplot(table.x.values[:, None], table.y.values[:, None])
    assert grid.ax_joint.collections[0].get_offsets().shape == (20, 2)
    plt.figure()
    assert len(before.barplot("c", "y", data=table).patches) == 2
    plt.figure()
    assert before.countplot("c", data=table).get_xlabel() == "c"
    plt.figure()
    assert before.regplot("x", "y", table).get_ylabel() == "y"
    plt.figure()
    assert before.heatmap(np.eye(3), 0.0, 2.0).collections[0].get_clim() == (0.0, 2.0)


def test_a_height_was_a_size(before, table):
    assert before.lmplot("x", "y", table, size=2).figure.get_figheight() == 2
    assert before.pairplot(table[["x", "y"]], size=1).figure.get_figheight() == 2
    assert before.factorplot("c", "y", data=table, size=2).figure.get_figheight() == 2
    assert before.FacetGrid(table, None, "c", size=3).figure.get_figheight() == 3


def test_tsplot_draws_means_over_time(before, table, plt):
    ax = before.tsplot(data=table, time="x", value="y", unit="u", condition="c", ci="sd")
    assert [text.get_text() for text in ax.legend_.texts] == ["a", "b"]
    mean = table[table.c == "a"].groupby("x").y.mean()
    np.testing.assert_allclose(ax.lines[0].get_ydata(), mean.values)
    plt.figure()
    numbers = np.random.RandomState(1).randn(3, 7)
    ax = before.tsplot(numbers, condition="runs", color="g", ci=[68, 95], n_boot=20)
    np.testing.assert_allclose(ax.lines[0].get_ydata(), numbers.mean(0))
    assert ax.legend_.texts[0].get_text() == "runs"
    plt.figure()
    assert len(before.tsplot(np.random.RandomState(2).randn(2, 4, 3), ci=None).lines) == 3
