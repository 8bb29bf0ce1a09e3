"""tf.contrib.compiler: what says which operations XLA compiles."""

from thalweg.contrib.compiler import jit as jit
from thalweg.contrib.compiler import xla as xla
