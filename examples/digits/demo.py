"""Trains the talks' three digit classifiers, and shows how that went and what they learned.

python examples/digits/demo.py                  # the digits that come with scikit-learn
python examples/digits/demo.py --data mnist/    # MNIST, from its four idx files
tensorboard --logdir runs/digits/logs           # the curves and the graphs
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import convnet
import hidden
import softmax
from data import DataError, Digits, load
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from train import Look, Model, Outcome, Plan, fit


class Classifier(NamedTuple):
    """A model's graph, how to train it, and what it is, in a few words."""

    build: Callable[[int], Model]
    plan: Callable[[Digits], Plan]
    title: str


CLASSIFIERS = {
    "softmax": Classifier(softmax.softmax, softmax.plan, "softmax regression"),
    "hidden": Classifier(hidden.hidden, hidden.plan, "one hidden layer"),
    "convnet": Classifier(convnet.convnet, convnet.plan, "convolutional"),
}


def demo(digits: Digits, out: Path, console: Console, *, steps: int | None = None, seed: int = 0) -> dict[str, Outcome]:
    """Trains all three on `digits`, each for `steps` if given, and fills `out` with event files and pictures."""
    start = time.perf_counter()
    console.print(
        f"[bold]{digits.name}[/bold]: {len(digits.train.images):,} pictures of {digits.side}x{digits.side} pixels to "
        f"train with, {len(digits.test.images):,} others to test with"
    )
    outcomes = {}
    with progress(console) as bar:
        for name, (build, plan, title) in CLASSIFIERS.items():
            chosen = plan(digits)
            chosen = chosen._replace(steps=steps or chosen.steps)
            task = bar.add_task(title, total=chosen.steps, loss=float("nan"), accuracy=float("nan"))

            def watch(seen: Look, task=task) -> None:
                bar.update(task, completed=seen.step, loss=seen.loss, accuracy=seen.accuracy)

            logdir = empty(out / "logs" / name)
            outcomes[name] = fit(build, digits, chosen, logdir=logdir, seed=seed, watch=watch)
    console.print(table(digits, outcomes))
    pictures = draw(digits, outcomes, out)
    console.print(
        f"{time.perf_counter() - start:.0f} seconds in all. Pictures: [cyan]{out / 'pictures'}[/cyan] ({len(pictures)}). "
        f"Curves and graphs: [cyan]thalweg board {out / 'logs'}[/cyan]",
        highlight=False,
    )
    return outcomes


def progress(console: Console) -> Progress:
    """A bar for each model, with the loss and accuracy on its latest batch."""
    return Progress(
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        TextColumn("loss [bold]{task.fields[loss]:.4f}[/bold] accuracy [bold]{task.fields[accuracy]:.3f}[/bold]"),
        TimeElapsedColumn(),
        console=console,
    )


def empty(logdir: Path) -> Path:
    """`logdir` without the event files of an earlier demo, which TensorBoard would draw into the same curves."""
    for part in ("train", "test"):
        for old in (logdir / part).glob("events.out.tfevents.*"):
            old.unlink()
    return logdir


def table(digits: Digits, outcomes: dict[str, Outcome]) -> Table:
    """One row for each model."""
    n = len(digits.test.images)
    rows = Table(title=f"{digits.name}: how {n:,} test pictures are classified")
    rows.add_column("model", no_wrap=True)
    for heading in ("parameters", "test\naccuracy", "wrong", "seconds", "steps per\nsecond"):
        rows.add_column(heading, justify="right")
    for name, o in outcomes.items():
        wrong = f"{n - round(o.accuracy * n):,}"
        numbers = f"{o.parameters:,}", f"{o.accuracy:.4f}", wrong, f"{o.seconds:.1f}", f"{o.steps_per_second:,.0f}"
        rows.add_row(CLASSIFIERS[name].title, *numbers)
    return rows


def draw(digits: Digits, outcomes: dict[str, Outcome], out: Path) -> list[Path]:
    """Pictures of what each model gets wrong, is unsure of and has learned, and of how the training went."""
    from thalweg import plot

    folder = out / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    square = digits.side, digits.side
    images, labels = digits.test
    axes = {}
    for name, o in outcomes.items():
        title = CLASSIFIERS[name].title
        ax = axes[f"{name}-confusion-matrix"] = plot.confusion_matrix(labels, o.probabilities)
        ax.set_title(f"{title}: {ax.get_title()}")
        axes[f"{name}-least-certain"] = plot.least_certain(images, o.probabilities, labels)
        axes[f"{name}-least-certain"].set_title(f"{title}: the test digits it is least sure of")
        axes[f"{name}-most-wrong"] = plot.most_wrong(images, o.probabilities, labels)
        axes[f"{name}-most-wrong"].set_title(f"{title}: its surest mistakes")
        axes[f"{name}-calibration"] = plot.calibration(o.probabilities, labels)
    if "softmax" in outcomes:
        ax = axes["softmax-weights"] = plot.weights(outcomes["softmax"].weights["inference/weights"], square)
        ax.set_title("softmax regression: pixels for (blue)\nand against (red) each digit")
    if "hidden" in outcomes:
        first = outcomes["hidden"].weights["hidden1/weights"][:, :48]
        ax = axes["hidden-weights"] = plot.weights(first, square, names=[""] * 48, columns=12)
        ax.set_title("one hidden layer: what excites (blue) and inhibits (red) 48 of its units")
    if "convnet" in outcomes:
        ax = axes["convnet-filters"] = plot.filters(outcomes["convnet"].weights["conv1/weights"])
        ax.set_title("convolutional: the 32 filters of its first layer")
    for tag in ("loss", "accuracy"):
        axes[tag] = plot.curves(out / "logs", tag, log=tag == "loss")
    axes["accuracy"].set_ylim(0.8, 1.005)
    for name, ax in axes.items():
        ax.figure.savefig(folder / f"{name}.png")
    return [folder / f"{name}.png" for name in axes]


def main(words: Sequence[str] | None = None) -> int:
    """The command line; 2 when the data is not there, `out` cannot be written, or a package is missing."""
    parser = argparse.ArgumentParser(description="Train the talks' three digit classifiers and show what they learned.")
    parser.add_argument("--data", type=Path, metavar="DIR", help="a folder with MNIST's four idx files")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/digits"), metavar="DIR", help="for event files, pictures"
    )
    parser.add_argument("--steps", type=int, help="train each model for so many steps")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(words)
    try:
        import matplotlib  # noqa: F401 (found missing before the training, not after)

        digits = load(given.data)
        given.out.mkdir(parents=True, exist_ok=True)
        demo(digits, given.out, Console(), steps=given.steps, seed=given.seed)
    except (DataError, OSError, ImportError) as error:
        print(f"thalweg demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
