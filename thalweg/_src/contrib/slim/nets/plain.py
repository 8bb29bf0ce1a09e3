"""Networks without branches: VGG (Simonyan and Zisserman 2014), AlexNet v2 (Krizhevsky 2014), OverFeat (Sermanet et al. 2013)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.framework.arg_scope import arg_scope
from thalweg._src.contrib.layers.arguments import convert_collection_to_dict
from thalweg._src.contrib.layers.convolutions import conv2d
from thalweg._src.contrib.layers.dense import fully_connected
from thalweg._src.contrib.layers.regularizers import l2_regularizer
from thalweg._src.contrib.layers.shapes import dropout, max_pool2d, repeat
from thalweg._src.ops import array
from thalweg._src.ops.nets.activations import relu
from thalweg._src.ops.stateful import variable_scope as vs
from thalweg._src.ops.stateful.initializers import constant_initializer, truncated_normal_initializer, zeros_initializer


def vgg_arg_scope(weight_decay: float = 0.0005) -> Any:
    """The arguments that VGG is trained with, as a scope."""
    with (
        arg_scope(
            [conv2d, fully_connected],
            activation_fn=relu,
            weights_regularizer=l2_regularizer(weight_decay),
            biases_initializer=zeros_initializer(),
        ),
        arg_scope([conv2d], padding="SAME") as scope,
    ):
        return scope


def _valid_pools(weight_decay: float, biases: Any) -> Any:
    with (
        arg_scope(
            [conv2d, fully_connected],
            activation_fn=relu,
            biases_initializer=biases,
            weights_regularizer=l2_regularizer(weight_decay),
        ),
        arg_scope([conv2d], padding="SAME"),
        arg_scope([max_pool2d], padding="VALID") as scope,
    ):
        return scope


def alexnet_v2_arg_scope(weight_decay: float = 0.0005) -> Any:
    """The arguments that AlexNet is trained with, as a scope."""
    return _valid_pools(weight_decay, constant_initializer(0.1))


def overfeat_arg_scope(weight_decay: float = 0.0005) -> Any:
    """The arguments that OverFeat is trained with, as a scope."""
    return _valid_pools(weight_decay, zeros_initializer())


def _classifier(
    net: Any, sizes: tuple[int, int], window: int, num_classes: int, keep: Any, is_training: Any, squeeze: bool, sc: Any,
    collection: str, **last: Any,
) -> tuple[Any, dict[str, Any]]:  # fmt: skip
    """The layers fc6, fc7 and fc8, as convolutions."""
    net = conv2d(net, sizes[0], [window, window], padding="VALID", scope="fc6")
    net = dropout(net, keep, is_training=is_training, scope="dropout6")
    net = conv2d(net, sizes[1], [1, 1], scope="fc7")
    net = dropout(net, keep, is_training=is_training, scope="dropout7")
    net = conv2d(net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None, scope="fc8", **last)
    end_points = convert_collection_to_dict(collection)
    if squeeze:
        net = array.squeeze(net, [1, 2], name="fc8/squeezed")
        end_points[sc.name + "/fc8"] = net
    return net, end_points


def _vgg(name: str, repeats: tuple[int, ...]) -> Callable[..., Any]:
    def vgg(
        inputs: Any,
        num_classes: int = 1000,
        is_training: Any = True,
        dropout_keep_prob: Any = 0.5,
        spatial_squeeze: bool = True,
        scope: Any = name,
    ) -> tuple[Any, dict[str, Any]]:
        with vs.variable_scope(scope, name, [inputs]) as sc:
            collection = sc.original_name_scope + "_end_points"
            with arg_scope([conv2d, fully_connected, max_pool2d], outputs_collections=collection):
                net = inputs
                for i, (times, depth) in enumerate(zip(repeats, (64, 128, 256, 512, 512), strict=True), 1):
                    net = repeat(net, times, conv2d, depth, [3, 3], scope=f"conv{i}")
                    net = max_pool2d(net, [2, 2], scope=f"pool{i}")
                return _classifier(
                    net, (4096, 4096), 7, num_classes, dropout_keep_prob, is_training, spatial_squeeze, sc, collection
                )

    vgg.__name__ = vgg.__qualname__ = name
    vgg.__doc__ = f"The network {name}: (logits, activations by name) of images 224 x 224."
    vgg.default_image_size = 224  # type: ignore[attr-defined]
    return vgg


vgg_a, vgg_16, vgg_19 = _vgg("vgg_a", (1, 1, 2, 2, 2)), _vgg("vgg_16", (2, 2, 3, 3, 3)), _vgg("vgg_19", (2, 2, 4, 4, 4))
vgg_d, vgg_e = vgg_16, vgg_19


def alexnet_v2(
    inputs: Any,
    num_classes: int = 1000,
    is_training: Any = True,
    dropout_keep_prob: Any = 0.5,
    spatial_squeeze: bool = True,
    scope: Any = "alexnet_v2",
) -> tuple[Any, dict[str, Any]]:
    """AlexNet as one column: (logits, activations by name) of images 224 x 224."""
    with vs.variable_scope(scope, "alexnet_v2", [inputs]) as sc:
        collection = sc.original_name_scope + "_end_points"
        with arg_scope([conv2d, fully_connected, max_pool2d], outputs_collections=[collection]):
            net = conv2d(inputs, 64, [11, 11], 4, padding="VALID", scope="conv1")
            net = max_pool2d(net, [3, 3], 2, scope="pool1")
            net = conv2d(net, 192, [5, 5], scope="conv2")
            net = max_pool2d(net, [3, 3], 2, scope="pool2")
            for i, depth in ((3, 384), (4, 384), (5, 256)):
                net = conv2d(net, depth, [3, 3], scope=f"conv{i}")
            net = max_pool2d(net, [3, 3], 2, scope="pool5")
            with arg_scope(
                [conv2d],
                weights_initializer=truncated_normal_initializer(0.0, 0.005),
                biases_initializer=constant_initializer(0.1),
            ):
                return _classifier(
                    net, (4096, 4096), 5, num_classes, dropout_keep_prob, is_training, spatial_squeeze, sc, collection,
                    biases_initializer=zeros_initializer(),
                )  # fmt: skip


alexnet_v2.default_image_size = 224  # type: ignore[attr-defined]


def overfeat(
    inputs: Any,
    num_classes: int = 1000,
    is_training: Any = True,
    dropout_keep_prob: Any = 0.5,
    spatial_squeeze: bool = True,
    scope: Any = "overfeat",
) -> tuple[Any, dict[str, Any]]:
    """OverFeat: (logits, activations by name) of images 231 x 231."""
    with vs.variable_scope(scope, "overfeat", [inputs]) as sc:
        collection = sc.name + "_end_points"
        with arg_scope([conv2d, fully_connected, max_pool2d], outputs_collections=collection):
            net = conv2d(inputs, 64, [11, 11], 4, padding="VALID", scope="conv1")
            net = max_pool2d(net, [2, 2], scope="pool1")
            net = conv2d(net, 256, [5, 5], padding="VALID", scope="conv2")
            net = max_pool2d(net, [2, 2], scope="pool2")
            for i, depth in ((3, 512), (4, 1024), (5, 1024)):
                net = conv2d(net, depth, [3, 3], scope=f"conv{i}")
            net = max_pool2d(net, [2, 2], scope="pool5")
            with arg_scope(
                [conv2d],
                weights_initializer=truncated_normal_initializer(0.0, 0.005),
                biases_initializer=constant_initializer(0.1),
            ):
                return _classifier(
                    net, (3072, 4096), 6, num_classes, dropout_keep_prob, is_training, spatial_squeeze, sc, collection,
                    biases_initializer=zeros_initializer(),
                )  # fmt: skip


overfeat.default_image_size = 231  # type: ignore[attr-defined]
