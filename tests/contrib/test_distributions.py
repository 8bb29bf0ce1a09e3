"""The distributions that only contrib has, beside SciPy's."""

import numpy as np
import pytest

import thalweg as tf

stats = pytest.importorskip("scipy.stats")
X = np.array([0.5, 1.0, 2.0])


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        (lambda ds: ds.Chi2(np.array([3.0, 4.0, 5.0])), stats.chi2([3, 4, 5])),
        (
            lambda ds: ds.InverseGamma(np.array([3.0, 4.0, 2.5]), np.array([1.0, 2.0, 3.0])),
            stats.invgamma([3, 4, 2.5], scale=[1, 2, 3]),
        ),
        (
            lambda ds: ds.Logistic(np.array([1.0, 2.0, 0.0]), np.array([1.0, 2.0, 3.0])),
            stats.logistic([1, 2, 0], [1, 2, 3]),
        ),
    ],
)
def test_continuous(made, expected):
    d = made(tf.contrib.distributions)
    with tf.Session() as session:
        found = session.run([d.log_prob(X), d.cdf(X), d.mean(), d.stddev(), d.entropy()])
        samples = session.run(d.sample(4000, seed=3))
    wanted = [expected.logpdf(X), expected.cdf(X), expected.mean(), expected.std(), expected.entropy()]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)
    np.testing.assert_allclose(np.median(samples, 0), expected.median(), rtol=0.15, atol=0.15)


def test_binomial():
    n, p = np.array([5.0, 4.0, 3.0]), np.array([0.3, 0.5, 0.7])
    d, expected = tf.contrib.distributions.Binomial(n, probs=p), stats.binom(n, p)
    with tf.Session() as session:
        found = session.run([d.log_prob(np.array([1.0, 2.0, 3.0])), d.mean(), d.variance()])
        samples = session.run(d.sample(4000, seed=3))
    for a, b in zip(found, [expected.logpmf([1, 2, 3]), expected.mean(), expected.var()], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4)
    np.testing.assert_allclose(samples.mean(0), expected.mean(), rtol=0.05)
    assert (samples <= n).all()


@pytest.mark.parametrize(
    "made",
    [
        lambda b: b.Exp(),
        lambda b: b.Sigmoid(),
        lambda b: b.Softplus(),
        lambda b: b.AffineScalar(shift=1.0, scale=-2.0),
        lambda b: b.PowerTransform(0.5),
        lambda b: b.Invert(b.Exp()),
        lambda b: b.Chain([b.Exp(), b.AffineScalar(scale=0.5)]),
    ],
)
def test_bijectors(made):
    bijector = made(tf.contrib.distributions.bijectors)
    x = tf.constant([0.3, 0.7, 1.2])
    y = bijector.forward(x)
    (slope,) = tf.gradients(y, x)
    with tf.Session() as session:
        found = session.run([bijector.inverse(y), x, bijector.forward_log_det_jacobian(x), tf.log(tf.abs(slope))])
        back = session.run(bijector.inverse_log_det_jacobian(y))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4)
    np.testing.assert_allclose(found[2], found[3], rtol=1e-4)
    np.testing.assert_allclose(back, -found[2], rtol=1e-4)


def test_transformed():
    ds = tf.contrib.distributions
    d = ds.TransformedDistribution(ds.Normal(np.array([0.0, 0.5]), np.array([1.0, 0.3])), ds.bijectors.Exp())
    expected = stats.lognorm([1.0, 0.3], scale=np.exp([0.0, 0.5]))
    at = np.array([0.4, 2.0])
    with tf.Session() as session:
        np.testing.assert_allclose(session.run(d.log_prob(at)), expected.logpdf(at), rtol=1e-6)
        np.testing.assert_allclose(session.run(d.cdf(at)), expected.cdf(at), rtol=1e-6)
        samples = session.run(d.sample(4000, seed=3))
    np.testing.assert_allclose(np.median(samples, 0), expected.median(), rtol=0.1)
