"""tf.contrib.distributions: probability distributions."""

from thalweg._src.contrib.bijectors import TransformedDistribution as TransformedDistribution
from thalweg._src.contrib.distributions import Binomial as Binomial
from thalweg._src.contrib.distributions import Chi2 as Chi2
from thalweg._src.contrib.distributions import InverseGamma as InverseGamma
from thalweg._src.contrib.distributions import Logistic as Logistic
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
