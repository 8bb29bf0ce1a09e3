"""Products in half precision: automatic mixed precision, as `RewriterConfig` and `tf.train.experimental` ask for it.

Matrix products and convolutions take nearly all of a step's time and lose little in half precision, while sums, exponentials and
updates lose much. So the operations of PRODUCTS compute in a half-precision type, from float32 to float32; XLA moves the casts into the
elementwise operations around them. As in TensorFlow nothing changes on a CPU, whose products are no faster that way.
"""

from __future__ import annotations

from typing import Any

from thalweg._src.core.lazy import jnp

_PRODUCTS = """
BatchMatMul BatchMatMulV2 Conv2D Conv2DBackpropFilter Conv2DBackpropInput Conv3D Conv3DBackpropFilterV2 Conv3DBackpropInputV2
DepthwiseConv2dNative DepthwiseConv2dNativeBackpropFilter DepthwiseConv2dNativeBackpropInput MatMul
"""
PRODUCTS = frozenset(_PRODUCTS.split())
TYPES = {"gpu": "float16", "cuda": "float16", "rocm": "float16", "tpu": "bfloat16"}
_ON = 1


def asked_for(config: Any) -> bool:
    """Whether a session's `ConfigProto` asks for products in half precision."""
    return config is not None and config.graph_options.rewrite_options.auto_mixed_precision == _ON


def type_on(platform: str | None) -> str | None:
    """The name of the type in which products are computed on a platform; None where float32 stays."""
    return TYPES.get(platform or "")


def reduced(values: list[Any], kind: str) -> list[Any]:
    """The inputs of a product, those of float32 in the type `kind`."""
    return [jnp.asarray(v).astype(kind) if getattr(v, "dtype", None) == jnp.float32 and v.ndim else v for v in values]
