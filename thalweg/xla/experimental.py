"""tf.xla.experimental: computations compiled by XLA, as all are here."""

from thalweg._src.contrib.just_in_time import compile as compile
from thalweg._src.contrib.just_in_time import experimental_jit_scope as jit_scope
