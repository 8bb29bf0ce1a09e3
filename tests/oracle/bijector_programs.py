"""Small programs of tf.contrib.distributions.bijectors, a family of contrib_programs.py. Kept to what Python 3.6 reads."""

import importlib

import numpy as np

from oracle.public import raised

NUMBERS = np.float32([[0.3, 0.7, 1.2], [0.1, 0.9, 2.5]])
UNITS = np.float32([[0.3, 0.7, 0.5], [0.1, 0.9, 0.25]])
VECTORS = np.float32([[0.3, -0.7, 1.2], [-2.0, 0.5, 0.1]])
RISING = np.float32([[-1.0, 0.5, 2.0], [0.0, 0.1, 5.0]])
TRIANGLE = np.float32([[[2.0, 0.0], [0.5, 1.5]], [[1.0, 0.0], [-1.0, 0.25]]])


def facts(make, x, least=0, behind=None):
    """Values there and back, log-determinants over events of one axis and two, shapes."""

    def run(tf):
        b = make(tf.contrib.distributions.bijectors, tf)
        given, behind_least = tf.constant(x), least if behind is None else behind
        y = b.forward(given)
        back = b.inverse(y + 0.0)
        out = [y, back]
        for more in range(2):
            out += [
                tf.ones([2] * (1 - more)) * b.forward_log_det_jacobian(given, least + more),
                tf.ones([2] * (1 - more)) * b.inverse_log_det_jacobian(y + 0.0, behind_least + more),
            ]
        shape = x.shape[len(x.shape) - least :] if least else x.shape
        out += [b.forward_event_shape(shape).as_list(), b.forward_event_shape_tensor(list(shape))]
        return out + [[b.forward_min_event_ndims, b.inverse_min_event_ndims, b.is_constant_jacobian, b.name]]

    return run


def numbers(make, x=NUMBERS):
    """`facts` of a bijector of numbers, with events of one axis and two."""

    def run(tf):
        b = make(tf.contrib.distributions.bijectors, tf)
        y = b.forward(tf.constant(x))
        out = [y, b.inverse(y + 0.0), [b.forward_min_event_ndims, b.is_constant_jacobian, b.name]]
        for ndims in (1, 2):
            out += [b.forward_log_det_jacobian(tf.constant(x), ndims), b.inverse_log_det_jacobian(y + 0.0, ndims)]
        return out

    return run


def shift_and_log_scale(tf):
    """A function of vectors that sees what lies before each element."""
    return lambda y, units=None: (
        tf.cumsum(y, -1, exclusive=True)[..., : units or 3],
        tf.tanh(tf.cumsum(y * y, -1, exclusive=True))[..., : units or 3],
    )


def flow(unroll=False):
    return facts(lambda b, tf: b.MaskedAutoregressiveFlow(shift_and_log_scale(tf), unroll_loop=unroll), VECTORS, 1)


def transformed(make, at, constant=False):
    """Densities, shapes and the entropy of a transformed distribution."""

    def run(tf):
        d = make(tf.contrib.distributions, tf)
        out = [
            d.log_prob(at),
            tf.shape(d.sample([4, 5], seed=1)),
            d.batch_shape_tensor(),
            d.event_shape_tensor(),
            d.name,
        ]
        out += [d.batch_shape.as_list(), d.event_shape.as_list(), d.log_prob(tf.zeros_like(d.sample(2, seed=3)) + at)]
        return out + ([d.entropy()] if constant else [])

    return run


def variables(make, x):
    """The names and shapes of what the networks of a flow learn."""

    def run(tf):
        made = make(tf.contrib.distributions.bijectors)(tf.constant(x))
        names = [[v.op.name, v.shape.as_list()] for v in tf.trainable_variables()]
        return [names, [tf.shape(m) for m in made if m is not None], [m is None for m in made]]

    return run


def batch_normalization(tf):
    b = tf.contrib.distributions.bijectors.BatchNormalization()
    y = tf.constant(VECTORS)
    x, det = b.inverse(y), b.inverse_log_det_jacobian(y + 0.0, 1)
    back, forth = b.forward(x + 0.0), b.forward_log_det_jacobian(x + 0.0, 1)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        first = session.run([x, det, back])
        session.run(b.batchnorm.updates)
        return first + session.run([back, forth])


def masked(tf):
    d = tf.contrib.distributions.bijectors.masked_dense
    ones = tf.ones_initializer()
    x = tf.constant(VECTORS)
    made = [
        d(x, 6, 3, kernel_initializer=ones),
        d(x, 6, 3, exclusive=True, kernel_initializer=ones, activation=tf.nn.relu),
        d(tf.concat([x, x], -1), 6, 3, True, kernel_initializer=ones),
    ]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return session.run(made)


