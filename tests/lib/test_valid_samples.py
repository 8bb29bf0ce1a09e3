"""Distributions with `validate_args` refuse values that can't be samples, as TensorFlow's do."""

import math

import numpy as np
import pytest

import thalweg as tf

stats = pytest.importorskip("scipy.stats")


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
    (lambda v: tf.distributions.Bernoulli(probs=0.3, validate_args=v), 1, -1, "Elements must be non-negative"),
    (lambda v: tf.distributions.Bernoulli(probs=0.3, validate_args=v), 1, 2, "Elements cannot exceed 1."),
    (lambda v: tf.distributions.Bernoulli(probs=0.3, validate_args=v), 1.0, 0.5, "Elements must be int32-equivalent"),
]


@pytest.mark.parametrize(("made", "good", "bad", "message"), CASES)
def test_values_that_can_not_be_samples(made, good, bad, message):
    with tf.Graph().as_default(), tf.Session() as s:
        assert s.run(made(True).prob(good)) == pytest.approx(s.run(made(False).prob(good)))
        s.run(made(False).prob(bad))
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            s.run(made(True).prob(bad))


D = tf.distributions
PROBABILITIES = [
    (lambda **v: D.Bernoulli(probs=1.01, **v), "probs has components greater than 1"),
    (lambda **v: D.Bernoulli(probs=-0.01, **v), "Condition x >= 0"),
    (lambda **v: D.Categorical(probs=[0.5, 0.6], **v), "probs does not sum to 1"),
]


@pytest.mark.parametrize(("made", "message"), PROBABILITIES)
def test_what_can_not_be_probabilities(made, message):
    with tf.Graph().as_default(), tf.Session() as s:
        s.run(made().probs)
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            s.run(made(validate_args=True).probs)


UNDEFINED = [
    lambda **v: D.Beta([1.0, 2.0], [2.0, 3.0], **v).mode(),
    lambda **v: D.Gamma([1.0, 2.0], 3.0, **v).mode(),
    lambda **v: D.Dirichlet([1.0, 2.0, 3.0], **v).mode(),
    lambda **v: D.StudentT([1.0, 3.0], 0.0, 1.0, **v).mean(),
    lambda **v: D.StudentT([1.0, 3.0], 0.0, 1.0, **v).variance(),
]


@pytest.mark.parametrize("number", UNDEFINED)
def test_what_is_not_defined(number):
    with tf.Graph().as_default(), tf.Session() as s:
        assert math.isnan(s.run(number())[0])
        with pytest.raises(tf.errors.InvalidArgumentError, match="Condition x < y"):
            s.run(number(allow_nan_stats=False))


def test_densities_at_the_end_of_their_range_and_shapes_that_come_later():
    with tf.Graph().as_default(), tf.Session() as s:
        assert s.run(D.Beta(1.0, 2.0).prob(0.0)) == pytest.approx(2.0)
        assert s.run(D.Gamma(1.0, 2.0).prob(0.0)) == pytest.approx(2.0)
        logits = tf.placeholder(tf.float32)
        classes = D.Categorical(logits)
        drawn, told = classes.sample(), classes.log_prob(1)
        assert s.run(drawn, {logits: [-1000.0, 1000.0]}) == 1
        assert s.run(drawn, {logits: [[-1000.0, 1000.0], [1000.0, -1000.0]]}).tolist() == [1, 0]
        assert s.run(told, {logits: [[0.0, 0.0], [0.0, 0.0]]}) == pytest.approx([math.log(0.5)] * 2)


def test_several_counts_of_a_dirichlet_multinomial():
    with tf.Graph().as_default(), tf.Session() as s:
        counts, shares = [[2.0], [5.0]], [[1.0, 2.0, 3.0]] * 2
        both = D.DirichletMultinomial(counts, shares)
        assert (both.batch_shape.as_list(), both.covariance().shape.as_list()) == ([2], [2, 3, 3])
        alone = [D.DirichletMultinomial(c[0], a) for c, a in zip(counts, shares, strict=True)]
        for number in ("mean", "variance", "covariance"):
            expected = s.run([getattr(d, number)() for d in alone])
            for got, want in zip(s.run(getattr(both, number)()), expected, strict=True):
                assert got == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_logarithms_of_probabilities_far_from_the_middle(kind):
    x = np.array([-500.0, -40.0, -15.0, -3.0, 0.0, 2.0, 7.0, 12.0, 40.0], kind)
    zero, one, wide = kind(0.0), kind(1.0), x.astype(np.float64)
    with tf.Graph().as_default(), tf.Session() as s:
        for made, theirs in ((D.Normal, stats.norm), (D.Laplace, stats.laplace)):
            d = made(zero, one)
            got = s.run([d.log_cdf(x), d.log_survival_function(x)])
            for g, w in zip(got, (theirs.logcdf(wide), theirs.logsf(wide)), strict=True):
                np.testing.assert_allclose(g, w, rtol=1e-4 if kind == np.float32 else 1e-6, atol=1e-37)
        assert s.run(D.Exponential(kind(2.0)).log_survival_function(kind(100.0))) == pytest.approx(-200.0)
        at = tf.constant(x)
        assert np.all(np.isfinite(s.run(tf.gradients(D.Normal(zero, one).log_cdf(at), at)[0])))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_quantiles_to_the_ends_and_parameters_that_are_variables(kind):
    p = np.array([0.0, np.exp(-32.0), np.exp(-2.0), 0.5, 1.0 - np.exp(-2.0), 1.0 - 1e-7, 1.0], kind)
    with tf.Graph().as_default(), tf.Session() as s:
        at, middle = tf.Variable(p), tf.Variable(kind(0.0))
        d = D.Normal(middle, tf.Variable(kind(1.0)))
        s.run(tf.global_variables_initializer())
        found = d.quantile(at)
        assert found.dtype == at.dtype.base_dtype
        np.testing.assert_allclose(s.run(found), stats.norm.ppf(p.astype(np.float64)), rtol=1e-5, atol=1e-6)
        assert all(np.all(np.isfinite(g)) for g in s.run(tf.gradients(found, [middle, at])))
