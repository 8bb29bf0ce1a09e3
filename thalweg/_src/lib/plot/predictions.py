"""What a classifier gets right and wrong, and how sure it is."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from thalweg._src.lib.plot.canvas import (
    INK,
    RIGHT,
    WRONG,
    axes,
    classes,
    mosaic,
    names_of,
    pictures,
    plain,
    same_length,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LETTERS = 13  # in a line below an image


def confusion_matrix(
    labels: object, predictions: object, ax: Axes | None = None, names: Sequence[str] | None = None
) -> Axes:
    """How often each class (rows) is taken for each class (columns): right answers in blue, mistakes in red.

    `labels` and `predictions` are class numbers [n], or [n, k] with one row of scores per example, of which the largest
    counts. The classes are 0 up to the greatest that occurs, and at least as many as `names`. A cell's colour is its
    share of the row; empty cells stay white. Raises ValueError for other shapes and for different lengths.

    >>> from thalweg import plot
    >>> ax = plot.confusion_matrix([0, 0, 1, 1, 1], [0, 1, 1, 1, 0], names=["cat", "dog"])
    >>> ax.get_title()
    '3 of 5 right (60.0 %)'
    """
    actual, said = classes(labels, "labels"), classes(predictions, "predictions")
    n = same_length(labels=actual, predictions=said)
    if n and min(actual.min(), said.min()) < 0:
        raise ValueError("Class numbers start at 0; there are negative ones.")
    k = max(int(max(actual.max(initial=0), said.max(initial=0))) + 1, len(names or ()))
    counts = np.zeros((k, k), np.int64)
    np.add.at(counts, (actual, said), 1)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    ax = axes(ax, max(3.2, 1.4 + 0.46 * k), max(2.8, 1.5 + 0.44 * k))
    right = np.eye(k, dtype=bool)
    ax.imshow(np.ma.array(share, mask=~right | (counts == 0)), cmap="Blues", vmin=0, vmax=1.3)
    # Few mistakes are the rule, so they are told apart on a scale of their own.
    ax.imshow(np.ma.array(share, mask=right | (counts == 0)), cmap="Reds", vmin=-0.05, vmax=0.4)
    for (i, j), count in np.ndenumerate(counts):
        if count:
            dark = share[i, j] > (0.6 if i == j else 0.25)
            ax.text(j, i, str(count), ha="center", va="center", color="white" if dark else INK, fontsize=9)
    ticks = names_of(names, k)
    long = max(map(len, ticks)) > 3
    ax.set_xticks(range(k), ticks, rotation=45 if long else 0, ha="right" if long else "center")
    ax.set_yticks(range(k), ticks)
    ax.set_xticks(np.arange(k + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(k + 1) - 0.5, minor=True)
    ax.grid(which="minor", color="#e6e6e6", linewidth=0.8)
    ax.tick_params(which="both", length=0)
    ax.set_xlabel("predicted")
    ax.set_ylabel("actual")
    hits = int(np.trace(counts))
    ax.set_title(f"{hits} of {n} right ({hits / max(n, 1):.1%})".replace("%", " %"))
    return ax


def least_certain(
    images: object,
    probabilities: object,
    labels: object,
    k: int = 24,
    *,
    names: Sequence[str] | None = None,
    columns: int = 8,
    ax: Axes | None = None,
) -> Axes:
    """The `k` images whose most probable class is least probable, the least certain first.

    `images`: [n, pixels] (squares), [n, height, width] or [n, height, width, channels]; `probabilities`: [n, classes];
    `labels`: [n] class numbers or [n, classes]. Below each stands what the model says and how sure it is; in red, with
    the true class, where it is wrong. Raises ValueError for other shapes and for different lengths.

    >>> from thalweg import plot
    >>> ax = plot.least_certain(np.zeros([2, 9]), [[0.9, 0.1], [0.4, 0.6]], [0, 0], k=1)
    >>> ax.texts[0].get_text()
    '1? 60 %\\nis 0'
    """
    shown, p, actual, said = checked(images, probabilities, labels)
    order = np.argsort(p.max(axis=1), kind="stable")[:k]
    return with_opinions(shown, p, actual, said, order, names, columns, ax)


def most_wrong(
    images: object,
    probabilities: object,
    labels: object,
    k: int = 24,
    *,
    names: Sequence[str] | None = None,
    columns: int = 8,
    ax: Axes | None = None,
) -> Axes:
    """The wrongly classified images, the one with the surest mistake first, `k` of them at most.

    Takes what `least_certain` takes. Where no image is classified wrongly, the picture says so.

    >>> from thalweg import plot
    >>> ax = plot.most_wrong(np.zeros([2, 9]), [[0.9, 0.1], [0.4, 0.6]], [1, 1])
    >>> [text.get_text() for text in ax.texts]
    ['0? 90 %\\nis 1']
    """
    shown, p, actual, said = checked(images, probabilities, labels)
    wrong = np.flatnonzero(said != actual)
    order = wrong[np.argsort(-p[wrong].max(axis=1), kind="stable")][:k] if wrong.size else wrong
    ax = with_opinions(shown, p, actual, said, order, names, columns, ax)
    if not wrong.size:
        ax.text(0.5, 0.5, f"all {len(actual)} are right", ha="center", va="center", transform=ax.transAxes, color=INK)
    return ax


def calibration(probabilities: object, labels: object, bins: int = 10, *, ax: Axes | None = None) -> Axes:
    """How often the model is right (up) among the examples of which it is as sure as this (across).

    `probabilities`: [n, classes]; `labels`: [n] class numbers or [n, classes]. The examples are put into `bins` equal
    intervals by their largest probability; a point is one that holds any, at its mean probability and its accuracy, the
    larger the more examples it holds. The bar through it spans 95 % of what chance alone would do to that accuracy
    (Wilson's interval). The title gives the expected calibration error, the mean of |accuracy - probability| over the
    examples (Guo et al. 2017).

    >>> from thalweg import plot
    >>> plot.calibration([[0.8, 0.2], [0.8, 0.2], [0.1, 0.9]], [0, 1, 1]).get_title()
    'calibration error 23.3 %'
    """
    p, actual = np.asarray(probabilities, np.float64), classes(labels, "labels")
    if p.ndim != 2:
        raise ValueError(f"probabilities must be [n, classes], not {list(p.shape)}.")
    n = same_length(probabilities=p, labels=actual)
    sure, right = p.max(axis=1), p.argmax(axis=1) == actual
    place = np.minimum((sure * bins).astype(int), bins - 1)
    held = np.bincount(place, minlength=bins)
    some = held > 0
    mean = np.bincount(place, sure, bins)[some] / held[some]
    accuracy = np.bincount(place, right, bins)[some] / held[some]
    error = float(np.abs(accuracy - mean) @ held[some] / max(n, 1))

    ax = plain(axes(ax, 4.4, 4.2))
    ax.plot([0, 1], [0, 1], color="#bbbbbb", linewidth=1, linestyle="--", label="as sure as right")
    low, high = wilson(accuracy, held[some])
    ax.vlines(mean, low, high, color=RIGHT, alpha=0.45, linewidth=2)
    ax.plot(mean, accuracy, color=RIGHT, linewidth=1)
    ax.scatter(mean, accuracy, s=20 + 130 * held[some] / held.max(initial=1), color=RIGHT, zorder=3, label="model")
    ax.set(
        xlim=(0, 1.03),
        ylim=(-0.03, 1.03),
        xlabel="probability given to the answer",
        ylabel="share of answers that are right",
    )
    ax.set_title(f"calibration error {error:.1%}".replace("%", " %"))
    ax.set_aspect("equal")
    ax.legend(frameon=False, loc="lower right")
    return ax


def wilson(share: np.ndarray, n: np.ndarray, z: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
    """The interval in which the true share lies with 95 % when `share` of `n` trials were seen (Wilson 1927)."""
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return middle - half, middle + half


def checked(
    images: object, probabilities: object, labels: object
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pictures, probabilities, class numbers and the model's answers, one per example."""
    shown, p, actual = pictures(images), np.asarray(probabilities, np.float64), classes(labels, "labels")
    if p.ndim != 2:
        raise ValueError(f"probabilities must be [n, classes], not {list(p.shape)}.")
    same_length(images=shown, probabilities=p, labels=actual)
    return shown, p, actual, p.argmax(axis=1)


def with_opinions(
    shown: np.ndarray,
    p: np.ndarray,
    actual: np.ndarray,
    said: np.ndarray,
    order: np.ndarray,
    names: Sequence[str] | None,
    columns: int,
    ax: Axes | None,
) -> Axes:
    """The images at `order`, each with the model's answer, its probability, and the truth where that is another."""
    name = names_of(names, max(p.shape[1], int(actual.max(initial=0)) + 1))
    captions, colors = [], []
    for i in order:
        opinion = f"{name[said[i]]}? {100 * p[i].max():.0f} %"
        wrong = said[i] != actual[i]
        told = [opinion, f"is {name[actual[i]]}"] if wrong else [opinion]
        captions.append("\n".join(textwrap.fill(line, LETTERS, break_long_words=False) for line in told))
        colors.append(WRONG if wrong else INK)
    lines = max([2, *[caption.count("\n") + 1 for caption in captions]])
    return mosaic(shown[order], captions, colors=colors, columns=columns, ax=ax, room=0.21 * lines)
