"""slim.nets.inception_v1."""

from thalweg._src.contrib.slim.nets.inceptions import inception_v1 as inception_v1
from thalweg._src.contrib.slim.nets.inceptions import inception_v1_arg_scope as inception_v1_arg_scope
from thalweg._src.contrib.slim.nets.inceptions import inception_v1_base as inception_v1_base
