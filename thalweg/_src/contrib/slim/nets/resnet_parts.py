"""What residual networks share (He et al. 2015, 2016): blocks of units, and convolutions that keep places aligned."""

from __future__ import annotations

import collections
from typing import Any

from thalweg._src.contrib.framework.arg_scope import add_arg_scope, arg_scope
from thalweg._src.contrib.layers.arguments import collect_named_outputs
from thalweg._src.contrib.layers.batch_norm import batch_norm
from thalweg._src.contrib.layers.convolutions import conv2d
from thalweg._src.contrib.layers.initializers import variance_scaling_initializer
from thalweg._src.contrib.layers.regularizers import l2_regularizer
from thalweg._src.contrib.layers.shapes import max_pool2d
from thalweg._src.core.keys import GraphKeys
from thalweg._src.ops import array
from thalweg._src.ops.nets.activations import relu
from thalweg._src.ops.stateful import variable_scope as vs


class Block(collections.namedtuple("Block", ["scope", "unit_fn", "args"])):
    """A block: its scope, the function of its units, and the arguments of each of them."""


def subsample(inputs: Any, factor: int, scope: Any = None) -> Any:
    """Every `factor`-th place."""
    return inputs if factor == 1 else max_pool2d(inputs, [1, 1], stride=factor, scope=scope)


def conv2d_same(inputs: Any, num_outputs: int, kernel_size: int, stride: int, rate: int = 1, scope: Any = None) -> Any:
    """A convolution with padding SAME whose places do not depend on the size of the image."""
    if stride == 1:
        return conv2d(inputs, num_outputs, kernel_size, stride=1, rate=rate, padding="SAME", scope=scope)
    total = (kernel_size - 1) * rate
    before, after = total // 2, total - total // 2
    inputs = array.pad(inputs, [[0, 0], [before, after], [before, after], [0, 0]])
    return conv2d(inputs, num_outputs, kernel_size, stride=stride, rate=rate, padding="VALID", scope=scope)


@add_arg_scope
def stack_blocks_dense(net: Any, blocks: Any, output_stride: Any = None, outputs_collections: Any = None) -> Any:
    """The blocks one after the other. From `output_stride` on, holes in the filters take the place of strides.

    Raises ValueError for a stride that the blocks don't reach.
    """
    stride = rate = 1
    for block in blocks:
        with vs.variable_scope(block.scope, "block", [net]) as sc:
            for i, unit in enumerate(block.args):
                if output_stride is not None and stride > output_stride:
                    raise ValueError("The target output_stride cannot be reached.")
                with vs.variable_scope(f"unit_{i + 1}", values=[net]):
                    if output_stride is not None and stride == output_stride:
                        net = block.unit_fn(net, rate=rate, **dict(unit, stride=1))
                        rate *= unit.get("stride", 1)
                    else:
                        net = block.unit_fn(net, rate=1, **unit)
                        stride *= unit.get("stride", 1)
            net = collect_named_outputs(outputs_collections, sc.name, net)
    if output_stride is not None and stride != output_stride:
        raise ValueError("The target output_stride cannot be reached.")
    return net


def resnet_arg_scope(
    weight_decay: float = 0.0001,
    batch_norm_decay: float = 0.997,
    batch_norm_epsilon: float = 1e-5,
    batch_norm_scale: bool = True,
) -> Any:
    """The arguments that residual networks are trained with, as a scope."""
    norm = {
        "decay": batch_norm_decay,
        "epsilon": batch_norm_epsilon,
        "scale": batch_norm_scale,
        "updates_collections": GraphKeys.UPDATE_OPS,
    }
    with (
        arg_scope(
            [conv2d],
            weights_regularizer=l2_regularizer(weight_decay),
            weights_initializer=variance_scaling_initializer(),
            activation_fn=relu,
            normalizer_fn=batch_norm,
            normalizer_params=norm,
        ),
        arg_scope([batch_norm], **norm),
        arg_scope([max_pool2d], padding="SAME") as scope,
    ):
        return scope


# The number of units in each of the four blocks, by the number of layers.
DEPTHS = {50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3), 200: (3, 24, 36, 3)}


def block(scope: str, bottleneck: Any, base_depth: int, num_units: int, stride: int) -> Block:
    """A block of units, the last of which has the stride."""
    unit = {"depth": base_depth * 4, "depth_bottleneck": base_depth}
    return Block(scope, bottleneck, [{**unit, "stride": 1}] * (num_units - 1) + [{**unit, "stride": stride}])


def blocks(bottleneck: Any, layers: int) -> list[Block]:
    """The blocks of a network of that many layers."""
    return [
        block(f"block{i + 1}", bottleneck, 64 * 2**i, units, 2 if i < 3 else 1)
        for i, units in enumerate(DEPTHS[layers])
    ]
