"""tf.initializers: first values of variables."""

from thalweg._src.lib.table_initializers import tables_initializer as tables_initializer
from thalweg._src.ops.stateful.initializers import constant_initializer as constant
from thalweg._src.ops.stateful.initializers import glorot_normal_initializer as glorot_normal
from thalweg._src.ops.stateful.initializers import glorot_uniform_initializer as glorot_uniform
from thalweg._src.ops.stateful.initializers import he_normal as he_normal
from thalweg._src.ops.stateful.initializers import he_uniform as he_uniform
from thalweg._src.ops.stateful.initializers import identity_initializer as identity
from thalweg._src.ops.stateful.initializers import lecun_normal as lecun_normal
from thalweg._src.ops.stateful.initializers import lecun_uniform as lecun_uniform
from thalweg._src.ops.stateful.initializers import ones_initializer as ones
from thalweg._src.ops.stateful.initializers import orthogonal_initializer as orthogonal
from thalweg._src.ops.stateful.initializers import random_normal_initializer as random_normal
from thalweg._src.ops.stateful.initializers import random_uniform_initializer as random_uniform
from thalweg._src.ops.stateful.initializers import truncated_normal_initializer as truncated_normal
from thalweg._src.ops.stateful.initializers import uniform_unit_scaling_initializer as uniform_unit_scaling
from thalweg._src.ops.stateful.initializers import variance_scaling_initializer as variance_scaling
from thalweg._src.ops.stateful.initializers import zeros_initializer as zeros
from thalweg._src.ops.stateful.variable_lists import global_variables_initializer as global_variables
from thalweg._src.ops.stateful.variable_lists import local_variables_initializer as local_variables
from thalweg._src.ops.stateful.variable_lists import variables_initializer as variables
