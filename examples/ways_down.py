"""Ways down the valley of the loss other than gradient descent: higher-order derivatives, and randomised optimisation.

    python examples/ways_down.py

Softmax regression on the handwritten digits, all of them at once: L-BFGS (SciPy's) learns from the gradients it has seen how the
valley bends, and needs far fewer looks at the data than gradient descent. Then XOR by threshold units, whose gradient is zero
wherever there is one: simulated annealing needs none. It tries a step at random, keeps what is better, and sometimes what is worse.
"""

from __future__ import annotations

import argparse

import numpy as np

import thalweg as tf


def digits() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Pictures [n, 64] in 0..1 and their labels [n], for training and for testing."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x, test = (x / 16.0).astype(np.float32), np.arange(len(y)) % 5 == 0
    return x[~test], y[~test], x[test], y[test]


def softmax_regression(x: np.ndarray, y: np.ndarray) -> tuple[tf.Tensor, tf.Variable, tf.Variable]:
    """(loss over all of x, W, b); the loss has a little weight decay, so that the valley has a lowest point."""
    W, b = tf.Variable(tf.zeros([x.shape[1], 10]), name="W"), tf.Variable(tf.zeros([10]), name="b")
    logits = tf.matmul(tf.constant(x), W) + b
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.constant(y), logits=logits))
    return loss + 1e-4 * tf.nn.l2_loss(W), W, b


def descend(method: str, *, looks: int = 60) -> tuple[list[float], float]:
    """The loss at each look at the data, and the accuracy on the test digits, by "L-BFGS" or "gradient descent"."""
    x, y, test_x, test_y = digits()
    losses: list[float] = []
    with tf.Graph().as_default(), tf.Session() as sess:
        loss, W, b = softmax_regression(x, y)
        right = tf.equal(tf.argmax(tf.matmul(tf.constant(test_x), W) + b, 1), tf.constant(test_y, tf.int64))
        accuracy = tf.reduce_mean(tf.to_float(right))
        if method == "L-BFGS":
            optimizer = tf.contrib.opt.ScipyOptimizerInterface(loss, method="L-BFGS-B", options={"maxfun": looks})
            sess.run(tf.global_variables_initializer())
            optimizer.minimize(sess, fetches=[loss], loss_callback=lambda value: losses.append(float(value)))
        else:
            train = tf.train.GradientDescentOptimizer(0.5).minimize(loss)
            sess.run(tf.global_variables_initializer())
            losses += [float(sess.run([loss, train])[0]) for _ in range(looks)]
        return losses, float(sess.run(accuracy))


def anneal(*, steps: int = 3000, seed: int = 0) -> tuple[list[int], np.ndarray]:
    """How many rows of XOR are wrong after each step, and what the network says at the end."""
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], np.float32), np.array([0, 1, 1, 0], np.float32)
    with tf.Graph().as_default(), tf.Session() as sess:
        tf.set_random_seed(seed)
        weights = [tf.Variable(tf.random_normal(shape)) for shape in ([2, 2], [2], [2, 1], [1])]
        heat = tf.Variable(1.0)

        def says(w1: tf.Tensor, b1: tf.Tensor, w2: tf.Tensor, b2: tf.Tensor) -> tf.Tensor:
            hidden = tf.to_float(tf.matmul(x, w1) + b1 > 0)  # 1 above the threshold, else 0: no gradient
            return tf.to_float(tf.matmul(hidden, w2) + b2 > 0)[:, 0]

        def wrong(candidate: list[tf.Tensor]) -> tf.Tensor:
            return tf.reduce_sum(tf.abs(says(*candidate) - y))

        now = wrong([w.read_value() for w in weights])
        tried = [0.9 * w + 0.5 * tf.random_normal(w.shape) for w in weights]  # nor too far from zero
        rise = wrong(tried) - now
        keep = tf.random_uniform([]) < tf.exp(-rise / heat)  # always where it is better
        moves = [
            w.assign(tf.cond(keep, lambda t=t: t, lambda w=w: w.read_value()))
            for w, t in zip(weights, tried, strict=True)
        ]
        step = tf.group(*moves, heat.assign(heat * 0.998))

        sess.run(tf.global_variables_initializer())
        history = []
        for _ in range(steps):
            sess.run(step)
            history.append(int(sess.run(now)))
            if history[-1] == 0:
                break
        return history, sess.run(says(*weights))


def main(words: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="L-BFGS beside gradient descent, and simulated annealing.")
    parser.add_argument("--looks", type=int, default=60, help="how often a method may look at the data")
    given = parser.parse_args(words)
    print("softmax regression on the digits, all of them at each look")
    for method in ("gradient descent", "L-BFGS"):
        losses, accuracy = descend(method, looks=given.looks)
        shown = "  ".join(f"{losses[i]:.4f}" for i in range(0, len(losses), max(1, len(losses) // 6)))
        print(f"  {method:17} loss {shown}  ... {losses[-1]:.4f}   accuracy {accuracy:.3f}")
    history, said = anneal()
    print(
        f"XOR by threshold units: all four rows right after {len(history)} random steps; it says {said.astype(int).tolist()}"
    )


if __name__ == "__main__":
    main()
