"""tf.contrib.solvers.linear_equations."""

from thalweg._src.contrib.solvers.krylov import conjugate_gradient as conjugate_gradient
