"""tf.contrib.solvers.least_squares."""

from thalweg._src.contrib.solvers.krylov import cgls as cgls
