"""tf.contrib.solvers: iterations for large systems of linear equations."""

from thalweg.contrib.solvers import lanczos as lanczos
from thalweg.contrib.solvers import least_squares as least_squares
from thalweg.contrib.solvers import linear_equations as linear_equations
from thalweg.contrib.solvers import util as util
