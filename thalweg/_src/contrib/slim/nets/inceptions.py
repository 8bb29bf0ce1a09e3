"""Inception v1 (Szegedy et al. 2014), v2 (Ioffe and Szegedy 2015) and v3 (Szegedy et al. 2015)."""

from __future__ import annotations

from typing import Any

from thalweg._src.contrib.framework.arg_scope import arg_scope
from thalweg._src.contrib.layers.batch_norm import batch_norm
from thalweg._src.contrib.layers.convolutions import conv2d, separable_conv2d
from thalweg._src.contrib.layers.dense import fully_connected, softmax
from thalweg._src.contrib.layers.initializers import variance_scaling_initializer
from thalweg._src.contrib.layers.regularizers import l2_regularizer
from thalweg._src.contrib.layers.shapes import avg_pool2d, dropout, max_pool2d
from thalweg._src.contrib.slim.nets.branches import module, module_name
from thalweg._src.core.keys import GraphKeys
from thalweg._src.ops import array
from thalweg._src.ops.nets.activations import relu
from thalweg._src.ops.stateful import variable_scope as vs
from thalweg._src.ops.stateful.initializers import truncated_normal_initializer

V1 = """
Mixed_3b: 64 1x1 0a | 96 1x1 0a > 128 3x3 0b | 16 1x1 0a > 32 3x3 0b | max 0a > 32 1x1 0b
Mixed_3c: 128 1x1 0a | 128 1x1 0a > 192 3x3 0b | 32 1x1 0a > 96 3x3 0b | max 0a > 64 1x1 0b
MaxPool_4a_3x3
Mixed_4b: 192 1x1 0a | 96 1x1 0a > 208 3x3 0b | 16 1x1 0a > 48 3x3 0b | max 0a > 64 1x1 0b
Mixed_4c: 160 1x1 0a | 112 1x1 0a > 224 3x3 0b | 24 1x1 0a > 64 3x3 0b | max 0a > 64 1x1 0b
Mixed_4d: 128 1x1 0a | 128 1x1 0a > 256 3x3 0b | 24 1x1 0a > 64 3x3 0b | max 0a > 64 1x1 0b
Mixed_4e: 112 1x1 0a | 144 1x1 0a > 288 3x3 0b | 32 1x1 0a > 64 3x3 0b | max 0a > 64 1x1 0b
Mixed_4f: 256 1x1 0a | 160 1x1 0a > 320 3x3 0b | 32 1x1 0a > 128 3x3 0b | max 0a > 128 1x1 0b
MaxPool_5a_2x2
Mixed_5b: 256 1x1 0a | 160 1x1 0a > 320 3x3 0b | 32 1x1 0a > 128 3x3 0a | max 0a > 128 1x1 0b
Mixed_5c: 384 1x1 0a | 192 1x1 0a > 384 3x3 0b | 48 1x1 0a > 128 3x3 0b | max 0a > 128 1x1 0b
"""

V2 = """
Mixed_3b: 64 1x1 0a | 64 1x1 0a ~0.09 > 64 3x3 0b | 64 1x1 0a ~0.09 > 96 3x3 0b > 96 3x3 0c | avg 0a > 32 1x1 0b ~0.1
Mixed_3c: 64 1x1 0a | 64 1x1 0a ~0.09 > 96 3x3 0b | 64 1x1 0a ~0.09 > 96 3x3 0b > 96 3x3 0c | avg 0a > 64 1x1 0b ~0.1
Mixed_4a: 128 1x1 0a ~0.09 > 160 3x3 1a s2 | 64 1x1 0a ~0.09 > 96 3x3 0b > 96 3x3 1a s2 | max 1a s2
Mixed_4b: 224 1x1 0a | 64 1x1 0a ~0.09 > 96 3x3 0b | 96 1x1 0a ~0.09 > 128 3x3 0b > 128 3x3 0c | avg 0a > 128 1x1 0b ~0.1
Mixed_4c: 192 1x1 0a | 96 1x1 0a ~0.09 > 128 3x3 0b | 96 1x1 0a ~0.09 > 128 3x3 0b > 128 3x3 0c | avg 0a > 128 1x1 0b ~0.1
Mixed_4d: 160 1x1 0a | 128 1x1 0a ~0.09 > 160 3x3 0b | 128 1x1 0a ~0.09 > 160 3x3 0b > 160 3x3 0c | avg 0a > 96 1x1 0b ~0.1
Mixed_4e: 96 1x1 0a | 128 1x1 0a ~0.09 > 192 3x3 0b | 160 1x1 0a ~0.09 > 192 3x3 0b > 192 3x3 0c | avg 0a > 96 1x1 0b ~0.1
Mixed_5a: 128 1x1 0a ~0.09 > 192 3x3 1a s2 | 192 1x1 0a ~0.09 > 256 3x3 0b > 256 3x3 1a s2 | max 1a s2
Mixed_5b: 352 1x1 0a | 192 1x1 0a ~0.09 > 320 3x3 0b | 160 1x1 0a ~0.09 > 224 3x3 0b > 224 3x3 0c | avg 0a > 128 1x1 0b ~0.1
Mixed_5c: 352 1x1 0a | 192 1x1 0a ~0.09 > 320 3x3 0b | 192 1x1 0a ~0.09 > 224 3x3 0b > 224 3x3 0c | max 0a > 128 1x1 0b ~0.1
"""


