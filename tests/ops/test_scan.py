"""Scans by parts against `lax.scan`: values, first and second derivatives, and what is left inside of the loops."""

import numpy as np
import pytest

jax = pytest.importorskip("jax")
jnp, lax = jax.numpy, jax.lax

from thalweg._src.core.scan.tape import scan  # noqa: E402

TURNS, BATCH, UNITS = 5, 3, 4


def normal(*shape, seed=0):
    return jnp.asarray(np.random.RandomState(seed).standard_normal(shape) * 0.5)


def memory(w, b):
    """A gated cell over [x, h], whose weights are `w` and `b`."""

    def cell(x, c, h):
        i, j, f, o = lax.split(jnp.concatenate([x, h], 1) @ w + b, [UNITS] * 4, 1)
        c = c * jax.nn.sigmoid(f + 1) + jax.nn.sigmoid(i) * jnp.tanh(j)
        return c, jnp.tanh(c) * jax.nn.sigmoid(o)

    return cell


def two_layers(weights):
    """Two gated cells, one above the other, with a counter and a projection of the output."""
    w1, b1, w2, b2, out = weights

    def step(carry, row):
        t, c1, h1, c2, h2 = carry
        c1, h1 = memory(w1, b1)(row[0], c1, h1)
        c2, h2 = memory(w2, b2)(h1, c2, h2)
        return [t + 1, c1, h1, c2, h2], [h2 @ out, t]

    return step, [jnp.int32(0), *[normal(BATCH, UNITS, seed=s) for s in range(4)]]


def candidate(weights):
    """A cell whose candidate sees the state through a gate."""
    w1, b1, w2, _, out = weights

    def step(carry, row):
        (h,) = carry
        r, u = lax.split(jax.nn.sigmoid(jnp.concatenate([row[0], h], 1) @ w1 + b1)[:, : 2 * UNITS], [UNITS] * 2, 1)
        c = jnp.tanh(jnp.concatenate([row[0], r * h], 1) @ w2[:, :UNITS])
        h = u * h + (1 - u) * c
        return [h], [h @ out]

    return step, [normal(BATCH, UNITS)]


def masked(weights):
    """A cell that stands still for rows whose sequence is over; it delays its inputs by a turn, and adds up products."""
    w1, b1, _, _, out = weights

    def step(carry, row):
        t, late, c, h, total = carry
        over = (t >= jnp.array([1, 4, 9]))[:, None]
        new_c, new_h = memory(w1, b1)(late, c, h)
        c, h = jnp.where(over, c, new_c), jnp.where(over, h, new_h)
        return [t + 1, row[0], c, h, total + h.T @ row[0]], [h @ out, over]

    return step, [jnp.int32(0), *[normal(BATCH, UNITS, seed=s) for s in range(3)], jnp.zeros((UNITS, UNITS))]


