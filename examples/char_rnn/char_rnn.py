"""A network that learns to write, character by character: two layers of 128 LSTM units on a text of your choice.

    python examples/char_rnn/char_rnn.py input.txt

It prints what it writes after 100, 300, 500, 700 and 2,000 iterations, and how well it foretells the tenth of the text
that it has not seen, in nats per character.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from cells import CELLS
from text import Text, batches, read

import thalweg as tf

SAMPLED = (100, 300, 500, 700, 2000)


class Network(NamedTuple):
    """What a run feeds and fetches. `start` is fed with `end` of the batch before, so that the network reads on."""

    x: tf.Tensor
    y: tf.Tensor
    start: Any
    end: Any
    loss: tf.Tensor
    odds: tf.Tensor
    train_step: tf.Operation | None


def build(characters: int, rows: int, steps: int, units: int, layers: int, cell: str, reuse: bool = False) -> Network:
    """The graph for batches [rows, steps]; with `reuse` one that shares the variables of an earlier one and does not train."""
    x = tf.placeholder(tf.int32, [rows, steps], name="characters")
    y = tf.placeholder(tf.int32, [rows, steps], name="next_characters")
    with tf.variable_scope("writer", reuse=reuse):
        stack = tf.nn.rnn_cell.MultiRNNCell([CELLS[cell](units) for _ in range(layers)])
        start = stack.zero_state(rows, tf.float32)
        outputs, end = tf.nn.dynamic_rnn(stack, tf.one_hot(x, characters), initial_state=start)
        W = tf.get_variable("W", [units, characters])
        b = tf.get_variable("b", [characters], initializer=tf.zeros_initializer())
        logits = tf.matmul(tf.reshape(outputs, [-1, units]), W) + b
    costs = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.reshape(y, [-1]), logits=logits)
    loss = tf.reduce_mean(costs)
    odds = tf.reshape(tf.nn.softmax(logits), [rows, steps, characters])
    train_step = None
    if not reuse:
        count = tf.Variable(0, trainable=False, name="step")
        rate = tf.train.exponential_decay(0.01, count, decay_steps=500, decay_rate=0.5)
        variables = tf.trainable_variables()
        gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), 5.0)
        train_step = tf.train.AdamOptimizer(rate).apply_gradients(
            zip(gradients, variables, strict=True), global_step=count
        )
    return Network(x, y, start, end, loss, odds, train_step)


def feeds(network: Network, state: Any) -> dict[Any, Any]:
    """`state` for the start of `network`: nothing for None, which begins with zeros."""
    if state is None:
        return {}
    return dict(zip(flat(network.start), flat(state), strict=True))


def flat(state: Any) -> list[Any]:
    return [leaf for part in state for leaf in flat(part)] if isinstance(state, tuple | list) else [state]


def held_out_loss(sess: tf.Session, network: Network, ids: np.ndarray) -> float:
    """The mean loss over a text that is read from its beginning, in nats per character."""
    rows, steps = network.x.get_shape().as_list()
    losses, state = [], None
    for x, y in batches(ids, rows, steps):
        loss, state = sess.run([network.loss, network.end], {network.x: x, network.y: y, **feeds(network, state)})
        losses.append(loss)
    return float(np.mean(losses))


def write(sess: tf.Session, network: Network, text: Text, length: int, seed: int, begin: str = "\n") -> str:
    """`length` characters, each drawn with the odds that the network gives after the one before."""
    draw = np.random.RandomState(seed)
    state, last, written = None, text.encode(begin)[-1], []
    for _ in range(length):
        odds, state = sess.run([network.odds, network.end], {network.x: [[last]], **feeds(network, state)})
        p = odds[0, 0].astype(np.float64)
        last = int(draw.choice(len(p), p=p / p.sum()))
        written.append(last)
    return text.decode(written)


def endless(ids: np.ndarray, rows: int, steps: int) -> Iterator[tuple[bool, np.ndarray, np.ndarray]]:
    """(whether the text begins anew, characters, next characters), over and over."""
    while True:
        for i, (x, y) in enumerate(batches(ids, rows, steps)):
            yield i == 0, x, y


def main(argv: list[str] | None = None) -> float:
    """Trains, prints, and gives the loss on the text held out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("text", help="a file of plain text")
    parser.add_argument("--iterations", type=int, default=2000)
    parser.add_argument("--batch", type=int, default=50)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--units", type=int, default=128)
    parser.add_argument("--layers", type=int, default=2)
    parser.add_argument("--cell", choices=sorted(CELLS), default="lstm")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args(argv)

    text = read(args.text)
    characters = len(text.characters)
    tf.set_random_seed(args.seed)
    network = build(characters, args.batch, args.steps, args.units, args.layers, args.cell)
    pen = build(characters, 1, 1, args.units, args.layers, args.cell, reuse=True)
    print(f"{len(text.train):,} characters to read, {len(text.held_out):,} held out, {characters} different ones")
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        state, begin = None, time.perf_counter()
        for i, (anew, x, y) in enumerate(endless(text.train, args.batch, args.steps), 1):
            state = None if anew else state
            _, loss, state = sess.run(
                [network.train_step, network.loss, network.end],
                {network.x: x, network.y: y, **feeds(network, state)},
            )
            if i in SAMPLED or i == args.iterations:
                seconds = time.perf_counter() - begin
                print(f"\n-- after {i} iterations ({seconds:.0f} s), loss {loss:.3f}\n")
                print(write(sess, pen, text, 300, args.seed))
            if i == args.iterations:
                break
        found = held_out_loss(sess, network, text.held_out)
    print(f"\non text it has not seen: {found:.3f} nats per character")
    return found


if __name__ == "__main__":
    main()
