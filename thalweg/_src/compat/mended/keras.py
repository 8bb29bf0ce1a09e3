"""Keras 2 and the HDF5 files that it writes, where tf.keras differs or h5py has changed."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

from thalweg._src.compat.mended import keras_models
from thalweg._src.core.dtypes import as_dtype
from thalweg._src.ops.stateful import initializers


def _h5py_attributes(module: ModuleType) -> None:
    """Attributes that were written as bytes are bytes again, not text; a list of them is an array of fixed length."""
    manager = module.AttributeManager
    own, own_create = manager.__getitem__, manager.create

    def as_bytes(value: Any) -> Any:
        return value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value

    @functools.wraps(own)
    def getitem(self: Any, name: str) -> Any:
        value = own(self, name)
        texts = isinstance(value, str) or getattr(getattr(value, "dtype", None), "kind", "") == "O"
        kind: Any = self.get_id(name).get_type() if texts else None
        if not hasattr(kind, "get_cset") or kind.get_cset() != 0:  # 0 is ASCII, 1 UTF-8
            return value
        if isinstance(value, str):
            return as_bytes(value)
        for i in range(value.size):
            value.flat[i] = as_bytes(value.flat[i])
        return value

    @functools.wraps(own_create)
    def create(self: Any, name: str, data: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(data, list | tuple) and data and all(isinstance(d, bytes) for d in data):
            data = module.numpy.asarray(data)
        return own_create(self, name, data, *args, **kwargs)

    manager.__getitem__, manager.create = getitem, create


def _h5py_datasets(module: ModuleType) -> None:
    if not hasattr(module.Dataset, "value"):
        module.Dataset.value = property(lambda self: self[()])


def _h5py_files(module: ModuleType) -> None:
    """A file that is opened without a mode may be written, and is made where it is not there, as before h5py 3."""
    own = module.File.__init__

    @functools.wraps(own)
    def init(self: Any, name: Any, mode: str | None = None, *args: Any, **kwargs: Any) -> None:
        locked = isinstance(name, str | bytes | os.PathLike) and os.path.exists(name) and not os.access(name, os.W_OK)
        own(self, name, mode or ("r" if locked else "a"), *args, **kwargs)

    module.File.__init__ = init
    if not hasattr(module.File, "fid"):
        module.File.fid = property(lambda self: self.id)


def _keras_h5_dicts(module: ModuleType) -> None:
    """A list of names that is empty is false, as empty arrays were before NumPy 2.2."""
    own = module.H5Dict.__getitem__

    @functools.wraps(own)
    def getitem(self: Any, name: Any) -> Any:
        value = own(self, name)
        return [] if isinstance(value, np.ndarray) and value.shape == (0,) else value

    module.H5Dict.__getitem__ = getitem


def _keras_arguments(module: ModuleType) -> None:
    """Layers take more arguments by position than the one or two that Keras allows: Dense(16, "relu"), as tf.keras's do."""
    for made in vars(module).values():
        names = getattr(getattr(made, "__code__", None), "co_freevars", ())
        for name, cell in zip(names, made.__closure__ if names else (), strict=True):
            if name == "check_positional_args":
                cell.cell_contents = False


def _keras_layers(module: ModuleType) -> None:
    """What layers of tf.keras have besides: the names of tf.layers for the weights, and shapes that follow the tensors.

    Keras takes the shape of the input for that of the output where a layer has no `compute_output_shape`.
    """
    kind = module.Layer
    for name, same in (("variables", "weights"), ("trainable_variables", "trainable_weights")):
        if not hasattr(kind, name):
            setattr(kind, name, property(lambda self, same=same: getattr(self, same)))
    if not hasattr(kind, "add_variable"):
        kind.add_variable = lambda self, *args, **kwargs: self.add_weight(*args, **kwargs)

    own_add, own_shape = kind._add_inbound_node, kind.compute_output_shape
    kind.add_weight = _any_weight(module, kind.add_weight)

    @functools.wraps(own_add)
    def _add_inbound_node(self: Any, *args: Any, **kwargs: Any) -> Any:
        call = inspect.signature(own_add).bind(self, *args, **kwargs)
        made = call.arguments["output_tensors"]
        method = type(self).compute_output_shape
        unknown = hasattr(method, "leaves_it_to_the_tensors") and not self._is_graph_network
        if method is own_shape or unknown:
            several = isinstance(made, list)
            guesses = call.arguments["output_shapes"]
            guesses = guesses if several and isinstance(guesses, list) else [guesses] * (len(made) if several else 1)
            found = [_static_shape(t, g) for t, g in zip(made if several else [made], guesses, strict=False)]
            call.arguments["output_shapes"] = found if several else found[0]
        return own_add(*call.args, **call.kwargs)

    kind._add_inbound_node = _add_inbound_node
    keras_models.layers(module)


