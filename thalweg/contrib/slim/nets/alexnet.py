"""slim.nets.alexnet."""

from thalweg._src.contrib.slim.nets.plain import alexnet_v2 as alexnet_v2
from thalweg._src.contrib.slim.nets.plain import alexnet_v2_arg_scope as alexnet_v2_arg_scope
