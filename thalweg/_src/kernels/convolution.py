"""Convolutions of float32 images on a CPU, by kernels of machine code where those are quicker than XLA's.

Values agree with the plain lowerings within rounding. What is small, has groups or another type stays with those, and so does what JAX
derives from a kernel: its derivatives are plain convolutions.
"""

import ctypes
import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from thalweg._src.core import recipes
from thalweg._src.core.lazy import jax, jnp
from thalweg._src.kernels import library
from thalweg._src.kernels.calls import called, derived, takes
from thalweg._src.kernels.updates import faded
from thalweg._src.ops.nets import convolution as plain
from thalweg._src.ops.nets.activations import bias_add_op, relu, relu6
from thalweg._src.ops.nets.convolution import conv2d_backprop_filter_op, conv2d_backprop_input_op, conv2d_op
from thalweg._src.ops.numeric.arithmetic import add, add_v2, multiply

# Where XLA's own convolutions are as quick, as measured (`benchmarks/convolutions.py` shows both).
LEAST = 1 << 15  # multiplications: below, nothing takes long
THIN = 4  # channels of an image whose gradient leaves most lanes of a vector empty ...
DEEP = 16  # ... where the sums over the channels of the result are at least so long
DEPTHWISE = "thalweg_depthwise"  # whose results a filter of one element takes while they are in the cache
LEAST_DEEP, LEAST_TILES = (
    32,
    32,
)  # channels, and tiles of 2x2 places, from which a constant filter of 3x3 or 5x5 taps is packed for tiles
WIDE_FILTER, FEW_PLACES = 1 << 20, 64  # elements of a filter that is summed over few places of each image


def _suits(found, w_shape, *arrays):
    """Whether a kernel is to compute a convolution of this layout."""
    large = math.prod(found.shape) * math.prod(w_shape[:3]) >= LEAST
    return found.groups == 1 and large and takes(*arrays)


def walk(found):
    """How the filter walks, as the kernels are told."""
    return {"strides": found.steps, "dilations": found.rates, "before": [before for before, _ in found.pads]}


def _channels_last(x, data_format):
    return x if data_format == "NHWC" else jnp.transpose(x, (0, 2, 3, 1))


def _as_given(x, data_format):
    return x if data_format == "NHWC" else jnp.transpose(x, (0, 3, 1, 2))


def _order(shape, data_format):
    return tuple(shape) if data_format == "NHWC" else (shape[0], *shape[2:], shape[1])


@conv2d_op.packs("cpu", 1)
def _(w, op):
    """A filter as `source/convolution.h` reads it: blocks of two vectors of channels, all taps of a block one after the other.

    Where it goes by tiles (`source/winograd.h`), the same for its points stands behind.
    """
    if w.dtype != np.float32 or w.ndim != 4 or not w.size or not library.available():
        return None
    lines, channels = math.prod(w.shape[:3]), w.shape[3]
    lanes = library.lanes()
    wide = np.pad(w.reshape(lines, channels), ((0, 0), (0, -channels % lanes)))
    panels = np.concatenate([wide[:, i : i + 2 * lanes].reshape(-1) for i in range(0, wide.shape[1], 2 * lanes)])
    return np.concatenate([panels, _points(panels, w.shape)]) if _by_tiles(w.shape, op) else panels


