"""slim.nets.vgg."""

from thalweg._src.contrib.slim.nets.plain import vgg_16 as vgg_16
from thalweg._src.contrib.slim.nets.plain import vgg_19 as vgg_19
from thalweg._src.contrib.slim.nets.plain import vgg_a as vgg_a
from thalweg._src.contrib.slim.nets.plain import vgg_arg_scope as vgg_arg_scope
from thalweg._src.contrib.slim.nets.plain import vgg_d as vgg_d
from thalweg._src.contrib.slim.nets.plain import vgg_e as vgg_e
