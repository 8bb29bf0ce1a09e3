"""Capacity and regularization: polynomials through nine points, too stiff, just right, too free, and tamed.

    python examples/capacity.py --out capacity.png

The points lie near y = -1.56 x^2 + 4.67 x. A line underfits them, a parabola is right, and a polynomial of degree 8 goes through all of
them and is wrong between them: it overfits. The same polynomial with a penalty on its weights, J(w) = MSE + lambda * w.w, is held
back to something like the parabola. All are trained by the same graph; what differs is the degree and lambda.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import thalweg as tf

RIGHT = -1.56, 4.67  # of x^2 and x


def truth(x: np.ndarray) -> np.ndarray:
    """What the points were drawn from."""
    return RIGHT[0] * x**2 + RIGHT[1] * x


def points(n: int = 9, seed: int = 2) -> tuple[np.ndarray, np.ndarray]:
    """x [n] from 0 to 3, and y [n] with a little noise."""
    x = np.linspace(0, 3, n)
    return x, truth(x) + np.random.default_rng(seed).normal(scale=0.3, size=n)


def powers(x: np.ndarray, degree: int) -> np.ndarray:
    """[n, degree + 1]: Legendre polynomials up to `degree` on 0..3, which span the same functions as powers, and train faster."""
    return np.polynomial.legendre.legvander(np.asarray(x) / 1.5 - 1, degree)


def fit(x: np.ndarray, y: np.ndarray, degree: int, penalty: float = 0.0, steps: int = 3000) -> np.ndarray:
    """The weights [degree + 1] after gradient descent on MSE + penalty * w.w, without a penalty on the constant."""
    with tf.Graph().as_default(), tf.Session() as session:
        features = tf.constant(powers(x, degree))
        w = tf.Variable(tf.zeros([degree + 1, 1], tf.float64), name="w")
        error = tf.squeeze(tf.matmul(features, w), 1) - y
        loss = tf.reduce_mean(tf.square(error)) + penalty * tf.reduce_sum(tf.square(w[1:]))
        # A step that the steepest direction stands, and a ball heavy enough for the flat ones.
        steepest = 2 * (np.linalg.eigvalsh(powers(x, degree).T @ powers(x, degree) / len(x)).max() + penalty)
        train = tf.train.MomentumOptimizer(1.0 / steepest, 0.99, use_nesterov=True).minimize(loss)
        session.run(tf.global_variables_initializer())
        for _ in range(steps):
            session.run(train)
        return session.run(w)[:, 0]


def main(words: list[str] | None = None) -> dict[str, tuple[float, float]]:
    """Fits, draws, and returns the error of each model at the points and between them."""
    parser = argparse.ArgumentParser(description="Under- and overfitting, and a penalty against the latter.")
    parser.add_argument("--out", type=Path, default=Path("capacity.png"))
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=2)
    given = parser.parse_args(words)

    x, y = points(seed=given.seed)
    between = np.linspace(0, 3, 200)
    plans = {"line": (1, 0.0), "parabola": (2, 0.0), "degree 8": (8, 0.0), "degree 8, penalty 0.01": (8, 0.01)}
    fitted, errors = {}, {}
    for name, (degree, penalty) in plans.items():
        w = fit(x, y, degree, penalty, given.steps)
        fitted[name] = lambda at, w=w, degree=degree: powers(at, degree) @ w
        errors[name] = tuple(
            float(np.sqrt(np.mean((fitted[name](at) - wanted) ** 2)))
            for at, wanted in ((x, y), (between, truth(between)))
        )
        print(f"{name:<24} error at the points {errors[name][0]:.3f}   between them {errors[name][1]:.3f}")

    from thalweg import plot

    plot.capacity(x, y, fitted, truth).figure.savefig(given.out)
    print(f"drawn in {given.out}")
    return errors


if __name__ == "__main__":
    main()
