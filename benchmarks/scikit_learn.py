"""`python -m benchmarks.scikit_learn`: thalweg.sklearn beside scikit-learn's perceptrons, on its data, with equal budgets.

Both train for the same number of epochs with the same batches, rates and penalties, once for each seed, in turns. The table
shows the score on rows that neither saw (accuracy, or R2), and the medians of wall and processor time of `fit`; thalweg's
include compiling. Exit code 1 where thalweg scores less by more than a hundredth, or takes longer at 512 units and above.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
import warnings

import numpy as np
from sklearn import datasets, neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler
from thalweg import sklearn as ours

DATA = {
    "digits": (datasets.load_digits, "MLPClassifier"),
    "breast cancer": (datasets.load_breast_cancer, "MLPClassifier"),
    "diabetes": (datasets.load_diabetes, "MLPRegressor"),
}


def one(kind: type, hidden: tuple[int, ...], epochs: int, seed: int, data: tuple) -> tuple[float, float, float]:
    """(score, wall seconds, processor seconds) of one training."""
    x, test_x, y, test_y = data
    model = kind(hidden_layer_sizes=hidden, max_iter=epochs, tol=0, n_iter_no_change=epochs, random_state=seed)
    wall, processor = time.perf_counter(), time.process_time()
    model.fit(x, y)
    return model.score(test_x, test_y), time.perf_counter() - wall, time.process_time() - processor


def prepared(load, seed: int) -> tuple:
    x, y = load(return_X_y=True)
    x, test_x, y, test_y = train_test_split(x, y, random_state=seed)
    scaler = StandardScaler().fit(x)
    if y.dtype.kind == "f":
        middle, width = y.mean(), y.std()
        y, test_y = (y - middle) / width, (test_y - middle) / width
    return *(scaler.transform(part).astype(np.float32) for part in (x, test_x)), y, test_y


def main() -> int:
    parser = argparse.ArgumentParser(description="thalweg.sklearn beside scikit-learn.")
    parser.add_argument("--units", nargs="+", default=["128", "512", "512,512", "1024"], help="widths of hidden layers")
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    print("| data | hidden | score | scikit-learn's | wall s | scikit-learn's | processor s | scikit-learn's |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    kept = True
    for name, (load, kind) in DATA.items():
        for units in given.units:
            hidden = tuple(map(int, units.split(",")))
            rows: dict[str, list[tuple[float, float, float]]] = {"ours": [], "theirs": []}
            for seed in range(given.seeds):
                data = prepared(load, seed)
                for who, module in (("ours", ours), ("theirs", neural_network)):
                    rows[who].append(one(getattr(module, kind), hidden, given.epochs, seed, data))
            mean = {who: [statistics.fmean(r[0] for r in found)] for who, found in rows.items()}
            for who, found in rows.items():
                mean[who] += [statistics.median(r[i] for r in found) for i in (1, 2)]
            (a, wall, processor), (b, their_wall, their_processor) = mean["ours"], mean["theirs"]
            told = f"{a:.4f} | {b:.4f} | {wall:.2f} | {their_wall:.2f} | {processor:.2f} | {their_processor:.2f}"
            print(f"| {name} | {'-'.join(map(str, hidden))} | {told} |", flush=True)
            kept &= a >= b - 0.01 and (max(hidden) < 512 or wall <= their_wall)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
