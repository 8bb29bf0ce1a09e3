"""From German to English with attention: an encoder reads a sentence, a decoder looks back at it for every word it writes.

    python examples/translation/translate.py multi30k/

The folder holds train.de, train.en, val.de and val.en, a sentence per line, plain or with .gz at the end.
"""

from __future__ import annotations

import argparse
import collections
import gzip
import re
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

import thalweg as tf

END, START, UNKNOWN = 0, 1, 2  # END stands behind a sentence too
SPECIAL = ["", "<start>", "<?>"]


class Pairs(NamedTuple):
    """Sentences as word numbers, END behind them: [n, words] in both languages, and how many words the source has [n]."""

    source: np.ndarray
    lengths: np.ndarray
    target: np.ndarray


class Language(NamedTuple):
    words: list[str]
    number: dict[str, int]

    def text(self, ids: np.ndarray) -> str:
        found = list(ids)
        return " ".join(self.words[i] for i in (found[: found.index(END)] if END in found else found))


def lines(folder: Path, name: str) -> list[list[str]]:
    """The sentences of a file, as words."""
    path = folder / name
    raw = gzip.decompress((folder / f"{name}.gz").read_bytes()) if not path.is_file() else path.read_bytes()
    return [re.findall(r"\w+|[^\w\s]", line.lower()) for line in raw.decode("utf-8").splitlines()]


def language(sentences: list[list[str]], size: int) -> Language:
    counts = collections.Counter(word for sentence in sentences for word in sentence)
    words = SPECIAL + [word for word, _ in counts.most_common(size - len(SPECIAL))]
    return Language(words, {word: i for i, word in enumerate(words)})


def table(sentences: list[list[str]], of: Language, width: int) -> np.ndarray:
    out = np.full((len(sentences), width), END, np.int32)
    for i, sentence in enumerate(sentences):
        out[i, : len(sentence)] = [of.number.get(word, UNKNOWN) for word in sentence]
    return out


def read(folder: str | Path, longest: int, size: int, count: int | None) -> tuple[Language, Language, Pairs, Pairs]:
    """Both languages (the `size` most common words of each), pairs to learn from, pairs held out: none longer than `longest`."""
    folder = Path(folder)
    parts = {}
    for part in ("train", "val"):
        both = zip(lines(folder, f"{part}.de"), lines(folder, f"{part}.en"), strict=True)
        parts[part] = [(de, en) for de, en in both if 0 < len(de) <= longest and 0 < len(en) <= longest][:count]
    german = language([de for de, _ in parts["train"]], size)
    english = language([en for _, en in parts["train"]], size)
    made = []
    for pairs in parts.values():
        source = table([de for de, _ in pairs], german, longest + 1)
        lengths = np.array([len(de) for de, _ in pairs], np.int32)
        made.append(Pairs(source, lengths, table([en for _, en in pairs], english, longest + 1)))
    return german, english, made[0], made[1]


class Translator(NamedTuple):
    source: tf.Tensor
    lengths: tf.Tensor
    target: tf.Tensor
    loss: tf.Tensor
    written: tf.Tensor
    train_step: tf.Operation


