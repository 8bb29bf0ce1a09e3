"""slim.nets.inception: all versions."""

from thalweg._src.contrib.slim.nets.inceptions import inception_v1 as inception_v1
from thalweg._src.contrib.slim.nets.inceptions import inception_v1_arg_scope as inception_v1_arg_scope
from thalweg._src.contrib.slim.nets.inceptions import inception_v1_base as inception_v1_base
from thalweg._src.contrib.slim.nets.inceptions import inception_v2 as inception_v2
from thalweg._src.contrib.slim.nets.inceptions import inception_v2_arg_scope as inception_v2_arg_scope
from thalweg._src.contrib.slim.nets.inceptions import inception_v2_base as inception_v2_base
from thalweg._src.contrib.slim.nets.inceptions import inception_v3 as inception_v3
from thalweg._src.contrib.slim.nets.inceptions import inception_v3_arg_scope as inception_v3_arg_scope
from thalweg._src.contrib.slim.nets.inceptions import inception_v3_base as inception_v3_base
