"""tf.contrib.stateless: random numbers that are functions of their seed, by the names before tf.random.stateless_*."""

from thalweg._src.ops.chance.random_draws import stateless_multinomial as stateless_multinomial
from thalweg._src.ops.chance.random_draws import stateless_normal as stateless_random_normal
from thalweg._src.ops.chance.random_draws import stateless_truncated_normal as stateless_truncated_normal
from thalweg._src.ops.chance.random_draws import stateless_uniform as stateless_random_uniform
