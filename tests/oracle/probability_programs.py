"""Small programs of tf.contrib.distributions, a family of contrib_programs.py. Kept to what Python 3.6 reads."""

import numpy as np

X = np.random.RandomState(0).rand(3, 5).astype("float32")
TRIANGLE = np.arange(1.0, 7.0, dtype="float32")
FACTS = ("mean", "variance", "stddev", "mode", "entropy")


def facts(make, at, also=()):
    """What a distribution knows: log-densities, cumulative probabilities, moments, and the shape of its samples."""

    def run(tf):
        d = make(tf.contrib.distributions)
        out = {"log_prob": d.log_prob(at), "prob": d.prob(at), "sample": tf.shape(d.sample([4, 2], seed=1))}
        for name in ("cdf", "log_cdf", "survival_function") + FACTS + also:
            try:
                value = getattr(d, name)(*([at] if "cdf" in name or "survival" in name else []))
            except (NotImplementedError, ValueError):
                continue
            out[name] = value
        out["shapes"] = [d.batch_shape_tensor(), d.event_shape_tensor()]
        return [out[k] for k in sorted(out)] + [sorted(out)]

    return run


def drawn(make):
    """Means of many samples, to two digits."""

    def run(tf):
        samples = make(tf.contrib.distributions).sample(20000, seed=7)
        mean = tf.reduce_mean(samples, 0)
        return tf.cast(tf.round(mean * 5), tf.int32)

    return run


def mixture(d):
    return d.MixtureSameFamily(d.Categorical(probs=[0.3, 0.7]), d.Normal([1.0, 2.0], [1.0, 0.5]))


def vectors(d):
    return d.MixtureSameFamily(
        d.Categorical(logits=[0.0, 1.0]), d.MultivariateNormalDiag([[1.0, 2.0], [0.0, -1.0]], [[1.0, 0.5], [1.0, 2.0]])
    )


def divergence(tf):
    d = tf.contrib.distributions
    a, b = (d.Independent(d.Normal([[0.0, 1.0], [1.0, 1.0]], s), 1) for s in (1.0, 2.0))
    return d.kl_divergence(a, b)


def moving(tf):
    mean, variance = tf.Variable([0.0, 1.0]), tf.Variable([1.0, 1.0])
    log_mean = tf.Variable([0.5, 0.0])
    updates = tf.contrib.distributions.assign_moving_mean_variance(mean, variance, [2.0, 3.0], 0.9)
    last = tf.contrib.distributions.assign_log_moving_mean_exp(log_mean, [1.0, 2.0], 0.75)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return [[np.asarray(v) for v in session.run(list(updates))], session.run(last), session.run([mean, variance])]


def low_rank(d):
    factor = [[1.0, 0.5], [0.0, 1.0], [2.0, -1.0]]
    return d.MultivariateNormalDiagPlusLowRank([1.0, 0.0, 2.0], [1.0, 2.0, 0.5], 0.25, factor, [1.0, 0.5])


def seeded(tf):
    seeds = tf.contrib.distributions.SeedStream(7, "word")
    again = tf.contrib.distributions.SeedStream(seeds, "other")
    drawn = [tf.random_uniform([2], seed=s()) for s in (seeds, seeds, again)]
    return drawn + [seeds.original_seed, again.salt, tf.contrib.distributions.SeedStream(None, "x")() is None]


