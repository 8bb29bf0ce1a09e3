"""slim.nets.overfeat."""

from thalweg._src.contrib.slim.nets.plain import overfeat as overfeat
from thalweg._src.contrib.slim.nets.plain import overfeat_arg_scope as overfeat_arg_scope