def build(german: int, english: int, width: int, units: int = 128, depth: int = 64) -> Translator:
    """An encoder in both directions, a decoder with Bahdanau's attention: taught with the truth, and left to itself."""
    s2s = tf.contrib.seq2seq
    source = tf.placeholder(tf.int32, [None, width], name="source")
    lengths = tf.placeholder(tf.int32, [None], name="lengths")
    target = tf.placeholder(tf.int32, [None, width], name="target")
    batch = tf.shape(source)[0]
    with tf.variable_scope("encoder"):
        vectors = tf.nn.embedding_lookup(tf.get_variable("vectors", [german, depth]), source)
        cells = tf.nn.rnn_cell.GRUCell(units // 2), tf.nn.rnn_cell.GRUCell(units // 2)
        outputs, states = tf.nn.bidirectional_dynamic_rnn(*cells, vectors, sequence_length=lengths, dtype=tf.float32)
        memory, last = tf.concat(outputs, 2), tf.concat(states, 1)
    with tf.variable_scope("decoder") as scope:
        letters = tf.get_variable("vectors", [english, depth])
        attention = s2s.BahdanauAttention(units, memory, memory_sequence_length=lengths)
        cell = s2s.AttentionWrapper(tf.nn.rnn_cell.GRUCell(units), attention, attention_layer_size=units)
        begin = cell.zero_state(batch, tf.float32).clone(cell_state=last)
        readout = tf.layers.Dense(english, name="readout")
        # One END is learnt; what stands behind it counts for nothing.
        target_lengths = tf.minimum(tf.reduce_sum(tf.cast(tf.not_equal(target, END), tf.int32), 1) + 1, width)
        before = tf.concat([tf.fill([batch, 1], START), target[:, :-1]], 1)
        teacher = s2s.TrainingHelper(tf.nn.embedding_lookup(letters, before), target_lengths)
        taught, _, _ = s2s.dynamic_decode(s2s.BasicDecoder(cell, teacher, begin, readout), scope=scope)
        scope.reuse_variables()
        alone = s2s.GreedyEmbeddingHelper(letters, tf.fill([batch], START), END)
        written, _, _ = s2s.dynamic_decode(
            s2s.BasicDecoder(cell, alone, begin, readout), maximum_iterations=width, scope=scope
        )
    longest = tf.shape(taught.rnn_output)[1]
    weights = tf.sequence_mask(target_lengths, longest, dtype=tf.float32)
    loss = s2s.sequence_loss(taught.rnn_output, target[:, :longest], weights)
    variables = tf.trainable_variables()
    gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 5.0)
    train_step = tf.train.AdamOptimizer(3e-3).apply_gradients(zip(gradients, variables, strict=True))
    return Translator(source, lengths, target, loss, written.sample_id, train_step)


def feeds(model: Translator, pairs: Pairs, rows: np.ndarray) -> dict:
    return {
        model.source: pairs.source[rows],
        model.lengths: pairs.lengths[rows],
        model.target: pairs.target[rows],
    }


def overlap(written: np.ndarray, target: np.ndarray) -> float:
    """The share of the words written that the true translation has as well, each as often as it has it."""
    right = total = 0
    for row, truth in zip(written, target, strict=True):
        row = row[: list(row).index(END)] if END in row else row
        found = collections.Counter(row.tolist()) & collections.Counter(truth[truth != END].tolist())
        right, total = right + sum(found.values()), total + len(row)
    return right / max(total, 1)


def main(argv: list[str] | None = None) -> tuple[float, float]:
    """Trains, prints translations, and gives (loss, overlap) on the pairs held out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--longest", type=int, default=12, help="longer sentences are left out")
    parser.add_argument("--vocabulary", type=int, default=4000)
    parser.add_argument("--pairs", type=int, help="so many pairs alone")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)

    german, english, train, held_out = read(args.folder, args.longest, args.vocabulary, args.pairs)
    tf.set_random_seed(args.seed)
    draw = np.random.RandomState(args.seed)
    model = build(len(german.words), len(english.words), args.longest + 1)
    print(f"{len(train.lengths):,} pairs to learn from, {len(held_out.lengths):,} held out")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        begin = time.perf_counter()
        for step in range(1, args.steps + 1):
            rows = draw.randint(0, len(train.lengths), args.batch)
            loss, _ = sess.run([model.loss, model.train_step], feeds(model, train, rows))
            if step % 250 == 0 or step == args.steps:
                print(f"step {step}: loss {loss:.3f} ({time.perf_counter() - begin:.0f} s)")
        every = np.arange(len(held_out.lengths))
        loss, written = sess.run([model.loss, model.written], feeds(model, held_out, every))
    for i in draw.choice(every, min(5, len(every)), replace=False):
        print(
            f"\n  {german.text(held_out.source[i])}\n  {english.text(written[i])}\n  ({english.text(held_out.target[i])})"
        )
    found = overlap(written, held_out.target)
    print(
        f"\non pairs it has not seen: loss {loss:.3f}, {found:.0%} of the words it writes stand in the true translation"
    )
    return float(loss), found


if __name__ == "__main__":
    main()
