"""Wide and deep: a linear model that remembers and a network that generalises, on a table like a census.

    python examples/wide_and_deep.py

The table is made here: age, hours, education, occupation, region, and whether somebody earns more than 50,000. Part of it is a smooth
function of age, hours and education, which networks find; part are exceptions of single pairs (occupation x region), which a crossed
column of the wide part remembers (Cheng et al. 2016). The three estimators differ in nothing else.
"""

from __future__ import annotations

import argparse

import numpy as np

import thalweg as tf

CODES = {"education": 6, "occupation": 40, "region": 25}  # columns of codes, and how many there are


def table(n: int, seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Columns [n], and 1 [n] where the income is above 50,000. The rules are the same for every seed."""
    rules = np.random.default_rng(0)
    exceptions = np.where(rules.random([40, 25]) < 0.25, rules.normal(scale=4, size=[40, 25]), 0)
    rng = np.random.default_rng(seed)
    age, hours = rng.uniform(18, 80, n), np.clip(rng.normal(40, 12, n), 1, 99)
    education, occupation, region = rng.integers(0, 6, n), rng.integers(0, 40, n), rng.integers(0, 25, n)
    score = (
        3
        - ((age - 50) / 15) ** 2
        + (education - 2.5) * np.clip((hours - 30) / 15, -1, 2)
        + exceptions[occupation, region]
    )
    columns = {
        "age": age.astype(np.float32),
        "hours": hours.astype(np.float32),
        "education": education,
        "occupation": occupation,
        "region": region,
    }
    return columns, (rng.random(n) < 1 / (1 + np.exp(-2 * score))).astype(np.int32)


def row(start: tf.Tensor, ids: tf.Tensor) -> tf.Tensor:
    """The rows `ids` [n] of a table that starts as `start`. For small tables a product with ones and zeros is the quickest look-up."""
    return tf.matmul(tf.one_hot(ids, int(start.shape[0])), tf.Variable(start))


def wide(people: dict[str, tf.Tensor]) -> tf.Tensor:
    """Logits [n]: a weight for each code, for each age group, and for each pair of occupation and region."""
    groups = tf.cast(tf.clip_by_value((people["age"] - 15) / 10, 0, 6), tf.int32)
    crossed = people["occupation"] * CODES["region"] + people["region"]
    tables = [(groups, 7), (crossed, CODES["occupation"] * CODES["region"])]
    tables += [(people[name], count) for name, count in CODES.items()]
    return tf.add_n([tf.squeeze(row(tf.zeros([count, 1]), ids), 1) for ids, count in tables])


def deep(people: dict[str, tf.Tensor]) -> tf.Tensor:
    """Logits [n] of a network over the numbers, scaled, and a small vector for each code."""
    inputs = [tf.expand_dims((people["age"] - 49) / 18, 1), tf.expand_dims((people["hours"] - 40) / 12, 1)]
    for name, count in CODES.items():
        inputs.append(row(tf.random_normal([count, 4], stddev=0.5), people[name]))
    hidden = tf.layers.dense(tf.concat(inputs, 1), 64, tf.nn.relu)
    return tf.squeeze(tf.layers.dense(tf.layers.dense(hidden, 32, tf.nn.relu), 1), 1)


def train(parts: list, data: tuple, test: tuple, *, steps: int, seed: int) -> float:
    """The accuracy on `test` of the sum of `parts`, trained together on `data`."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(seed)
        people = {name: tf.placeholder(column.dtype, [None], name) for name, column in data[0].items()}
        rich = tf.placeholder(tf.float32, [None])
        logits = tf.Variable(0.0) + tf.add_n([part(people) for part in parts])
        loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=rich, logits=logits))
        step = tf.train.AdamOptimizer(0.01).minimize(loss)
        right = tf.reduce_mean(tf.cast(tf.equal(tf.cast(logits > 0, tf.float32), rich), tf.float32))
        session.run(tf.global_variables_initializer())
        rng = np.random.default_rng(seed)
        for _ in range(steps):
            rows = rng.integers(0, len(data[1]), 256)
            session.run(step, {**{people[name]: column[rows] for name, column in data[0].items()}, rich: data[1][rows]})
        return float(session.run(right, {**{people[name]: column for name, column in test[0].items()}, rich: test[1]}))


def main(words: list[str] | None = None) -> dict[str, float]:
    """Trains the three, prints and returns their accuracies on people they have not seen."""
    parser = argparse.ArgumentParser(description="Wide, deep, and both, on a census-like table.")
    parser.add_argument("--people", type=int, default=20_000)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(words)

    data, test = table(given.people, 1 + given.seed), table(5000, 1000 + given.seed)
    print(f"{test[1].mean():.3f} earn more than 50,000")
    found = {}
    for name, parts in {"wide": [wide], "deep": [deep], "wide and deep": [wide, deep]}.items():
        found[name] = train(parts, data, test, steps=given.steps, seed=given.seed)
        print(f"{name:<14} {found[name]:.3f} of 5,000 others are told right")
    return found


if __name__ == "__main__":
    main()