def _v3_35(name: str, last: int, first: str = "48 1x1 0a > 64 5x5 0b") -> str:
    return f"{name}: 64 1x1 0a | {first} | 64 1x1 0a > 96 3x3 0b > 96 3x3 0c | avg 0a > {last} 1x1 0b"


def _v3_17(name: str, n: int) -> str:
    long = f"{n} 1x1 0a > {n} 7x1 0b > {n} 1x7 0c > {n} 7x1 0d > 192 1x7 0e"
    return f"{name}: 192 1x1 0a | {n} 1x1 0a > {n} 1x7 0b > 192 7x1 0c | {long} | avg 0a > 192 1x1 0b"


def _v3_8(name: str, letter: str) -> str:
    pair = f"384 1x3 0b + 384 3x1 {letter}"
    return (
        f"{name}: 320 1x1 0a | 384 1x1 0a > {pair} | 448 1x1 0a > 384 3x3 0b > 384 1x3 0c + 384 3x1 0d | "
        "avg 0a > 192 1x1 0b"
    )


V3 = [
    _v3_35("Mixed_5b", 32),
    _v3_35("Mixed_5c", 64, "48 1x1 0b > 64 5x5 0c =Conv_1_0c_5x5"),
    _v3_35("Mixed_5d", 64),
    "Mixed_6a: 384 3x3 1a s2 V =Conv2d_1a_1x1 | 64 1x1 0a > 96 3x3 0b > 96 3x3 1a s2 V =Conv2d_1a_1x1 | max 1a s2 V",
    _v3_17("Mixed_6b", 128),
    _v3_17("Mixed_6c", 160),
    _v3_17("Mixed_6d", 160),
    _v3_17("Mixed_6e", 192),
    "Mixed_7a: 192 1x1 0a > 320 3x3 1a s2 V | 192 1x1 0a > 192 1x7 0b > 192 7x1 0c > 192 3x3 1a s2 V | max 1a s2 V",
    _v3_8("Mixed_7b", "0b"),
    _v3_8("Mixed_7c", "0c"),
]


class _Reached(Exception):
    """The final end point is there."""


class _Points(dict):
    """The end points by name; adding the final one ends the network."""

    def __init__(self, final: str):
        super().__init__()
        self.final = final

    def add(self, name: str, net: Any) -> Any:
        self[name] = net
        if name == self.final:
            raise _Reached
        return net


def _modules(net: Any, points: _Points, lines: Any, depth: Any) -> Any:
    for line in lines:
        name = module_name(line)
        if name.startswith("MaxPool"):
            window = int(name[-1])
            net = points.add(name, max_pool2d(net, [window, window], stride=2, scope=name))
        else:
            net = points.add(name, module(net, line, depth))
    return net


def _built(build: Any, points: _Points) -> tuple[Any, dict[str, Any]]:
    try:
        build()
    except _Reached:
        return points[points.final], dict(points)
    raise ValueError(f"Unknown final endpoint {points.final}")