def refused(tf):
    b = tf.contrib.distributions.bijectors
    return [
        raised(b.PowerTransform, -1.0),
        raised(b.Permute, [0, 0, 1]),
        raised(b.Permute, [0.5]),
        raised(b.Reshape([2, 2], [4]).forward, tf.zeros([3, 5])),
        raised(b.RealNVP, 0, None),
        raised(b.RealNVP(3, lambda x, n: (None, None)).forward, tf.zeros([2, 3])),
        raised(b.Invert, b.AbsoluteValue()),
        raised(b.AffineLinearOperator, scale=1.0),
        raised(b.Exp().forward_log_det_jacobian, tf.zeros([2]), -1),
    ]


def weibull(b):
    """TensorFlow has this one in an internal module alone."""
    inside = "tensorflow.contrib.distributions.python.ops.bijectors.weibull"
    return getattr(b, "Weibull", None) or importlib.import_module(inside).Weibull


def operator(tf):
    return tf.linalg.LinearOperatorLowerTriangular(tf.constant(TRIANGLE[0]))


def wishart(kind, x, **more):
    """What one of Wishart's distributions knows."""

    def run(tf):
        d = getattr(tf.contrib.distributions, kind)(
            5.0,
            tf.constant(TRIANGLE @ TRIANGLE.swapaxes(-1, -2) if kind.endswith("Full") else TRIANGLE),
            **more,
        )
        out = [d.log_prob(x), d.mean(), d.mode(), d.entropy(), d.mean_log_det(), d.log_normalization(), d.scale()]
        return out + [tf.shape(d.sample([4], seed=1)), d.batch_shape.as_list(), d.event_shape.as_list(), d.dimension]

    return run


def vectors(make, at):
    """Densities, moments and shapes of a distribution of vectors."""

    def run(tf):
        d = make(tf.contrib.distributions)
        out = [
            d.log_prob(at),
            d.mean(),
            d.variance(),
            d.stddev(),
            d.covariance(),
            d.mode(),
            tf.shape(d.sample(4, seed=1)),
        ]
        return out + [d.batch_shape.as_list(), d.event_shape.as_list()]

    return run


COVARIANCES = np.float32([[[2.0, 0.5], [0.5, 1.5]], [[1.0, 0.2], [0.2, 3.0]]])

