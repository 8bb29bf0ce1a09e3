"""slim.nets.resnet_v1."""

from thalweg._src.contrib.slim.nets.resnet_parts import resnet_arg_scope as resnet_arg_scope
from thalweg._src.contrib.slim.nets.resnets import bottleneck_v1 as bottleneck
from thalweg._src.contrib.slim.nets.resnets import resnet_v1 as resnet_v1
from thalweg._src.contrib.slim.nets.resnets import resnet_v1_50 as resnet_v1_50
from thalweg._src.contrib.slim.nets.resnets import resnet_v1_101 as resnet_v1_101
from thalweg._src.contrib.slim.nets.resnets import resnet_v1_152 as resnet_v1_152
from thalweg._src.contrib.slim.nets.resnets import resnet_v1_200 as resnet_v1_200
from thalweg._src.contrib.slim.nets.resnets import resnet_v1_block as resnet_v1_block
