"""Loops by the kernel for turns: the numbers of `lax.scan`, its derivatives, and what stays with it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

import thalweg as tf
from tests.kernels.lowering import other_levels, run_with
from thalweg._src.core import apply
from thalweg._src.core.scan.limits import scan_up_to
from thalweg._src.kernels import library, turn_programs, turns

pytestmark = pytest.mark.skipif(library.library().path is None, reason=library.library().reason)
CALL = "@thalweg_turns"


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    monkeypatch.setattr(turns, "LEAST", 0)


def normal(seed, *shape):
    return np.random.RandomState(seed).standard_normal(shape).astype(np.float32)


def near(found, expected):
    for a, b in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        np.testing.assert_allclose(a, b, rtol=3e-5, atol=3e-5)


# -- loops as JAX writes them: the width of what is carried, and a turn


def every_operation(n, x, row, w):
    """A turn that uses all that the kernel knows, and keeps its numbers small."""
    up, down = w[: n // 2 + 1], w[n // 2 + 1 : n]
    a, b = x[:, : up.shape[0]], x[:, up.shape[0] :]
    p = jnp.tanh(a @ up) + lax.dot_general(x[:, :7], w[:, :7] * 0.1, (((1,), (1,)), ((), ())))[:, : w.shape[1]] * 0.1
    p = p[:, : b.shape[1]] * b + jax.nn.sigmoid(b @ down)[:, : b.shape[1]]
    p = (
        jnp.exp(-jnp.abs(p)) / (1 + p * p)
        + jnp.sqrt(p**2 + 1) * lax.rsqrt(p**4 + 2)
        + jnp.sign(p) * 0.1
        + (1 + p**2) ** -2
    )
    p = jnp.where((p > 0.3) & ~(p >= 0.9) | (p < -0.2), p, jnp.clip(-p, -0.5, 0.25))
    p = jnp.where((p == 0.25) | (p <= -0.5), 0.1, p) * (p != 0.5)
    middle = p - jnp.mean(p, 1, keepdims=True) + jnp.max(p, 1)[:, None] * 0.1 + row[:, : p.shape[1]]
    return jnp.concatenate([jnp.maximum(a, -1) * 0.5, jnp.minimum(middle, 1), x[:, -1:] * 0.5], 1)[:, :n]


def unit(n, x, row, w):
    """A turn of the simplest network."""
    return jnp.tanh(x @ w + row)


def run(n, batch, length, reverse=False, by_kernel=True, counted=True, turn=every_operation, limit=None):
    w, rows, start = normal(1, n, n) / n**0.5, normal(2, length, batch, n), normal(3, batch, n)
    lengths = np.arange(batch) % (length + 1)

    def loop(w, start, rows):
        def step(carry, row):
            t, x = carry
            new = turn(n, x, row[0], w)
            goes_on = t < jnp.asarray(lengths) if counted else jnp.ones(batch, bool)
            return [t + 1, jnp.where(goes_on[:, None], new, x)], [new[:, :3], x, jnp.sum(new, 1), t * 2, row[0] * 2]

        how = (step, [jnp.int32(0), start], [rows], length, reverse)
        if by_kernel:
            found = turns.in_turns(*how, limit)
            assert found is not None
            return found
        return scan_up_to(limit, *how)

    return loop, (w, start, rows)


@pytest.mark.parametrize(("n", "batch", "reverse"), [(33, 3, False), (64, 31, True), (20, 1, False)])
def test_every_operation_gives_the_numbers_of_a_scan(n, batch, reverse):
    ours, args = run(n, batch, 5, reverse)
    plain, _ = run(n, batch, 5, reverse, by_kernel=False)
    near(jax.jit(ours)(*args), jax.jit(plain)(*args))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("limit", [0, 1, 4, 6])
def test_turns_behind_a_limit_are_not_made(reverse, limit):
    ours, args = run(33, 15, 6, reverse, limit=limit)
    plain, _ = run(33, 15, 6, reverse, by_kernel=False, limit=limit)
    (end, out), (other, others) = jax.jit(ours)(*args), jax.jit(plain)(*args)
    near(end, other)
    near([x[:limit] for x in out], [x[:limit] for x in others])
    for x in out[:3]:  # what the kernel gives out
        np.testing.assert_array_equal(
            x[limit:], np.zeros_like(x[limit:]) if reverse or not limit else x[limit - 1 : limit] + 0 * x[limit:]
        )


def test_derivatives_of_any_order_and_maps_are_those_of_a_scan():
    def energy(by_kernel):
        loop, args = run(6, 3, 4, by_kernel=by_kernel, counted=False, turn=unit)

        def of(*args):
            (_, end), (some, *_) = loop(*args)
            return jnp.sum(end**2) + jnp.sum(some**3)

        return of, args

    (ours, args), (plain, _) = energy(True), energy(False)

    def second(f):
        return jax.jit(jax.grad(lambda *a: sum(jnp.sum(g * g) for g in jax.grad(f, (0, 1, 2))(*a)), (0, 1)))

    near(jax.jit(jax.grad(ours, (0, 1, 2)))(*args), jax.jit(jax.grad(plain, (0, 1, 2)))(*args))
    for a, b in zip(second(ours)(*args), second(plain)(*args), strict=True):
        size = np.abs(b).max()
        np.testing.assert_allclose(a / size, b / size, atol=1e-4)
    w, start, rows = args
    starts = jnp.stack([start, -start])
    near(jax.vmap(lambda s: ours(w, s, rows))(starts), jax.vmap(lambda s: plain(w, s, rows))(starts))


@pytest.mark.parametrize(
    "step",
    [
        lambda w, x, row: x * row,  # no product
        lambda w, x, row: jnp.cumsum(x @ w, 1),  # an operation that it does not know
        lambda w, x, row: (x.T @ row) @ w[: x.shape[1]],  # rows that know of each other
        lambda w, x, row: (x.astype(jnp.float16) @ w.astype(jnp.float16)).astype(jnp.float32),
        lambda w, x, row: jnp.sin(x @ w),
        lambda w, x, row: (x @ w)[::-1],
    ],
)
def test_other_loops_are_left_to_scan(step):
    w, start, rows = normal(1, 8, 8), normal(2, 8, 8), normal(3, 4, 8, 8)
    assert turns.in_turns(lambda c, r: ([step(w, c[0], r[0])], []), [start], [rows], 4, False) is None


def test_what_is_small_or_large_or_not_wanted_is_left_to_scan(monkeypatch):
    w, start, rows = normal(1, 8, 8), normal(2, 3, 8), normal(3, 4, 3, 8)
    call = lambda: turns.in_turns(lambda c, r: ([jnp.tanh(c[0] @ w + r[0])], []), [start], [rows], 4, False)
    assert call() is not None
    with apply.kernels(False):
        assert call() is None
    monkeypatch.setattr(turns, "MOST", 32)
    assert call() is None
    monkeypatch.setattr(turns, "MOST", 1 << 20)
    monkeypatch.setattr(turns, "LEAST", 1 << 20)
    assert call() is None


def test_a_value_takes_the_place_of_one_that_is_not_needed_any_more():
    p = turn_programs.Program(4)
    x = p.register(True, 32)
    p.values["x"] = x
    a = p.do("tanh", p.register(True, 32), x)
    b = p.do("tanh", p.register(True, 32), a)
    c = p.do("add", p.register(True, 32), a, b)
    d = p.do("mul", p.register(True, 32), c, c)
    p.inputs, p.rows = [(0, x, True)], [d]
    turn_programs.compact(p)
    assert len(p.registers) == 4  # x, a and c, b, d


# -- networks


def trained(cell, kernels, batch=5, steps=6, width=7, lengths=None):
    """(losses of three steps of descent and what became of the weights, the program's text)."""
    config = tf.ConfigProto()
    config.graph_options.rewrite_options.remapping = 0 if kernels else 2
    with tf.Graph().as_default():
        tf.set_random_seed(3)
        x = tf.constant(normal(1, batch, steps, width))
        y, state = tf.nn.dynamic_rnn(cell(), x, sequence_length=lengths, dtype=tf.float32)
        loss = tf.reduce_mean(y**2) + sum(tf.reduce_mean(s**2) for s in tf.contrib.framework.nest.flatten(state))
        train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
        with tf.Session(config=config) as sess:
            sess.run(tf.global_variables_initializer())
            losses = [sess.run([loss, train])[0] for _ in range(3)]
            return [*losses, *sess.run(tf.trainable_variables())], "".join(sess.hlo(train))


CELLS = {
    "lstm": lambda: tf.nn.rnn_cell.BasicLSTMCell(20),
    "peepholes": lambda: tf.nn.rnn_cell.LSTMCell(12, use_peepholes=True, num_proj=9, cell_clip=1.0),
    "gru": lambda: tf.nn.rnn_cell.GRUCell(16),
    "basic": lambda: tf.nn.rnn_cell.BasicRNNCell(1),
    "norm": lambda: tf.contrib.rnn.LayerNormBasicLSTMCell(10),
}


@pytest.mark.parametrize("name", CELLS)
def test_recurrent_networks_train_as_without(name):
    lengths = [3, 6, 0, 1, 5] if name in ("lstm", "gru") else None
    (ours, text), (plain, plain_text) = (trained(CELLS[name], k, lengths=lengths) for k in (True, False))
    assert CALL in text
    assert CALL not in plain_text
    near(ours, plain)


def test_numbers_do_not_depend_on_the_rows_beside_a_row():
    loop, (w, start, rows) = run(24, 31, 5, counted=False)
    alone, _ = run(24, 1, 5, counted=False)
    whole, one = jax.jit(loop)(w, start, rows), jax.jit(alone)(w, start[20:21], rows[:, 20:21])
    np.testing.assert_array_equal(whole[0][1][20:21], one[0][1])


@other_levels
def test_other_instructions_give_the_same_numbers(level):
    code = """
t.turns.LEAST = 0
t.test_every_operation_gives_the_numbers_of_a_scan(33, 9, True)
"""
    run_with(level, "test_turns", code)
