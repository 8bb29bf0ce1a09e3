"""tensorflow.python.ops.nn_ops: the class of a convolution of known shapes, which is public nowhere."""

from thalweg._src.ops.nets.spaced import Convolution as Convolution