BIJECTORS = {
    "WishartFull": wishart("WishartFull", COVARIANCES),
    "WishartCholesky": wishart("WishartCholesky", COVARIANCES),
    "WishartCholesky of factors": wishart("WishartCholesky", TRIANGLE, cholesky_input_output_matrices=True),
    "VectorExponentialDiag": vectors(
        lambda d: d.VectorExponentialDiag([1.0, 2.0, 0.0], [1.0, 2.0, 3.0], 0.5),
        np.float32([[2.0, 3.0, 1.0], [3.0, 2.5, 4.0]]),
    ),
    "VectorLaplaceDiag": vectors(
        lambda d: d.VectorLaplaceDiag([1.0, 2.0, 0.0], scale_identity_multiplier=[0.5, 2.0]), VECTORS
    ),
    "SinhArcsinh": transformed(
        lambda d, tf: d.SinhArcsinh(1.0, [1.0, 2.0, 0.5], skewness=0.3, tailweight=[0.5, 1.0, 2.0]), VECTORS
    ),
    "Identity": numbers(lambda b, tf: b.Identity()),
    "Exp": numbers(lambda b, tf: b.Exp()),
    "PowerTransform": numbers(lambda b, tf: b.PowerTransform(0.5)),
    "Sigmoid": numbers(lambda b, tf: b.Sigmoid()),
    "Softplus": numbers(lambda b, tf: b.Softplus()),
    "Softplus softer": numbers(lambda b, tf: b.Softplus(2.0)),
    "Softsign": numbers(lambda b, tf: b.Softsign(validate_args=True), VECTORS),
    "Square": numbers(lambda b, tf: b.Square(validate_args=True)),
    "AffineScalar": numbers(lambda b, tf: b.AffineScalar(1.0, [1.0, -2.0, 3.0])),
    "SinhArcsinh of numbers": numbers(lambda b, tf: b.SinhArcsinh(0.5, 1.5), VECTORS),
    "Kumaraswamy": numbers(lambda b, tf: b.Kumaraswamy(2.0, 1.5), UNITS),
    "Weibull": numbers(lambda b, tf: weibull(b)(1.5, 2.0)),
    "Gumbel": numbers(lambda b, tf: b.Gumbel(0.5, 2.0), VECTORS),
    "Invert": numbers(lambda b, tf: b.Invert(b.Sigmoid()), UNITS),
    "Chain": numbers(lambda b, tf: b.Chain([b.Exp(), b.AffineScalar(1.0, -0.5), b.Softplus()])),
    "Inline": numbers(
        lambda b, tf: b.Inline(
            tf.exp, tf.log, lambda y: -tf.log(y), lambda x: x, forward_min_event_ndims=0, name="by_hand"
        )
    ),
    "AbsoluteValue": lambda tf: [
        tf.contrib.distributions.bijectors.AbsoluteValue().forward(VECTORS),
        tf.contrib.distributions.bijectors.AbsoluteValue().inverse(NUMBERS),
        tf.contrib.distributions.bijectors.AbsoluteValue().inverse_log_det_jacobian(NUMBERS, 1),
    ],
    "SoftmaxCentered": facts(lambda b, tf: b.SoftmaxCentered(), VECTORS, 1),
    "Ordered": facts(lambda b, tf: b.Ordered(), RISING, 1),
    "Permute": facts(lambda b, tf: b.Permute([2, 0, 1]), VECTORS, 1),
    "FillTriangular": facts(lambda b, tf: b.FillTriangular(), VECTORS, 1, 2),
    "ScaleTriL": facts(lambda b, tf: b.ScaleTriL(), VECTORS, 1, 2),
    "TransformDiagonal": facts(lambda b, tf: b.TransformDiagonal(b.Exp()), TRIANGLE, 2),
    "MatrixInverseTriL": facts(lambda b, tf: b.MatrixInverseTriL(), TRIANGLE, 2),
    "CholeskyOuterProduct": facts(lambda b, tf: b.CholeskyOuterProduct(), TRIANGLE, 2),
    "Reshape": lambda tf: [
        tf.contrib.distributions.bijectors.Reshape([3, 1]).forward(VECTORS),
        tf.contrib.distributions.bijectors.Reshape([3, 1], [3]).inverse(VECTORS[:, :, None]),
        tf.contrib.distributions.bijectors.Reshape([-1], [3, 1]).forward_event_shape([3, 1]).as_list(),
    ],
    "Affine shift": facts(lambda b, tf: b.Affine([1.0, 2.0, 3.0]), VECTORS, 1),
    "Affine times": facts(lambda b, tf: b.Affine([1.0, 2.0, 3.0], 2.0), VECTORS, 1),
    "Affine diagonal": facts(
        lambda b, tf: b.Affine(scale_diag=[1.0, 2.0, -3.0], scale_identity_multiplier=0.5), VECTORS, 1
    ),
    "Affine triangle": facts(lambda b, tf: b.Affine([1.0, 2.0], scale_tril=TRIANGLE), VECTORS[:, :2], 1),
    "Affine of low rank": facts(
        lambda b, tf: b.Affine(scale_diag=[1.0, 2.0, 3.0], scale_perturb_factor=[[1.0], [0.5], [2.0]]), VECTORS, 1
    ),
    "AffineLinearOperator": facts(lambda b, tf: b.AffineLinearOperator([1.0, 2.0], operator(tf)), VECTORS[:, :2], 1),
    "MaskedAutoregressiveFlow": flow(),
    "MaskedAutoregressiveFlow unrolled": flow(True),
    "RealNVP": facts(lambda b, tf: b.RealNVP(1, lambda x, n: (tf.tile(x, [1, n]), tf.tile(x * x, [1, n]))), VECTORS, 1),
    "BatchNormalization": batch_normalization,
    "masked_dense": masked,
    "masked_autoregressive_default_template": variables(
        lambda b: b.masked_autoregressive_default_template([9]), VECTORS
    ),
    "masked_autoregressive_default_template moves": variables(
        lambda b: b.masked_autoregressive_default_template([9, 9], shift_only=True), VECTORS
    ),
    "real_nvp_default_template": variables(lambda b: lambda x: b.real_nvp_default_template([4])(x, 2), VECTORS),
    "TransformedDistribution of numbers": transformed(
        lambda d, tf: d.TransformedDistribution(d.Normal([0.0, 1.0], 1.0), d.bijectors.Exp()), np.float32([0.5, 2.0])
    ),
    "TransformedDistribution of vectors": transformed(
        lambda d, tf: d.TransformedDistribution(
            d.MultivariateNormalDiag(tf.zeros([2])), d.bijectors.SoftmaxCentered(), name="simplex"
        ),
        np.float32([0.2, 0.3, 0.5]),
    ),
    "TransformedDistribution event_shape": transformed(
        lambda d, tf: d.TransformedDistribution(
            d.Normal([0.0, 1.0], 2.0),
            d.bijectors.Affine(shift=[1.0, 2.0, 3.0], scale_diag=[1.0, 2.0, 3.0]),
            event_shape=[3],
        ),
        VECTORS,
        True,
    ),
    "TransformedDistribution batch_shape": transformed(
        lambda d, tf: d.TransformedDistribution(
            d.Normal(0.0, 2.0), d.bijectors.AffineScalar(1.0, 3.0), batch_shape=[2], event_shape=[3]
        ),
        VECTORS,
        True,
    ),
    "TransformedDistribution of two points": transformed(
        lambda d, tf: d.TransformedDistribution(d.Normal(0.5, 1.0), d.bijectors.AbsoluteValue()), np.float32([0.5, 2.0])
    ),
    "bijectors refuse": refused,
}
