"""tf.contrib.bayesflow.monte_carlo."""

from thalweg._src.contrib.monte_carlo import expectation as expectation
from thalweg._src.contrib.monte_carlo import expectation_importance_sampler as expectation_importance_sampler
from thalweg._src.contrib.monte_carlo import (
    expectation_importance_sampler_logspace as expectation_importance_sampler_logspace,
)