def inception_v1_base(
    inputs: Any, final_endpoint: str = "Mixed_5c", scope: Any = "InceptionV1"
) -> tuple[Any, dict[str, Any]]:
    """(activations, all of them by name) up to `final_endpoint`. Raises ValueError for an unknown one."""
    points = _Points(final_endpoint)

    def build() -> None:
        with (
            vs.variable_scope(scope, "InceptionV1", [inputs]),
            arg_scope([conv2d, fully_connected], weights_initializer=truncated_normal_initializer(0.0, 0.01)),
            arg_scope([conv2d, max_pool2d], stride=1, padding="SAME"),
        ):
            net = points.add("Conv2d_1a_7x7", conv2d(inputs, 64, [7, 7], stride=2, scope="Conv2d_1a_7x7"))
            net = points.add("MaxPool_2a_3x3", max_pool2d(net, [3, 3], stride=2, scope="MaxPool_2a_3x3"))
            net = points.add("Conv2d_2b_1x1", conv2d(net, 64, [1, 1], scope="Conv2d_2b_1x1"))
            net = points.add("Conv2d_2c_3x3", conv2d(net, 192, [3, 3], scope="Conv2d_2c_3x3"))
            net = points.add("MaxPool_3a_3x3", max_pool2d(net, [3, 3], stride=2, scope="MaxPool_3a_3x3"))
            _modules(net, points, V1.strip().splitlines(), int)

    return _built(build, points)


def _depths(min_depth: int, depth_multiplier: float) -> Any:
    if depth_multiplier <= 0:
        raise ValueError("depth_multiplier is not greater than zero.")
    return lambda d: max(int(d * depth_multiplier), min_depth)


def inception_v2_base(
    inputs: Any,
    final_endpoint: str = "Mixed_5c",
    min_depth: int = 16,
    depth_multiplier: float = 1.0,
    scope: Any = None,
) -> tuple[Any, dict[str, Any]]:
    """(activations, all of them by name) up to `final_endpoint`. Raises ValueError for an unknown one."""
    depth, points = _depths(min_depth, depth_multiplier), _Points(final_endpoint)

    def build() -> None:
        with (
            vs.variable_scope(scope, "InceptionV2", [inputs]),
            arg_scope([conv2d, max_pool2d, avg_pool2d, separable_conv2d], stride=1, padding="SAME"),
        ):
            net = separable_conv2d(
                inputs,
                depth(64),
                [7, 7],
                depth_multiplier=min(int(depth(64) / 3), 8),
                stride=2,
                weights_initializer=truncated_normal_initializer(0.0, 1.0),
                scope="Conv2d_1a_7x7",
            )
            points.add("Conv2d_1a_7x7", net)
            net = points.add("MaxPool_2a_3x3", max_pool2d(net, [3, 3], scope="MaxPool_2a_3x3", stride=2))
            near = truncated_normal_initializer(0.0, 0.1)
            net = conv2d(net, depth(64), [1, 1], scope="Conv2d_2b_1x1", weights_initializer=near)
            points.add("Conv2d_2b_1x1", net)
            net = points.add("Conv2d_2c_3x3", conv2d(net, depth(192), [3, 3], scope="Conv2d_2c_3x3"))
            net = points.add("MaxPool_3a_3x3", max_pool2d(net, [3, 3], scope="MaxPool_3a_3x3", stride=2))
            _modules(net, points, V2.strip().splitlines(), depth)

    return _built(build, points)


def inception_v3_base(
    inputs: Any,
    final_endpoint: str = "Mixed_7c",
    min_depth: int = 16,
    depth_multiplier: float = 1.0,
    scope: Any = None,
) -> tuple[Any, dict[str, Any]]:
    """(activations, all of them by name) up to `final_endpoint`. Raises ValueError for an unknown one."""
    depth, points = _depths(min_depth, depth_multiplier), _Points(final_endpoint)

    def build() -> None:
        with vs.variable_scope(scope, "InceptionV3", [inputs]):
            with arg_scope([conv2d, max_pool2d, avg_pool2d], stride=1, padding="VALID"):
                net = inputs
                for name, n, options in (
                    ("Conv2d_1a_3x3", 32, {"stride": 2}),
                    ("Conv2d_2a_3x3", 32, {}),
                    ("Conv2d_2b_3x3", 64, {"padding": "SAME"}),
                    ("MaxPool_3a_3x3", 0, {"stride": 2}),
                    ("Conv2d_3b_1x1", 80, {}),
                    ("Conv2d_4a_3x3", 192, {}),
                    ("MaxPool_5a_3x3", 0, {"stride": 2}),
                ):
                    window = [int(name[-1])] * 2
                    if n:
                        net = conv2d(net, depth(n), window, scope=name, **options)
                    else:
                        net = max_pool2d(net, window, scope=name, **options)
                    points.add(name, net)
            with arg_scope([conv2d, max_pool2d, avg_pool2d], stride=1, padding="SAME"):
                _modules(net, points, V3, depth)

    return _built(build, points)


