"""slim.nets.resnet_utils."""

from thalweg._src.contrib.slim.nets.resnet_parts import Block as Block
from thalweg._src.contrib.slim.nets.resnet_parts import conv2d_same as conv2d_same
from thalweg._src.contrib.slim.nets.resnet_parts import resnet_arg_scope as resnet_arg_scope
from thalweg._src.contrib.slim.nets.resnet_parts import stack_blocks_dense as stack_blocks_dense
from thalweg._src.contrib.slim.nets.resnet_parts import subsample as subsample