DISTRIBUTIONS = {
    "MultivariateNormalDiagPlusLowRank": facts(low_rank, [1.5, 0.5, 1.0], ("covariance",)),
    "MultivariateNormalDiagPlusLowRank samples": lambda tf: low_rank(tf.contrib.distributions).sample(3, seed=5),
    "SeedStream": seeded,
    "Cauchy": facts(lambda d: d.Cauchy([0.0, 1.0], 2.0), [0.5, 0.25]),
    "HalfNormal": facts(lambda d: d.HalfNormal([1.0, 2.0]), [0.5, 0.25]),
    "HalfNormal quantile": lambda tf: tf.contrib.distributions.HalfNormal([1.0, 2.0]).quantile([0.25, 0.75]),
    "Kumaraswamy": facts(lambda d: d.Kumaraswamy([2.0, 0.5], 3.0), [0.5, 0.25]),
    "Geometric": facts(lambda d: d.Geometric(probs=[0.25, 0.5]), [2.0, 3.0]),
    "NegativeBinomial": facts(lambda d: d.NegativeBinomial(3.0, probs=[0.25, 0.5]), [2.0, 3.0]),
    "RelaxedOneHotCategorical": facts(lambda d: d.RelaxedOneHotCategorical(0.5, probs=[[0.2, 0.8]]), [[0.4, 0.6]]),
    "ExpRelaxedOneHotCategorical": facts(
        lambda d: d.ExpRelaxedOneHotCategorical(0.5, logits=[[0.2, 0.8]]), np.log(np.float32([[0.4, 0.6]]))
    ),
    "RelaxedBernoulli": facts(lambda d: d.RelaxedBernoulli(0.5, probs=[0.2, 0.8]), [0.4, 0.6]),
    "Deterministic": facts(lambda d: d.Deterministic([1.0, 2.0], atol=0.5), [1.25, 2.75]),
    "VectorDeterministic": facts(lambda d: d.VectorDeterministic([[1.0, 2.0]]), [[1.0, 2.0]]),
    "Independent": facts(lambda d: d.Independent(d.Normal([[1.0, 2.0]], 1.0), 1), [[1.0, 2.5]]),
    "Independent divergence": divergence,
    "MixtureSameFamily": facts(mixture, 1.5),
    "MixtureSameFamily of vectors": facts(vectors, [1.5, 0.5], ("covariance",)),
    "Mixture": facts(
        lambda d: d.Mixture(d.Categorical(probs=[0.25, 0.75]), [d.Normal(1.0, 1.0), d.Normal(2.0, 0.5)]),
        1.5,
        ("entropy_lower_bound",),
    ),
    "QuantizedDistribution": facts(
        lambda d: d.QuantizedDistribution(d.Normal([1.0, 2.0, 2.0], 2.0), low=-1.0, high=4.0), [1.0, 4.0, -1.0]
    ),
    "BetaWithSoftplusConcentration": facts(lambda d: d.BetaWithSoftplusConcentration([0.0, 2.0], 1.0), [0.5, 0.25]),
    "GammaWithSoftplusConcentrationRate": facts(
        lambda d: d.GammaWithSoftplusConcentrationRate([0.0, 2.0], 1.0), [0.5, 0.25]
    ),
    "InverseGammaWithSoftplusConcentrationRate": facts(
        lambda d: d.InverseGammaWithSoftplusConcentrationRate([3.0, 2.5], 1.0), [0.5, 0.25]
    ),
    "ExponentialWithSoftplusRate": facts(lambda d: d.ExponentialWithSoftplusRate([0.0, 2.0]), [0.5, 0.25]),
    "LaplaceWithSoftplusScale": facts(lambda d: d.LaplaceWithSoftplusScale([0.0, 2.0], 1.0), [0.5, 0.25]),
    "StudentTWithAbsDfSoftplusScale": facts(
        lambda d: d.StudentTWithAbsDfSoftplusScale([-3.5, 4.0], 0.0, 1.0), [0.5, 0.25]
    ),
    "Chi2WithAbsDf": facts(lambda d: d.Chi2WithAbsDf([-3.5, 4.0]), [0.5, 0.25]),
    "samples of a mixture": drawn(mixture),
    "samples of a mixture of vectors": drawn(vectors),
    "samples of NegativeBinomial": drawn(lambda d: d.NegativeBinomial(3.0, probs=[0.25, 0.5])),
    "samples of Kumaraswamy": drawn(lambda d: d.Kumaraswamy([2.0, 0.5], 3.0)),
    "softplus_inverse": lambda tf: tf.contrib.distributions.softplus_inverse([1e-9, 0.5, 30.0]),
    "fill_triangular": lambda tf: [tf.contrib.distributions.fill_triangular(TRIANGLE, upper=u) for u in (False, True)],
    "fill_triangular_inverse": lambda tf: [
        tf.contrib.distributions.fill_triangular_inverse(
            tf.matrix_band_part(tf.reshape(tf.range(9.0), [3, 3]), *((0, -1) if u else (-1, 0))), upper=u
        )
        for u in (False, True)
    ],
    "tridiag": lambda tf: tf.contrib.distributions.tridiag([1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0]),
    "matrix_diag_transform": lambda tf: tf.contrib.distributions.matrix_diag_transform(tf.ones([2, 2]), tf.exp),
    "percentile": lambda tf: (
        [
            tf.contrib.distributions.percentile(X, q, axis=axis, interpolation=how)
            for q, axis, how in (
                (30.0, [0], None),
                (50.0, None, "lower"),
                (75.0, 1, "higher"),
                (10.0, [0, 1], "nearest"),
            )
        ]
        + [tf.contrib.distributions.percentile(X, 50.0, axis=[1], keep_dims=True)]
    ),
    "auto_correlation": lambda tf: [
        tf.contrib.distributions.auto_correlation(X, max_lags=3),
        tf.contrib.distributions.auto_correlation(X, axis=0, center=False, normalize=False),
    ],
    "reduce_weighted_logsumexp": lambda tf: [
        tf.contrib.distributions.reduce_weighted_logsumexp(X, 0.25 - X, axis=1, return_sign=True),
        tf.contrib.distributions.reduce_weighted_logsumexp(X, axis=0, keep_dims=True),
    ],
    "moving": moving,
    "posterior": lambda tf: [
        getattr(
            getattr(tf.contrib.distributions, f)(tf.contrib.distributions.Normal(0.5, 2.0), 1.5, tf.constant(6.0), 4), p
        )
        for f in ("normal_conjugates_known_scale_posterior", "normal_conjugates_known_scale_predictive")
        for p in ("loc", "scale")
    ],
}