def _window(net: Any, size: list[int]) -> list[int]:
    """A window that is no larger than the image."""
    sizes = net.get_shape().as_list()
    if sizes[1] is None or sizes[2] is None:
        return size
    return [min(sizes[1], size[0]), min(sizes[2], size[1])]


def _logits(net: Any, num_classes: int, scope: str, squeeze: bool) -> Any:
    logits = conv2d(net, num_classes, [1, 1], activation_fn=None, normalizer_fn=None, scope=scope)
    return array.squeeze(logits, [1, 2], name="SpatialSqueeze") if squeeze else logits


def _headed(
    scope: Any, default: str, inputs: Any, num_classes: int, is_training: Any, reuse: Any, base: Any, head: Any,
    prediction_fn: Any,
) -> tuple[Any, dict[str, Any]]:  # fmt: skip
    """A base and a head in one scope: (logits, end points)."""
    with (
        vs.variable_scope(scope, default, [inputs, num_classes], reuse=reuse) as sc,
        arg_scope([batch_norm, dropout], is_training=is_training),
    ):
        net, points = base(sc)
        logits = head(net, points)
        points["Logits"] = logits
        if "Predictions" not in points:
            points["Predictions"] = prediction_fn(logits, scope="Predictions")
    return logits, points


def inception_v1(
    inputs: Any,
    num_classes: int = 1000,
    is_training: Any = True,
    dropout_keep_prob: Any = 0.8,
    prediction_fn: Any = softmax,
    spatial_squeeze: bool = True,
    reuse: Any = None,
    scope: Any = "InceptionV1",
) -> tuple[Any, dict[str, Any]]:
    """Inception v1: (logits, activations by name) of images 224 x 224."""

    def head(net: Any, points: Any) -> Any:
        with vs.variable_scope("Logits"):
            net = avg_pool2d(net, [7, 7], stride=1, scope="MaxPool_0a_7x7")
            net = dropout(net, dropout_keep_prob, scope="Dropout_0b")
            logits = _logits(net, num_classes, "Conv2d_0c_1x1", spatial_squeeze)
            points["Predictions"] = prediction_fn(logits, scope="Predictions")
            return logits

    base = lambda sc: inception_v1_base(inputs, scope=sc)
    return _headed(scope, "InceptionV1", inputs, num_classes, is_training, reuse, base, head, prediction_fn)


def _pooled_logits(net: Any, points: Any, size: int, keep: Any, num_classes: int, squeeze: bool, keep_name: str) -> Any:
    with vs.variable_scope("Logits"):
        window = _window(net, [size, size])
        net = avg_pool2d(net, window, padding="VALID", scope=f"AvgPool_1a_{window[0]}x{window[1]}")
        net = dropout(net, keep_prob=keep, scope="Dropout_1b")
        if keep_name:
            points[keep_name] = net
        return _logits(net, num_classes, "Conv2d_1c_1x1", squeeze)


def inception_v2(
    inputs: Any,
    num_classes: int = 1000,
    is_training: Any = True,
    dropout_keep_prob: Any = 0.8,
    min_depth: int = 16,
    depth_multiplier: float = 1.0,
    prediction_fn: Any = softmax,
    spatial_squeeze: bool = True,
    reuse: Any = None,
    scope: Any = "InceptionV2",
) -> tuple[Any, dict[str, Any]]:
    """Inception v2: (logits, activations by name) of images 224 x 224. `depth_multiplier` scales all depths."""
    _depths(min_depth, depth_multiplier)
    base = lambda sc: inception_v2_base(inputs, scope=sc, min_depth=min_depth, depth_multiplier=depth_multiplier)
    head = lambda net, p: _pooled_logits(net, p, 7, dropout_keep_prob, num_classes, spatial_squeeze, "")
    return _headed(scope, "InceptionV2", inputs, num_classes, is_training, reuse, base, head, prediction_fn)


