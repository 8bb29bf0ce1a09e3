"""`python -m benchmarks.mnist_accuracy DIR`: the talks' three classifiers on MNIST, held against what they should reach.

The talks say about 90 %, 96 % and 99 %. Each model of examples/digits is trained as its `plan` says; the table goes to
standard output, a line per look to standard error. Exit code 1 where a model stays below its mark.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from pathlib import Path

import numpy as np

EXAMPLES = Path(__file__).parents[1] / "examples" / "digits"
MARKS = {"softmax": 0.92, "hidden": 0.98, "convnet": 0.993}


def main() -> int:
    parser = argparse.ArgumentParser(description="Test accuracy of the three digit classifiers on MNIST.")
    parser.add_argument("data", type=Path, metavar="DIR", help="a folder with MNIST's four idx files")
    parser.add_argument("--models", nargs="+", choices=MARKS, default=list(MARKS))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    given = parser.parse_args()

    sys.path.insert(0, str(EXAMPLES))  # the examples import each other as scripts do
    data, train = importlib.import_module("data"), importlib.import_module("train")
    try:
        digits = data.load(given.data)
    except data.DataError as error:
        print(error, file=sys.stderr)
        return 2
    print("| model | parameters | steps | test accuracy | at least | seconds | steps per second |")
    print("|---|---|---|---|---|---|---|")
    reached = True
    for name in given.models:
        example = importlib.import_module(name)
        plan = example.plan(digits)
        outcomes = []
        for seed in given.seeds:

            def watch(seen, name=name, seed=seed) -> None:
                print(f"{name}, seed {seed}: {seen}", file=sys.stderr, flush=True)

            outcomes.append(train.fit(getattr(example, name), digits, plan, seed=seed, watch=watch))
        accuracy = [o.accuracy for o in outcomes]
        reached &= min(accuracy) >= MARKS[name]
        print(
            f"| {name} | {outcomes[0].parameters:,} | {plan.steps:,} | {', '.join(f'{a:.4f}' for a in accuracy)} "
            f"| {MARKS[name]} | {np.mean([o.seconds for o in outcomes]):.0f} "
            f"| {np.mean([o.steps_per_second for o in outcomes]):,.0f} |",
            flush=True,
        )
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
