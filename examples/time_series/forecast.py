"""Tomorrow from the last four days: an LSTM against a temporal convolutional network, and both against doing nothing clever.

    python examples/time_series/forecast.py ETTh1.csv.gz --column OT --season 24 --plot forecast.png

The file is a CSV table with a header, plain or with .gz at the end; rows are equally far apart in time.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np

import thalweg as tf


class Series(NamedTuple):
    """Windows [n, past] and what came after them [n, horizon], in units of the part that is learnt from: mean 0, deviation 1.

    The last fifth of the time is held out; no window reaches across the border.
    """

    train: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    mean: float
    deviation: float


def column(path: str | Path, name: str) -> np.ndarray:
    """The numbers of a column. Rows without one repeat the one before."""
    path = Path(path)
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    rows = csv.DictReader(io.StringIO(raw.decode("utf-8")))
    if name not in (rows.fieldnames or []):
        raise ValueError(f"{path} has no column {name!r}; it has {', '.join(rows.fieldnames or [])}.")
    values: list[float] = []
    for row in rows:
        try:
            values.append(float(row[name]))
        except ValueError:
            values.append(values[-1] if values else 0.0)
    return np.array(values)


def windows(values: np.ndarray, past: int, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    starts = np.arange(len(values) - past - horizon + 1)[:, None]
    if len(starts) == 0:
        raise ValueError(f"{len(values)} values are too few for windows of {past} + {horizon}.")
    both = values[starts + np.arange(past + horizon)].astype(np.float32)
    return both[:, :past], both[:, past:]


def split(values: np.ndarray, past: int, horizon: int) -> Series:
    border = len(values) * 4 // 5
    mean, deviation = values[:border].mean(), values[:border].std()
    scaled = (values - mean) / deviation
    parts = windows(scaled[:border], past, horizon), windows(scaled[border:], past, horizon)
    return Series(*parts, float(mean), float(deviation))


# -- the two networks: [batch, past] -> [batch, horizon], as steps away from the last value


def lstm(x: tf.Tensor, horizon: int) -> tf.Tensor:
    """Reads the window value by value; the forecast is made of its last output."""
    outputs, _ = tf.nn.dynamic_rnn(tf.nn.rnn_cell.LSTMCell(48), tf.expand_dims(x, 2), dtype=tf.float32)
    return tf.layers.dense(outputs[:, -1], horizon, name="forecast")


def tcn(x: tf.Tensor, horizon: int) -> tf.Tensor:
    """Convolutions that look back only, each twice as far as the one below (Bai et al., 2018)."""
    h = tf.expand_dims(x, 2)
    for i, rate in enumerate((1, 2, 4, 8, 16)):
        with tf.variable_scope(f"block{i}"):
            before = h
            for j in range(2):
                padded = tf.pad(h, [[0, 0], [2 * rate, 0], [0, 0]])
                h = tf.layers.conv1d(padded, 24, 3, dilation_rate=rate, activation=tf.nn.relu, name=f"conv{j}")
            if before.get_shape()[-1] != h.get_shape()[-1]:
                before = tf.layers.conv1d(before, 24, 1, name="match")
            h = tf.nn.relu(h + before)
    return tf.layers.dense(h[:, -1], horizon, name="forecast")


NETWORKS: dict[str, Callable[[tf.Tensor, int], tf.Tensor]] = {"LSTM": lstm, "TCN": tcn}


def trained(name: str, series: Series, steps: int, seed: int) -> np.ndarray:
    """The forecasts of a network for all windows that are held out, after `steps` batches of 64."""
    past, horizon = series.train[0].shape[1], series.train[1].shape[1]
    draw = np.random.RandomState(seed)
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.set_random_seed(seed)
        x = tf.placeholder(tf.float32, [None, past], name="past")
        y = tf.placeholder(tf.float32, [None, horizon], name="future")
        with tf.variable_scope(name):
            forecast = x[:, -1:] + NETWORKS[name](x, horizon)
        loss = tf.losses.absolute_difference(y, forecast)
        rate = tf.placeholder(tf.float32, [], name="rate")
        train_step = tf.train.AdamOptimizer(rate).minimize(loss)
        sess.run(tf.global_variables_initializer())
        for step in range(steps):
            rows = draw.randint(0, len(series.train[0]), 64)
            feeds = {x: series.train[0][rows], y: series.train[1][rows], rate: 3e-3 * (1 - step / steps)}
            sess.run(train_step, feeds)
        found = [
            sess.run(forecast, {x: part}) for part in np.array_split(series.test[0], len(series.test[0]) // 512 + 1)
        ]
    return np.concatenate(found)


def naive(series: Series, season: int) -> dict[str, np.ndarray]:
    """The last value again and again, and the last season again."""
    past, horizon = series.test[0], series.test[1].shape[1]
    times = np.arange(horizon) % season - season + past.shape[1]
    return {"last value": np.repeat(past[:, -1:], horizon, 1), "last season": past[:, times]}


def errors(series: Series, forecast: np.ndarray) -> tuple[float, float]:
    """(mean absolute error, root of the mean squared error), in the units of the file."""
    wrong = (forecast - series.test[1]) * series.deviation
    return float(np.abs(wrong).mean()), float(np.sqrt((wrong**2).mean()))


def plot(
    path: str,
    series: Series,
    forecasts: dict[str, np.ndarray],
    found: dict[str, tuple[float, float]],
    season: int,
) -> None:
    """A picture of the truth and of both networks, forecast after forecast, over the last eight seasons; and of all errors."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    horizon = series.test[1].shape[1]
    count = max(8 * season // horizon, 1)
    at = [len(series.test[1]) - 1 - i * horizon for i in range(count)][::-1]
    figure, (lines, bars) = pyplot.subplots(1, 2, figsize=(13, 4), width_ratios=[3, 1])
    for name, table in {"truth": series.test[1], **forecasts}.items():
        line = np.concatenate([table[i] for i in at if i >= 0]) * series.deviation + series.mean
        lines.plot(line, label=name, color="black" if name == "truth" else None, linewidth=2 if name == "truth" else 1)
    lines.set_xlabel("steps")
    lines.legend()
    bars.bar(list(found), [absolute for absolute, _ in found.values()])
    bars.set_title("mean absolute error")
    bars.tick_params(axis="x", rotation=30)
    figure.tight_layout()
    figure.savefig(path)
    pyplot.close(figure)


def main(argv: list[str] | None = None) -> dict[str, tuple[float, float]]:
    """Trains both, prints a table of errors, and gives it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table")
    parser.add_argument("--column", default="OT")
    parser.add_argument("--season", type=int, default=24)
    parser.add_argument("--past", type=int, default=96)
    parser.add_argument("--horizon", type=int, default=24)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--plot", help="a file for the picture")
    args = parser.parse_args(argv)

    series = split(column(args.table, args.column), args.past, args.horizon)
    print(f"{len(series.train[0]):,} windows to learn from, {len(series.test[0]):,} held out")
    forecasts = {}
    for name in NETWORKS:
        begin = time.perf_counter()
        forecasts[name] = trained(name, series, args.steps, args.seed)
        print(f"{name}: {args.steps} steps, {time.perf_counter() - begin:.0f} s")
    found = {name: errors(series, table) for name, table in {**naive(series, args.season), **forecasts}.items()}
    print(f"\n{'':12} {'mean absolute':>14} {'root of squares':>16}")
    for name, (absolute, squared) in found.items():
        print(f"{name:12} {absolute:14.3f} {squared:16.3f}")
    if args.plot:
        plot(args.plot, series, forecasts, found, args.season)
    return found


if __name__ == "__main__":
    main()