def _by_tiles(w_shape, op):
    """Whether a constant filter is worth its points: 3x3 or 5x5 taps of stride 1, and tiles enough for the way there and back."""
    attrs, dims = op._attrs, op.outputs[0]._dims
    taps, *channels = w_shape[1:]
    if w_shape[0] != taps or taps not in (3, 5) or attrs["data_format"] != "NHWC" or dims is None or None in dims[1:3]:
        return False
    if any(n != 1 for n in (*attrs["strides"], *attrs["dilations"])) or min(channels) < LEAST_DEEP:
        return False
    tiles = (dims[0] or 1) * ((dims[1] + 1) // 2) * ((dims[2] + 1) // 2)
    return tiles >= LEAST_TILES


def _points(panels, w_shape):
    """The panels of a filter in the form of its points."""
    taps, depth = w_shape[1:3]
    width = panels.size // (taps * taps * depth)
    points = np.empty((taps + 1) ** 2 * depth * width, np.float32)
    _to_points()(panels.ctypes.data, taps, depth, width, points.ctypes.data)
    return points


@functools.cache
def _to_points():
    call = library.opened().thalweg_points
    pointer, size = ctypes.c_void_p, ctypes.c_int64
    call.argtypes, call.restype = [pointer, size, size, size, pointer], None
    return call


@conv2d_op.on("cpu")
def _(input, filter, *, strides, padding, explicit_paddings, data_format, dilations, **_):
    how = (strides, padding, dilations, data_format, explicit_paddings)
    found = plain.layout(input.shape, filter.shape, *how)
    if not _suits(found, filter.shape, input, filter):
        return plain.convolve(input, filter, *how)
    packed = recipes.ready(filter)
    x_shape, w_shape = plain.whole_as_channels(input.shape, filter.shape, found, data_format)
    x, w = _channels_last(input.reshape(x_shape), data_format), filter.reshape(w_shape)
    last = how if data_format == "NHWC" else _last(strides, padding, dilations, explicit_paddings)
    found = found._replace(shape=_order(found.shape, data_format))
    made = Convolved(x, w, lambda x, w: plain.convolve(x, w, *last), found, packed)
    if data_format != "NHWC":
        return _as_given(made.made(), data_format)
    first = recipes.of(input)
    if (
        isinstance(first, Convolved)
        and first.target == DEPTHWISE
        and first.addend is None
        and _is_single(found, filter.shape)
    ):
        made = made._replace(x=first.x, first=first, target="thalweg_separable")
    return noted(made)


def _is_single(found, w_shape):
    """Whether a filter of one element goes over each place of an image, once."""
    return (*w_shape[:2], *found.steps) == (1, 1, 1, 1) and not any(map(any, found.pads))


def _last(strides, padding, dilations, explicit):
    """What describes a convolution of channels first, for channels last."""
    order = lambda v: [v[0], *v[2:], v[1]]
    pairs = order([explicit[i : i + 2] for i in range(0, len(explicit), 2)]) if explicit else []
    return order(strides), padding, order(dilations), "NHWC", [n for pair in pairs for n in pair]


# -- what follows a convolution and is done with its sums before they are stored


class Convolved(NamedTuple):
    """The recipe of a convolution of images with their channels last, times `scale`, plus `bias` for each channel, plus `addend`.

    `plainly` is the convolution of `x` under `w` by XLA, `target` the kernel. If `most` is given, what is negative becomes zero, and what
    is more becomes `most`. `first` is the recipe of what a kernel makes of `x` on the way, row by row.
    """

    x: Any
    w: Any
    plainly: Callable[[Any, Any], Any]
    found: plain.Layout
    packed: Any = None
    scale: Any = None
    bias: Any = None
    addend: Any = None
    most: Any = None
    target: str = "thalweg_convolution"
    first: Any = None

    def with_relu(self):
        """The value, made over with zeros for what is negative."""
        return self.bounded(np.inf)

    def bounded(self, most):
        """The value, made over with zeros for what is negative and `most` for what is more."""
        return noted(self._replace(most=most))

    def arrays(self):
        """What it is made from, by name; what is not there is left out."""
        own = {n: getattr(self, n) for n in ("w", "packed", "scale", "bias", "addend")}
        own = {n: v for n, v in own.items() if v is not None}
        return {**own, **({} if self.first is None else {"first": self.first.arrays()})}

    def made(self):
        """The value, made over with all that."""
        return derived(self._by_kernel, self._by_xla)(self.x, self.arrays())

    def _by_kernel(self, x, given):
        nothing = np.zeros(0, np.float32)
        lists, bounds, before = walk(self.found) | {"filter": self.w.shape}, self._bounds(), []
        if self.first is not None:
            lists = walk(self.first.found) | {"filter": self.first.w.shape}
            bounds |= {name + "1": value for name, value in self.first._bounds().items()}
            before = [given["first"].get(n, nothing) for n in ("w", "scale", "bias")]
        own = [given.get("packed", given["w"]), *(given.get(n, nothing) for n in ("scale", "bias", "addend"))]
        more = bounds | {"packed": "packed" in given}
        return called(self.target, self.found.shape, x, *before, *own, lists=lists, **more)

    def _bounds(self):
        return {"rectify": self.most is not None, "most": np.float32(np.inf if self.most is None else self.most)}

    def _by_xla(self, x, given):
        if self.first is not None:
            x = self.first._by_xla(x, given["first"])
        out = self.plainly(x, given["w"]) * given.get("scale", np.float32(1))
        out = out + given.get("bias", np.float32(0)) + given.get("addend", np.float32(0))
        return out if self.most is None else jnp.minimum(jnp.maximum(out, 0), np.float32(self.most))


def noted(recipe):
    """What `recipe` makes, with a note of it."""
    return recipes.note(recipe.made(), recipe)


def _recipe(value):
    """The recipe of a convolution, to whose sums nothing was added yet that lies like them."""
    recipe = recipes.of(value)
    return recipe if isinstance(recipe, Convolved) and recipe.addend is None and recipe.most is None else None


def _is_vector(v, value):
    """Whether `v` has a number for each channel of `value`."""
    return v.dtype == value.dtype and v.size == value.shape[-1] and v.shape[-1:] == value.shape[-1:] and v.ndim <= 4


def _with_bias(value, bias):
    """`value` plus `bias` by the kernel that makes `value`, or None where it is not for that."""
    recipe = _recipe(value)
    if recipe is None or not _is_vector(bias, value):
        return None
    bias = jnp.reshape(bias, value.shape[-1])
    return noted(recipe._replace(bias=bias if recipe.bias is None else recipe.bias + bias))


def scaled(value, scale, bias=None):
    """`value` times `scale`, perhaps plus `bias`, as `_with_bias`."""
    recipe = _recipe(value)
    if recipe is None or not _is_vector(scale, value):
        return None
    scale = jnp.reshape(scale, value.shape[-1])
    parts = [b for b in (recipe.bias if recipe.bias is None else recipe.bias * scale, bias) if b is not None]
    factor = scale if recipe.scale is None else recipe.scale * scale
    return noted(recipe._replace(scale=factor, bias=sum(parts[1:], parts[0]) if parts else None))


def _with_image(value, image):
    """`value` plus an image of its size, as `_with_bias`."""
    recipe = _recipe(value)
    if recipe is None or image.dtype != value.dtype or image.shape != value.shape or not isinstance(image, jax.Array):
        return None
    return noted(recipe._replace(addend=image))


@bias_add_op.on("cpu")
def _(value, bias, *, data_format):
    made = _with_bias(value, bias) if data_format == "NHWC" and bias.ndim == 1 else None
    return bias_add_op.fn(value, bias, data_format=data_format) if made is None else made


def _joined(op, *ways):
    def lowering(x, y):
        for way in ways:
            for value, other in ((x, y), (y, x)):
                if (made := way(value, other)) is not None:
                    return made
        return op.fn(x, y)

    return lowering


for _op, _ways in ((add, (_with_bias, _with_image)), (add_v2, (_with_bias, _with_image)), (multiply, (scaled, faded))):
    _op.on("cpu")(_joined(_op, *_ways))


@relu.on("cpu")
def _(features):
    recipe = recipes.of(features)
    open_ended = getattr(recipe, "most", None) is None
    return recipe.with_relu() if hasattr(recipe, "with_relu") and open_ended else relu.fn(features)


@relu6.on("cpu")
def _(features):
    recipe = recipes.of(features)
    return recipe.bounded(6) if isinstance(recipe, Convolved) and recipe.most is None else relu6.fn(features)


# -- the gradients


@conv2d_backprop_input_op.on("cpu")
def _(input_sizes, filter, out_backprop, *, strides, padding, explicit_paddings, data_format, dilations, **_):
    how = (strides, padding, dilations, data_format, explicit_paddings)
    shape = tuple(int(n) for n in input_sizes)
    found = plain.layout(shape, filter.shape, *how)
    x_shape, w_shape = plain.whole_as_channels(shape, filter.shape, found, data_format)
    thin = w_shape[2] <= THIN and w_shape[3] > DEEP
    if thin or found.shape != out_backprop.shape or not _suits(found, filter.shape, filter, out_backprop):
        return plain.conv_input_gradient(shape, filter, out_backprop, *how)

    def kernel(w, g):
        own = _order(x_shape, data_format)
        out = called("thalweg_convolution_by_input", own, w, _channels_last(g, data_format), lists=walk(found))
        return _as_given(out, data_format)

    call = derived(kernel, lambda w, g: plain.conv_input_gradient(x_shape, w, g, *how))
    return call(filter.reshape(w_shape), out_backprop).reshape(shape)


@conv2d_backprop_filter_op.on("cpu")
def _(input, filter_sizes, out_backprop, *, strides, padding, explicit_paddings, data_format, dilations, **_):
    how = (strides, padding, dilations, data_format, explicit_paddings)
    shape = tuple(int(n) for n in filter_sizes)
    found = plain.layout(input.shape, shape, *how)
    x_shape, w_shape = plain.whole_as_channels(input.shape, shape, found, data_format)
    places = math.prod(found.shape) // max(found.shape[0] * shape[3], 1)
    wide = math.prod(shape) >= WIDE_FILTER and places <= FEW_PLACES
    if wide or found.shape != out_backprop.shape or not _suits(found, shape, input, out_backprop):
        return plain.conv_filter_gradient(input, shape, out_backprop, *how)

    def kernel(x, g):
        x, g = _channels_last(x, data_format), _channels_last(g, data_format)
        return called("thalweg_convolution_by_filter", w_shape, x, g, lists=walk(found))

    call = derived(kernel, lambda x, g: plain.conv_filter_gradient(x, w_shape, g, *how))
    return call(input.reshape(x_shape), out_backprop).reshape(shape)
