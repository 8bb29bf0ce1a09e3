"""slim.nets.inception_v3."""

from thalweg._src.contrib.slim.nets.inceptions import inception_v3 as inception_v3
from thalweg._src.contrib.slim.nets.inceptions import inception_v3_arg_scope as inception_v3_arg_scope
from thalweg._src.contrib.slim.nets.inceptions import inception_v3_base as inception_v3_base