@pytest.mark.parametrize(
    ("network", "reverse", "twice"), [(two_layers, False, False), (candidate, False, True), (masked, True, False)]
)
def test_values_and_derivatives_are_those_of_lax(network, reverse, twice):
    weights = [normal(2 * UNITS, 4 * UNITS), normal(4 * UNITS, seed=1), normal(2 * UNITS, 4 * UNITS, seed=2)]
    weights += [normal(4 * UNITS, seed=3), normal(UNITS, 2, seed=4)]
    rows = [normal(TURNS, BATCH, UNITS, seed=5)]

    def ours(step, start, rows):
        return scan(step, start, rows, TURNS, reverse=reverse, taped=True)

    def lax_s(step, start, rows):
        return lax.scan(step, start, rows, reverse=reverse)

    def all_of(how, weights, rows):
        step, start = network(weights)
        return how(step, start, rows)

    def loss(how, weights, rows):
        end, out = all_of(how, weights, rows)
        return sum(jnp.sum(jnp.sin(x)) for x in [*end, *out] if jnp.issubdtype(x.dtype, jnp.inexact))

    def of_gradients(how, weights, rows):
        found = jax.grad(loss, (1, 2))(how, weights, rows)
        return sum(jnp.sum(jnp.square(g)) for g in jax.tree.leaves(found))

    functions = [all_of, jax.grad(loss, (1, 2)), *([jax.grad(of_gradients, (1, 2))] if twice else [])]
    for function in functions:
        want = jax.tree.leaves(function(lax_s, weights, rows))
        for a, b in zip(want, jax.tree.leaves(function(ours, weights, rows)), strict=True):
            assert a.dtype == b.dtype
            np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-4 * float(jnp.max(jnp.abs(a)) + 1e-3))
    end, out = all_of(lambda *a: scan(*a, TURNS, reverse=reverse), weights, rows)
    for a, b in zip(jax.tree.leaves(all_of(lax_s, weights, rows)), [*end, *out], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("network", [two_layers, candidate, masked])
@pytest.mark.parametrize("limit", [1, 3, TURNS])
def test_turns_behind_a_limit_change_nothing(network, limit):
    weights = [normal(2 * UNITS, 4 * UNITS), normal(4 * UNITS, seed=1), normal(2 * UNITS, 4 * UNITS, seed=2)]
    weights += [normal(4 * UNITS, seed=3), normal(UNITS, 2, seed=4)]
    rows = normal(TURNS, BATCH, UNITS, seed=5)

    def limited(weights, rows, limit):
        step, start = network(weights)
        return scan(step, start, [rows], TURNS, taped=True, limit=limit)

    def short(weights, rows, limit):
        step, start = network(weights)
        return lax.scan(step, start, [rows[:limit]])

    def loss(how, weights, rows, limit):
        end, out = how(weights, rows, limit)
        floats = [x for x in [*end, *(x[:limit] for x in out)] if jnp.issubdtype(x.dtype, jnp.inexact)]
        return sum(jnp.sum(jnp.sin(x)) for x in floats), floats

    def both(how, weights, rows, limit):
        (_, floats), gradients = jax.value_and_grad(lambda *a: loss(how, *a), (0, 1), has_aux=True)(
            weights, rows, limit
        )
        return jax.tree.leaves([floats, gradients])

    end, _ = jax.jit(limited)(weights, rows, jnp.int32(limit))  # a value, not a part of the program
    for a, b in zip(end, limited(weights, rows, limit)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
    for a, b in zip(both(limited, weights, rows, limit), both(short, weights, rows, limit), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-4, atol=2e-5)


def products(jaxpr, inside=False):
    """The (whether inside of a loop, shapes of the operands) of every matrix product."""
    found = []
    for eqn in jaxpr.eqns:
        if eqn.primitive.name == "dot_general":
            found.append((inside, tuple(v.aval.shape for v in eqn.invars)))
        for inner in jax.tree.leaves(list(eqn.params.values()), is_leaf=lambda p: hasattr(p, "eqns")):
            inner = getattr(inner, "jaxpr", inner)
            if hasattr(inner, "eqns"):
                found += products(inner, inside or eqn.primitive.name == "scan")
    return found


def test_only_the_products_of_states_stay_in_the_loops():
    weights = [normal(2 * UNITS, 4 * UNITS), normal(4 * UNITS), normal(2 * UNITS, 4 * UNITS), normal(4 * UNITS)]
    weights.append(normal(UNITS, 2))

    def loss(weights, rows):
        step, start = two_layers(weights)
        return jnp.sum(scan(step, start, rows, TURNS, taped=True)[1][0])

    found = products(jax.make_jaxpr(jax.grad(loss))(weights, [normal(TURNS, BATCH, UNITS)]).jaxpr)
    inside = [shapes for within, shapes in found if within]
    assert len(inside) == 4, inside  # a layer's state by its weight, there and back
    assert all(set(shapes) <= {(BATCH, UNITS), (BATCH, 4 * UNITS), (UNITS, 4 * UNITS)} for shapes in inside)
    assert not any(shape[:2] == (TURNS, BATCH) for shape in sum((s for _, s in found), ()))  # rows are laid end to end
