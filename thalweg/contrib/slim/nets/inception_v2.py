"""slim.nets.inception_v2."""

from thalweg._src.contrib.slim.nets.inceptions import inception_v2 as inception_v2
from thalweg._src.contrib.slim.nets.inceptions import inception_v2_arg_scope as inception_v2_arg_scope
from thalweg._src.contrib.slim.nets.inceptions import inception_v2_base as inception_v2_base