def _any_weight(module: ModuleType, own: Callable) -> Callable:
    """`add_weight` as tf.keras has it: a scalar without a shape, drawn evenly without an initializer, which is told the type."""

    @functools.wraps(own)
    def add_weight(
        self: Any,
        name: Any = None,
        shape: Any = None,
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool | None = None,
        constraint: Any = None,
        **placing: Any,
    ) -> Any:
        kind = as_dtype(dtype or module.K.floatx()).base_dtype
        if initializer is None:
            initializer = "glorot_uniform" if kind.is_floating else "zeros"
        found = module.initializers.get(initializer)
        if "dtype" in inspect.signature(found).parameters:
            theirs = isinstance(found, module.initializers.Initializer)
            found = functools.partial(found, dtype=kind.name if theirs else kind)
        sizes = () if shape is None else tuple(shape)
        return own(self, name, sizes, kind.name, found, regularizer, trainable is None or trainable, constraint)

    return add_weight


def _static_shape(tensor: Any, guess: Any) -> Any:
    """The shape of a tensor; what it leaves open is taken from `guess` where that has as many dimensions."""
    shape = tensor.get_shape()
    if shape.ndims is None:
        return guess
    same = isinstance(guess, tuple) and len(guess) == shape.ndims
    return tuple(g if d is None and same else d for d, g in zip(shape.as_list(), guess if same else shape, strict=True))


def _keras_models(module: ModuleType) -> None:
    """A model that is a class of its own may be called on a tensor: the shape is that of what its `call` gives."""
    own = module.Network.compute_output_shape

    @functools.wraps(own)
    def compute_output_shape(self: Any, input_shape: Any) -> Any:
        return own(self, input_shape) if self._is_graph_network else None

    compute_output_shape.leaves_it_to_the_tensors = True  # type: ignore[attr-defined]
    module.Network.compute_output_shape = compute_output_shape
    keras_models.networks(module)


def _keras_initializers(module: ModuleType) -> None:
    """The distributions of tf.keras's VarianceScaling that Keras has no names for are drawn as tf draws them."""
    kind = module.VarianceScaling
    own, own_call = kind.__init__, kind.__call__

    @functools.wraps(own)
    def init(
        self: Any, scale: float = 1.0, mode: str = "fan_in", distribution: str = "normal", seed: Any = None
    ) -> None:
        drawn = distribution.lower()
        own(self, scale, mode, "normal" if drawn.endswith("truncated_normal") else drawn, seed)
        self.distribution = drawn

    @functools.wraps(own_call)
    def call(self: Any, shape: Any, dtype: Any = None) -> Any:
        if not self.distribution.endswith("truncated_normal"):
            return own_call(self, shape, dtype)
        return initializers.VarianceScaling(**self.get_config())(shape, dtype)

    kind.__init__, kind.__call__ = init, call


def _keras_downloads(module: ModuleType) -> None:
    """A file that cannot be fetched: the error says where to put it."""
    own = module.get_file

    @functools.wraps(own)
    def get_file(fname: str, origin: str, *args: Any, **kwargs: Any) -> Any:
        try:
            return own(fname, origin, *args, **kwargs)
        except Exception as error:
            if "URL fetch failure" not in str(error):
                raise
            call = inspect.signature(own).bind(fname, origin, *args, **kwargs)
            call.apply_defaults()
            home = call.arguments["cache_dir"] or os.path.join(os.path.expanduser("~"), ".keras")
            name = fname + ".tar.gz" if call.arguments["untar"] else fname
            where = os.path.join(home, call.arguments["cache_subdir"], name)
            raise type(error)(f"{error}. Without a network: put the file of {origin} at {where}") from error

    module.get_file = get_file  # type: ignore[attr-defined]


CHANGES: dict[str, Callable[[ModuleType], None]] = {
    "keras.backend.tensorflow_backend": keras_models.backend,
    "h5py._hl.attrs": _h5py_attributes,
    "h5py._hl.dataset": _h5py_datasets,
    "h5py._hl.files": _h5py_files,
    "keras.engine.base_layer": _keras_layers,
    "keras.engine.network": _keras_models,
    "keras.engine.training": keras_models.training,
    "keras.initializers": _keras_initializers,
    "keras.layers.normalization": keras_models.normalization,
    "keras.legacy.interfaces": _keras_arguments,
    "keras.utils.io_utils": _keras_h5_dicts,
    "keras.utils.data_utils": _keras_downloads,
}
