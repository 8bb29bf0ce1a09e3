"""slim.nets.resnet_v2."""

from thalweg._src.contrib.slim.nets.resnet_parts import resnet_arg_scope as resnet_arg_scope
from thalweg._src.contrib.slim.nets.resnets import preactivated_bottleneck as bottleneck
from thalweg._src.contrib.slim.nets.resnets import resnet_v2 as resnet_v2
from thalweg._src.contrib.slim.nets.resnets import resnet_v2_50 as resnet_v2_50
from thalweg._src.contrib.slim.nets.resnets import resnet_v2_101 as resnet_v2_101
from thalweg._src.contrib.slim.nets.resnets import resnet_v2_152 as resnet_v2_152
from thalweg._src.contrib.slim.nets.resnets import resnet_v2_200 as resnet_v2_200
from thalweg._src.contrib.slim.nets.resnets import resnet_v2_block as resnet_v2_block
