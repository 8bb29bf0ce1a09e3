"""Distributions with `validate_args` refuse values that can't be samples, as TensorFlow's do."""

import pytest

import thalweg as tf


def _counts(validate):
    return tf.distributions.DirichletMultinomial([[5.0]], [[1.0, 2.0, 3.0]], validate_args=validate)


def _draws(validate):
    return tf.distributions.Multinomial(5.0, probs=[0.2, 0.3, 0.5], validate_args=validate)


CASES = [
    (_counts, [2.0, 3, 0], [-1.0, 4, 2], "must be non-negative"),
    (_counts, [2.0, 3, 0], [3.0, 3, 0], "counts last-dimension must sum to `self.total_count`"),
    (_draws, [2.0, 3, 0], [1.5, 3.5, 0], "cannot contain fractional components"),
    (_draws, [2.0, 3, 0], [3.0, 3, 0], "counts must sum to `self.total_count`"),
    (lambda v: tf.distributions.Gamma(1.0, 1.0, validate_args=v), 0.5, -1.0, "Condition x > 0"),
    (lambda v: tf.distributions.Beta(1.0, 1.0, validate_args=v), 0.5, 1.5, "sample must be less than `1`"),
    (lambda v: tf.distributions.Dirichlet([1.0, 1.0], validate_args=v), [0.5, 0.5], [0.5, 0.6], "must sum to `1`"),
]


@pytest.mark.parametrize(("made", "good", "bad", "message"), CASES)
def test_values_that_can_not_be_samples(made, good, bad, message):
    with tf.Graph().as_default(), tf.Session() as s:
        assert s.run(made(True).prob(good)) == pytest.approx(s.run(made(False).prob(good)))
        s.run(made(False).prob(bad))
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            s.run(made(True).prob(bad))