def inception_v3(
    inputs: Any,
    num_classes: int = 1000,
    is_training: Any = True,
    dropout_keep_prob: Any = 0.8,
    min_depth: int = 16,
    depth_multiplier: float = 1.0,
    prediction_fn: Any = softmax,
    spatial_squeeze: bool = True,
    reuse: Any = None,
    scope: Any = "InceptionV3",
) -> tuple[Any, dict[str, Any]]:
    """Inception v3: (logits, activations by name) of images 299 x 299; 'AuxLogits' is the second classifier."""
    depth = _depths(min_depth, depth_multiplier)
    base = lambda sc: inception_v3_base(inputs, scope=sc, min_depth=min_depth, depth_multiplier=depth_multiplier)

    def head(net: Any, points: Any) -> Any:
        with (
            arg_scope([conv2d, max_pool2d, avg_pool2d], stride=1, padding="SAME"),
            vs.variable_scope("AuxLogits"),
        ):
            aux = avg_pool2d(points["Mixed_6e"], [5, 5], stride=3, padding="VALID", scope="AvgPool_1a_5x5")
            aux = conv2d(aux, depth(128), [1, 1], scope="Conv2d_1b_1x1")
            window = _window(aux, [5, 5])
            aux = conv2d(
                aux,
                depth(768),
                window,
                weights_initializer=truncated_normal_initializer(0.0, 0.01),
                padding="VALID",
                scope=f"Conv2d_2a_{window[0]}x{window[1]}",
            )
            aux = conv2d(
                aux,
                num_classes,
                [1, 1],
                activation_fn=None,
                normalizer_fn=None,
                weights_initializer=truncated_normal_initializer(0.0, 0.001),
                scope="Conv2d_2b_1x1",
            )
            points["AuxLogits"] = array.squeeze(aux, [1, 2], name="SpatialSqueeze") if spatial_squeeze else aux
        return _pooled_logits(net, points, 8, dropout_keep_prob, num_classes, spatial_squeeze, "PreLogits")

    return _headed(scope, "InceptionV3", inputs, num_classes, is_training, reuse, base, head, prediction_fn)


inception_v1.default_image_size = inception_v2.default_image_size = 224  # type: ignore[attr-defined]
inception_v3.default_image_size = 299  # type: ignore[attr-defined]


def _arg_scope(weight_decay: float, normalizer_fn: Any, normalizer_params: Any) -> Any:
    with (
        arg_scope([conv2d, fully_connected], weights_regularizer=l2_regularizer(weight_decay)),
        arg_scope(
            [conv2d],
            weights_initializer=variance_scaling_initializer(),
            activation_fn=relu,
            normalizer_fn=normalizer_fn,
            normalizer_params=normalizer_params,
        ) as scope,
    ):
        return scope


def _norm(collection: str, **more: Any) -> dict[str, Any]:
    moving = {"beta": None, "gamma": None, "moving_mean": [collection], "moving_variance": [collection]}
    standard = {"decay": 0.9997, "epsilon": 0.001, "updates_collections": GraphKeys.UPDATE_OPS}
    return {**standard, **more, "variables_collections": moving}


def inception_v1_arg_scope(
    weight_decay: float = 0.00004, use_batch_norm: bool = True, batch_norm_var_collection: str = "moving_vars"
) -> Any:
    """The arguments that Inception v1 is trained with, as a scope."""
    if not use_batch_norm:
        return _arg_scope(weight_decay, None, {})
    return _arg_scope(weight_decay, batch_norm, _norm(batch_norm_var_collection))


def inception_v2_arg_scope(weight_decay: float = 0.00004, batch_norm_var_collection: str = "moving_vars") -> Any:
    """The arguments that Inception v2 is trained with, as a scope."""
    return _arg_scope(weight_decay, batch_norm, _norm(batch_norm_var_collection))


def inception_v3_arg_scope(
    weight_decay: float = 0.00004,
    batch_norm_var_collection: str = "moving_vars",
    batch_norm_decay: float = 0.9997,
    batch_norm_epsilon: float = 0.001,
    updates_collections: Any = GraphKeys.UPDATE_OPS,
    use_fused_batchnorm: bool = True,
) -> Any:
    """The arguments that Inception v3 is trained with, as a scope."""
    norm = _norm(
        batch_norm_var_collection,
        decay=batch_norm_decay,
        epsilon=batch_norm_epsilon,
        updates_collections=updates_collections,
        fused=use_fused_batchnorm,
    )
    return _arg_scope(weight_decay, batch_norm, norm)
