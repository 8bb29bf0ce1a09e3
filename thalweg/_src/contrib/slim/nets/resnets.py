"""Residual networks: v1 (He et al. 2015) and v2, with activations before the convolutions (He et al. 2016)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.framework.arg_scope import add_arg_scope, arg_scope
from thalweg._src.contrib.layers.arguments import collect_named_outputs, convert_collection_to_dict, last_dimension
from thalweg._src.contrib.layers.batch_norm import batch_norm
from thalweg._src.contrib.layers.convolutions import conv2d
from thalweg._src.contrib.layers.dense import softmax
from thalweg._src.contrib.layers.shapes import max_pool2d
from thalweg._src.contrib.slim.nets import resnet_parts as parts
from thalweg._src.ops import math
from thalweg._src.ops.nets.activations import relu
from thalweg._src.ops.stateful import variable_scope as vs


@add_arg_scope
def bottleneck_v1(
    inputs: Any,
    depth: int,
    depth_bottleneck: int,
    stride: int,
    rate: int = 1,
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """A unit of three convolutions beside a shortcut, activation after the sum."""
    with vs.variable_scope(scope, "bottleneck_v1", [inputs]) as sc:
        if depth == last_dimension(inputs.get_shape(), min_rank=4):
            shortcut = parts.subsample(inputs, stride, "shortcut")
        else:
            shortcut = conv2d(inputs, depth, [1, 1], stride=stride, activation_fn=None, scope="shortcut")
        net = conv2d(inputs, depth_bottleneck, [1, 1], stride=1, scope="conv1")
        net = parts.conv2d_same(net, depth_bottleneck, 3, stride, rate=rate, scope="conv2")
        net = conv2d(net, depth, [1, 1], stride=1, activation_fn=None, scope="conv3")
        return collect_named_outputs(outputs_collections, sc.name, relu(shortcut + net))


@add_arg_scope
def preactivated_bottleneck(
    inputs: Any,
    depth: int,
    depth_bottleneck: int,
    stride: int,
    rate: int = 1,
    outputs_collections: Any = None,
    scope: Any = None,
) -> Any:
    """A unit of three convolutions beside a shortcut, normalisation and activation before them."""
    with vs.variable_scope(scope, "bottleneck_v2", [inputs]) as sc:
        before = batch_norm(inputs, activation_fn=relu, scope="preact")
        plain = {"normalizer_fn": None, "activation_fn": None}
        if depth == last_dimension(inputs.get_shape(), min_rank=4):
            shortcut = parts.subsample(inputs, stride, "shortcut")
        else:
            shortcut = conv2d(before, depth, [1, 1], stride=stride, scope="shortcut", **plain)
        net = conv2d(before, depth_bottleneck, [1, 1], stride=1, scope="conv1")
        net = parts.conv2d_same(net, depth_bottleneck, 3, stride, rate=rate, scope="conv2")
        net = conv2d(net, depth, [1, 1], stride=1, scope="conv3", **plain)
        return collect_named_outputs(outputs_collections, sc.name, shortcut + net)


def _resnet(version: int) -> Callable[..., Any]:
    bottleneck = bottleneck_v1 if version == 1 else preactivated_bottleneck

    def resnet(
        inputs: Any,
        blocks: Any,
        num_classes: int | None = None,
        is_training: Any = True,
        global_pool: bool = True,
        output_stride: Any = None,
        include_root_block: bool = True,
        reuse: Any = None,
        scope: Any = None,
    ) -> tuple[Any, dict[str, Any]]:
        with vs.variable_scope(scope, f"resnet_v{version}", [inputs], reuse=reuse) as sc:
            collection = sc.original_name_scope + "_end_points"
            with (
                arg_scope([conv2d, bottleneck, parts.stack_blocks_dense], outputs_collections=collection),
                arg_scope([batch_norm], is_training=is_training),
            ):
                net = inputs
                if include_root_block:
                    if output_stride is not None:
                        if output_stride % 4 != 0:
                            raise ValueError("The output_stride needs to be a multiple of 4.")
                        output_stride /= 4
                    plain = {} if version == 1 else {"activation_fn": None, "normalizer_fn": None}
                    with arg_scope([conv2d], **plain):
                        net = parts.conv2d_same(net, 64, 7, stride=2, scope="conv1")
                    net = max_pool2d(net, [3, 3], stride=2, scope="pool1")
                net = parts.stack_blocks_dense(net, blocks, output_stride)
                if version == 2:
                    net = batch_norm(net, activation_fn=relu, scope="postnorm")
                if global_pool:
                    net = math.reduce_mean(net, [1, 2], name="pool5", keepdims=True)
                if num_classes is not None:
                    net = conv2d(net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None, scope="logits")
                end_points = convert_collection_to_dict(collection)
                if num_classes is not None:
                    end_points["predictions"] = softmax(net, scope="predictions")
                return net, end_points

    resnet.__name__ = f"resnet_v{version}"
    resnet.__doc__ = (
        f"A residual network v{version} of `blocks`: (logits [batch, 1, 1, classes], activations by name). `output_stride` is how\n"
        "    much smaller than the image the activations may get. Raises ValueError for one that the blocks don't reach."
    )
    resnet.default_image_size = 224  # type: ignore[attr-defined]
    return resnet


resnet_v1, resnet_v2 = _resnet(1), _resnet(2)


def resnet_v1_block(scope: str, base_depth: int, num_units: int, stride: int) -> parts.Block:
    """A block of `bottleneck_v1`."""
    return parts.block(scope, bottleneck_v1, base_depth, num_units, stride)


def resnet_v2_block(scope: str, base_depth: int, num_units: int, stride: int) -> parts.Block:
    """A block of `preactivated_bottleneck`."""
    return parts.block(scope, preactivated_bottleneck, base_depth, num_units, stride)


def _of_layers(version: int, layers: int) -> Callable[..., Any]:
    network, unit = (resnet_v1, bottleneck_v1) if version == 1 else (resnet_v2, preactivated_bottleneck)
    name = f"resnet_v{version}_{layers}"

    def resnet(
        inputs: Any,
        num_classes: int | None = None,
        is_training: Any = True,
        global_pool: bool = True,
        output_stride: Any = None,
        reuse: Any = None,
        scope: Any = name,
    ) -> tuple[Any, dict[str, Any]]:
        blocks = parts.blocks(unit, layers)
        return network(
            inputs,
            blocks,
            num_classes,
            is_training,
            global_pool,
            output_stride,
            include_root_block=True,
            reuse=reuse,
            scope=scope,
        )

    resnet.__name__ = resnet.__qualname__ = name
    resnet.__doc__ = f"The residual network v{version} of {layers} layers."
    resnet.default_image_size = 224  # type: ignore[attr-defined]
    return resnet


resnet_v1_50, resnet_v1_101, resnet_v1_152, resnet_v1_200 = (_of_layers(1, n) for n in parts.DEPTHS)
resnet_v2_50, resnet_v2_101, resnet_v2_152, resnet_v2_200 = (_of_layers(2, n) for n in parts.DEPTHS)
