"""tf.contrib.distributions: probability distributions."""

from thalweg._src.contrib.bijectors.transformed import (
    ConditionalTransformedDistribution as ConditionalTransformedDistribution,
)
from thalweg._src.contrib.bijectors.transformed import TransformedDistribution as TransformedDistribution
from thalweg._src.contrib.probability.combined import Independent as Independent
from thalweg._src.contrib.probability.combined import Mixture as Mixture
from thalweg._src.contrib.probability.combined import MixtureSameFamily as MixtureSameFamily
from thalweg._src.contrib.probability.combined import QuantizedDistribution as QuantizedDistribution
from thalweg._src.contrib.probability.functions import assign_log_moving_mean_exp as assign_log_moving_mean_exp
from thalweg._src.contrib.probability.functions import assign_moving_mean_variance as assign_moving_mean_variance
from thalweg._src.contrib.probability.functions import auto_correlation as auto_correlation
from thalweg._src.contrib.probability.functions import fill_triangular as fill_triangular
from thalweg._src.contrib.probability.functions import fill_triangular_inverse as fill_triangular_inverse
from thalweg._src.contrib.probability.functions import matrix_diag_transform as matrix_diag_transform
from thalweg._src.contrib.probability.functions import moving_mean_variance as moving_mean_variance
from thalweg._src.contrib.probability.functions import (
    normal_conjugates_known_scale_posterior as normal_conjugates_known_scale_posterior,
)
from thalweg._src.contrib.probability.functions import (
    normal_conjugates_known_scale_predictive as normal_conjugates_known_scale_predictive,
)
from thalweg._src.contrib.probability.functions import percentile as percentile
from thalweg._src.contrib.probability.functions import reduce_weighted_logsumexp as reduce_weighted_logsumexp
from thalweg._src.contrib.probability.functions import softplus_inverse as softplus_inverse
from thalweg._src.contrib.probability.functions import tridiag as tridiag
from thalweg._src.contrib.probability.low_rank import (
    MultivariateNormalDiagPlusLowRank as MultivariateNormalDiagPlusLowRank,
)
from thalweg._src.contrib.probability.low_rank import SeedStream as SeedStream
from thalweg._src.contrib.probability.moved import SinhArcsinh as SinhArcsinh
from thalweg._src.contrib.probability.moved import VectorExponentialDiag as VectorExponentialDiag
from thalweg._src.contrib.probability.moved import VectorLaplaceDiag as VectorLaplaceDiag
from thalweg._src.contrib.probability.points import Deterministic as Deterministic
from thalweg._src.contrib.probability.points import VectorDeterministic as VectorDeterministic
from thalweg._src.contrib.probability.relaxed import ExpRelaxedOneHotCategorical as ExpRelaxedOneHotCategorical
from thalweg._src.contrib.probability.relaxed import RelaxedBernoulli as RelaxedBernoulli
from thalweg._src.contrib.probability.relaxed import RelaxedOneHotCategorical as RelaxedOneHotCategorical
from thalweg._src.contrib.probability.softened import BetaWithSoftplusConcentration as BetaWithSoftplusConcentration
from thalweg._src.contrib.probability.softened import Chi2WithAbsDf as Chi2WithAbsDf
from thalweg._src.contrib.probability.softened import ExponentialWithSoftplusRate as ExponentialWithSoftplusRate
from thalweg._src.contrib.probability.softened import (
    GammaWithSoftplusConcentrationRate as GammaWithSoftplusConcentrationRate,
)
from thalweg._src.contrib.probability.softened import (
    InverseGammaWithSoftplusConcentrationRate as InverseGammaWithSoftplusConcentrationRate,
)
from thalweg._src.contrib.probability.softened import LaplaceWithSoftplusScale as LaplaceWithSoftplusScale
from thalweg._src.contrib.probability.softened import StudentTWithAbsDfSoftplusScale as StudentTWithAbsDfSoftplusScale
from thalweg._src.contrib.probability.univariate import Binomial as Binomial
from thalweg._src.contrib.probability.univariate import Cauchy as Cauchy
from thalweg._src.contrib.probability.univariate import Chi2 as Chi2
from thalweg._src.contrib.probability.univariate import Geometric as Geometric
from thalweg._src.contrib.probability.univariate import HalfNormal as HalfNormal
from thalweg._src.contrib.probability.univariate import InverseGamma as InverseGamma
from thalweg._src.contrib.probability.univariate import Kumaraswamy as Kumaraswamy
from thalweg._src.contrib.probability.univariate import Logistic as Logistic
from thalweg._src.contrib.probability.univariate import NegativeBinomial as NegativeBinomial
from thalweg._src.contrib.probability.wishart import WishartCholesky as WishartCholesky
from thalweg._src.contrib.probability.wishart import WishartFull as WishartFull
from thalweg._src.lib.distributions.continuous import Beta as Beta
from thalweg._src.lib.distributions.continuous import Laplace as Laplace
from thalweg._src.lib.distributions.continuous import Normal as Normal
from thalweg._src.lib.distributions.continuous import NormalWithSoftplusScale as NormalWithSoftplusScale
from thalweg._src.lib.distributions.continuous import StudentT as StudentT
from thalweg._src.lib.distributions.continuous import Uniform as Uniform
from thalweg._src.lib.distributions.discrete import Bernoulli as Bernoulli
from thalweg._src.lib.distributions.discrete import Categorical as Categorical
from thalweg._src.lib.distributions.discrete import Multinomial as Multinomial
from thalweg._src.lib.distributions.discrete import OneHotCategorical as OneHotCategorical
from thalweg._src.lib.distributions.discrete import Poisson as Poisson
from thalweg._src.lib.distributions.distribution import FULLY_REPARAMETERIZED as FULLY_REPARAMETERIZED
from thalweg._src.lib.distributions.distribution import NOT_REPARAMETERIZED as NOT_REPARAMETERIZED
from thalweg._src.lib.distributions.distribution import Distribution as Distribution
from thalweg._src.lib.distributions.distribution import RegisterKL as RegisterKL
from thalweg._src.lib.distributions.distribution import ReparameterizationType as ReparameterizationType
from thalweg._src.lib.distributions.distribution import kl_divergence as kl_divergence
from thalweg._src.lib.distributions.gamma import Exponential as Exponential
from thalweg._src.lib.distributions.gamma import Gamma as Gamma
from thalweg._src.lib.distributions.vectors import Dirichlet as Dirichlet
from thalweg._src.lib.distributions.vectors import DirichletMultinomial as DirichletMultinomial
from thalweg._src.lib.distributions.vectors import MultivariateNormalDiag as MultivariateNormalDiag
from thalweg._src.lib.distributions.vectors import (
    MultivariateNormalDiagWithSoftplusScale as MultivariateNormalDiagWithSoftplusScale,
)
from thalweg._src.lib.distributions.vectors import MultivariateNormalFullCovariance as MultivariateNormalFullCovariance
from thalweg._src.lib.distributions.vectors import MultivariateNormalTriL as MultivariateNormalTriL
from thalweg.contrib.distributions import bijectors as bijectors
