"""Words as vectors: skip-grams with noise-contrastive estimation, analogies, and the projector.

    python examples/word2vec.py --logdir runs/words
    python examples/word2vec.py --text my_book.txt --steps 100000

Each word learns to predict its neighbours (Mikolov et al. 2013): words that stand in like places get like vectors. Without --text the
corpus is made here, of short sentences about people, countries and their capitals, small enough to be learned in half a minute, and
regular enough that "king is to man as queen to woman" can be asked.
"""

from __future__ import annotations

import argparse
import collections
from pathlib import Path

import numpy as np

import thalweg as tf
from thalweg import plot

PEOPLE = [
    ("king", "queen"),
    ("man", "woman"),
    ("prince", "princess"),
    ("actor", "actress"),
    ("uncle", "aunt"),
    ("boy", "girl"),
]
PLACES = [
    ("france", "paris"),
    ("italy", "rome"),
    ("spain", "madrid"),
    ("greece", "athens"),
    ("japan", "tokyo"),
    ("egypt", "cairo"),
]
OWN = {
    "king": "crown", "man": "beard", "prince": "castle", "actor": "stage", "uncle": "cousin", "boy": "school",
    "france": "wine", "italy": "pasta", "spain": "oranges", "greece": "olives", "japan": "rice", "egypt": "sand",
}  # fmt: skip
ANALOGIES = [(*a, *b) for kinds in (PEOPLE, PLACES) for a in kinds for b in kinds if a != b]


def sentences(n: int, rng: np.random.Generator) -> list[list[str]]:
    """`n` sentences: each says one thing of what a pair shares, or of what its two sides are."""
    out = []
    for _ in range(n):
        kinds, sides = [
            (PEOPLE, [["he", "his"], ["she", "her"]]),
            (PLACES, [["country", "borders"], ["city", "streets"]]),
        ][rng.integers(2)]
        pair, side = kinds[rng.integers(len(kinds))], rng.integers(2)
        word, own = pair[side], OWN[pair[0]]
        about = sides[side][rng.integers(2)]
        out.append([[word, own], [word, about], [own, word, about], [about, word, own]][rng.integers(4)])
    return out


def pairs(lines: list[list[int]], window: int) -> np.ndarray:
    """(word, neighbour) for all neighbours within `window`: [n, 2]."""
    return np.array(
        [
            (w, line[j])
            for line in lines
            for i, w in enumerate(line)
            for j in range(max(0, i - window), min(len(line), i + window + 1))
            if j != i
        ]
    )


def train(examples: np.ndarray, counts: list[int], *, size: int, steps: int, logdir: Path, seed: int) -> np.ndarray:
    """Vectors [words, size] of length 1. The loss goes to `logdir`."""
    vocabulary = len(counts)
    with tf.Graph().as_default() as graph, tf.Session() as session:
        tf.set_random_seed(seed)
        words, near = tf.placeholder(tf.int32, [None]), tf.placeholder(tf.int32, [None, 1])
        vectors = tf.Variable(tf.random_uniform([vocabulary, size], -0.5, 0.5), name="vectors")
        weights = tf.Variable(tf.truncated_normal([vocabulary, size], stddev=size**-0.5))
        loss = tf.reduce_mean(
            tf.nn.nce_loss(
                weights, tf.Variable(tf.zeros([vocabulary])), near, tf.nn.embedding_lookup(vectors, words),
                num_sampled=min(16, vocabulary // 2), num_classes=vocabulary,
            )
        )  # fmt: skip
        step = tf.train.AdamOptimizer(0.005).minimize(loss)
        tf.summary.scalar("loss", loss)
        summaries = tf.summary.merge_all()
        unit = tf.nn.l2_normalize(vectors, 1)
        session.run(tf.global_variables_initializer())
        rng = np.random.default_rng(seed)
        with tf.summary.FileWriter(logdir, graph) as writer:
            for i in range(steps):
                batch = examples[rng.integers(0, len(examples), 256)]
                feed = {words: batch[:, 0], near: batch[:, 1:]}
                if i % max(1, steps // 50) == 0:
                    writer.add_summary(session.run(summaries, feed), i)
                session.run(step, feed)
        return session.run(unit)


def answer(vectors: np.ndarray, a: int, b: int, c: int) -> int:
    """The word that is to `c` as `b` is to `a`."""
    closeness = vectors @ (vectors[b] - vectors[a] + vectors[c])
    closeness[[a, b, c]] = -np.inf
    return int(closeness.argmax())


def main(words: list[str] | None = None) -> float:
    """Trains, asks, and returns the share of analogies answered right (of those whose words are known)."""
    parser = argparse.ArgumentParser(description="Vectors of words, analogies, and the projector.")
    parser.add_argument("--text", type=Path, help="a text, instead of the made one")
    parser.add_argument("--logdir", type=Path, default=Path("runs/words"))
    parser.add_argument("--vocabulary", type=int, default=5000)
    parser.add_argument("--size", type=int, default=16)
    parser.add_argument("--window", type=int, default=2)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(words)

    if given.text:
        lines = [line.lower().split() for line in given.text.read_text(encoding="utf-8").splitlines()]
    else:
        lines = sentences(20_000, np.random.default_rng(given.seed))
    counted = collections.Counter(w for line in lines for w in line).most_common(given.vocabulary)
    number = {w: i for i, (w, _) in enumerate(counted)}
    examples = pairs([[number[w] for w in line if w in number] for line in lines], given.window)
    vectors = train(
        examples, [n for _, n in counted], size=given.size, steps=given.steps, logdir=given.logdir, seed=given.seed
    )  # fmt: skip
    names = list(number)
    plot.project(given.logdir, vectors, name="words", labels={"word": names, "count": [n for _, n in counted]})

    for word in names[:6]:
        near = (vectors @ vectors[number[word]]).argsort()[::-1][1:5]
        print(f"{word:<10} is near " + ", ".join(names[i] for i in near))
    known = [q for q in ANALOGIES if all(w in number for w in q)]
    right = [names[answer(vectors, *(number[w] for w in q[:3]))] == q[3] for q in known]
    share = float(np.mean(right)) if right else float("nan")
    for q, fine in list(zip(known, right, strict=True))[:: max(1, len(known) // 6)]:
        found = names[answer(vectors, *(number[w] for w in q[:3]))]
        print(f"{q[0]} is to {q[1]} as {q[2]} to {found}" + ("" if fine else f", but it is {q[3]}"))
    print(f"{share:.0%} of {len(known)} analogies are right. Look at the words: thalweg board {given.logdir}")
    return share


if __name__ == "__main__":
    main()
