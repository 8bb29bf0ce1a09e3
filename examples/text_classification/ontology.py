"""What is a text about? A recurrent network reads its first words and says: company, artist, plant, film, ...

    python examples/text_classification/ontology.py dbpedia/ --cell gru

The folder holds the lecture's DBpedia classes: classes.txt (a name per line), train.csv and test.csv (class number from 1, text).
"""

from __future__ import annotations

import argparse
import collections
import csv
import io
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

import thalweg as tf

CELLS = {
    "rnn": tf.nn.rnn_cell.BasicRNNCell,
    "gru": tf.nn.rnn_cell.GRUCell,
    "lstm": tf.nn.rnn_cell.BasicLSTMCell,
}
UNKNOWN = 1  # 0 stands behind the end of a text


class Documents(NamedTuple):
    """Texts as word numbers [n, words], how many words each has [n], and its class [n], from 0."""

    words: np.ndarray
    lengths: np.ndarray
    classes: np.ndarray


class Ontology(NamedTuple):
    names: list[str]
    vocabulary: dict[str, int]
    train: Documents
    test: Documents


def split(text: str) -> list[str]:
    return re.findall(r"[a-z]+|\d+", text.lower())


def read(folder: str | Path, words: int, vocabulary_size: int) -> Ontology:
    """The documents of a folder, cut after `words` words; words that the training texts have seldom are one: unknown."""
    folder = Path(folder)
    names = (folder / "classes.txt").read_text(encoding="utf-8").split()
    texts = {part: (folder / f"{part}.csv").read_text(encoding="utf-8") for part in ("train", "test")}
    rows = {part: list(csv.reader(io.StringIO(text))) for part, text in texts.items()}
    counts = collections.Counter(word for row in rows["train"] for word in split(row[-1]))
    common = [word for word, _ in counts.most_common(vocabulary_size - 2)]
    vocabulary = {word: i for i, word in enumerate(common, 2)}
    parts = {part: documents(table, vocabulary, words) for part, table in rows.items()}
    return Ontology(names, vocabulary, parts["train"], parts["test"])


def documents(rows: list[list[str]], vocabulary: dict[str, int], words: int) -> Documents:
    table = np.zeros((len(rows), words), np.int32)
    lengths = np.zeros(len(rows), np.int32)
    for i, row in enumerate(rows):
        found = [vocabulary.get(word, UNKNOWN) for word in split(row[-1])[:words]]
        table[i, : len(found)], lengths[i] = found, max(len(found), 1)
    return Documents(table, lengths, np.array([int(row[0]) - 1 for row in rows], np.int32))


class Classifier(NamedTuple):
    words: tf.Tensor
    lengths: tf.Tensor
    classes: tf.Tensor
    keep_prob: tf.Tensor
    guess: tf.Tensor
    loss: tf.Tensor
    train_step: tf.Operation


def build(vocabulary: int, classes: int, words: int, cell: str, units: int = 64, depth: int = 48) -> Classifier:
    """Words -> their vectors -> a cell in each direction -> the mean of what it says -> softmax."""
    x = tf.placeholder(tf.int32, [None, words], name="words")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    y = tf.placeholder(tf.int32, [None], name="classes")
    keep_prob = tf.placeholder_with_default(1.0, [], name="keep_prob")
    table = tf.get_variable("vectors", [vocabulary, depth], initializer=tf.random_uniform_initializer(-0.3, 0.3))
    vectors = tf.nn.dropout(tf.nn.embedding_lookup(table, x), keep_prob)
    outputs, _ = tf.nn.bidirectional_dynamic_rnn(
        CELLS[cell](units), CELLS[cell](units), vectors, sequence_length=lengths, dtype=tf.float32
    )
    # Outputs behind the end of a text are zero, so the sum is one over its words.
    total = tf.reduce_sum(tf.concat(outputs, 2), 1)
    mean = total / tf.cast(tf.expand_dims(lengths, 1), tf.float32)
    logits = tf.layers.dense(tf.nn.dropout(mean, keep_prob), classes, name="readout")
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    train_step = tf.train.AdamOptimizer(3e-3).minimize(loss)
    return Classifier(x, lengths, y, keep_prob, tf.argmax(logits, 1), loss, train_step)


def batches(documents: Documents, size: int, draw: np.random.RandomState) -> Iterator[Documents]:
    """One pass, in random order."""
    order = draw.permutation(len(documents.classes))
    for at in range(0, len(order) - size + 1, size):
        rows = order[at : at + size]
        yield Documents(*(column[rows] for column in documents))


def guesses(sess: tf.Session, model: Classifier, documents: Documents) -> np.ndarray:
    feeds = {model.words: documents.words, model.lengths: documents.lengths}
    return sess.run(model.guess, feeds)


def main(argv: list[str] | None = None) -> float:
    """Trains, prints, and gives the accuracy on the texts held out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--cell", choices=sorted(CELLS), default="gru")
    parser.add_argument("--passes", type=int, default=6)
    parser.add_argument("--words", type=int, default=30, help="how many words of each text are read")
    parser.add_argument("--vocabulary", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)

    ontology = read(args.folder, args.words, args.vocabulary)
    tf.set_random_seed(args.seed)
    draw = np.random.RandomState(args.seed)
    model = build(len(ontology.vocabulary) + 2, len(ontology.names), args.words, args.cell)
    print(f"{len(ontology.train.classes):,} texts to learn from, {len(ontology.test.classes):,} held out")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        begin = time.perf_counter()
        for i in range(1, args.passes + 1):
            losses = []
            for batch in batches(ontology.train, 100, draw):
                feeds = {
                    model.words: batch.words,
                    model.lengths: batch.lengths,
                    model.classes: batch.classes,
                    model.keep_prob: 0.6,
                }
                losses.append(sess.run([model.loss, model.train_step], feeds)[0])
            right = guesses(sess, model, ontology.test) == ontology.test.classes
            seconds = time.perf_counter() - begin
            print(f"pass {i}: loss {np.mean(losses):.3f}, right {right.mean():.3f} ({seconds:.0f} s)")
    for name, part in sorted(
        ((name, right[ontology.test.classes == k].mean()) for k, name in enumerate(ontology.names)), key=lambda p: p[1]
    ):
        print(f"  {part:.2f} {name}")
    return float(right.mean())


if __name__ == "__main__":
    main()
