"""tf.contrib.solvers.util."""

from thalweg._src.contrib.solvers.operators import create_operator as create_operator
from thalweg._src.contrib.solvers.operators import dot as dot
from thalweg._src.contrib.solvers.operators import identity_operator as identity_operator
from thalweg._src.contrib.solvers.operators import l2norm as l2norm
from thalweg._src.contrib.solvers.operators import l2norm_squared as l2norm_squared
from thalweg._src.contrib.solvers.operators import l2normalize as l2normalize
