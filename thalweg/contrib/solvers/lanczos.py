"""tf.contrib.solvers.lanczos."""

from thalweg._src.contrib.solvers.krylov import lanczos_bidiag as lanczos_bidiag
from thalweg._src.contrib.solvers.operators import bidiag_matmul as bidiag_matmul
