"""Functions of other libraries that still exist but no longer take what programs of the era give them.

`CHANGES` has a function per module, which gets the module right after it was imported. Each keeps the library's own behaviour
for calls that work today, and only answers those that would fail.
"""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any


def change(module: ModuleType) -> None:
    """Mend `module` if it is one of those known here; once."""
    if module.__name__ in CHANGES and not module.__dict__.get("_mended_by_thalweg"):
        CHANGES[module.__name__](module)
        module.__dict__["_mended_by_thalweg"] = True


def _numpy(np: ModuleType) -> None:
    def forgiving(make: Callable) -> Callable:
        @functools.wraps(make)
        def array(*args: Any, **kwargs: Any) -> Any:
            try:
                return make(*args, **kwargs)
            except ValueError as error:
                if "inhomogeneous" in str(error) and len(args) < 2 and kwargs.get("dtype") is None:
                    return make(*args, **{**kwargs, "dtype": object})  # rows of different lengths were objects
                if kwargs.get("copy") is False and "copy" in str(error):
                    return np.asarray(*args, **{k: v for k, v in kwargs.items() if k in ("dtype", "order")})
                raise

        return array

    own = np.fromstring

    @functools.wraps(own)
    def fromstring(string: Any, dtype: Any = float, count: int = -1, *, sep: str = "", like: Any = None) -> Any:
        if sep == "":  # binary, as np.frombuffer reads it, in memory of its own
            data = string.encode("latin1") if isinstance(string, str) else string
            return np.frombuffer(data, dtype, count).copy()
        return own(string, dtype, count, sep=sep)

    np.array, np.asarray, np.fromstring = forgiving(np.array), forgiving(np.asarray), fromstring  # type: ignore[attr-defined]


def _yaml(yaml: ModuleType) -> None:
    own = yaml.load
    yaml.load = lambda stream, Loader=None: own(stream, Loader or yaml.SafeLoader)  # type: ignore[attr-defined]


class _Ix:
    """`frame.ix`: by label where the index has it, by position otherwise."""

    def __init__(self, frame: Any):
        self.frame = frame

    def __getitem__(self, key: Any) -> Any:
        try:
            return self.frame.loc[key]
        except (KeyError, TypeError):
            return self.frame.iloc[key]

    def __setitem__(self, key: Any, value: Any) -> None:
        try:
            self.frame.loc[key] = value
        except (KeyError, TypeError):
            self.frame.iloc[key] = value


def _pandas(pandas: ModuleType) -> None:
    def as_matrix(self: Any, columns: Any = None) -> Any:
        return (self if columns is None else self[columns]).values

    def append(self: Any, other: Any, ignore_index: bool = False, **_: Any) -> Any:
        if isinstance(other, dict):
            other = pandas.DataFrame([other])
        more = other if isinstance(other, list) else [other]
        return pandas.concat([self, *more], ignore_index=ignore_index)

    for kind in (pandas.DataFrame, pandas.Series):
        for name, value in (("as_matrix", as_matrix), ("append", append), ("ix", property(_Ix))):
            if not hasattr(kind, name):
                setattr(kind, name, value)


def _image_draw(module: ModuleType) -> None:
    def textsize(self: Any, text: str, font: Any = None, *args: Any, **kwargs: Any) -> tuple[int, int]:
        left, top, right, bottom = self.textbbox((0, 0), text, font=font)
        return right - left, bottom - top

    if not hasattr(module.ImageDraw, "textsize"):
        module.ImageDraw.textsize = textsize


def _image_font(module: ModuleType) -> None:
    def getsize(self: Any, text: str, *args: Any, **kwargs: Any) -> tuple[int, int]:
        left, top, right, bottom = self.getbbox(text)
        return right - left, bottom - top

    for kind in (module.FreeTypeFont, module.ImageFont):
        if not hasattr(kind, "getsize"):
            kind.getsize = getsize


def _networkx(nx: ModuleType) -> None:
    if not hasattr(nx.Graph, "node"):
        nx.Graph.node = property(lambda self: self.nodes)
    gone: dict[str, Callable] = {
        "connected_component_subgraphs": lambda g, copy=True: (
            g.subgraph(c).copy() for c in nx.connected_components(g)
        ),
        "from_numpy_matrix": lambda *a, **k: nx.from_numpy_array(*a, **k),
        "to_numpy_matrix": lambda *a, **k: nx.to_numpy_array(*a, **k),
        "from_scipy_sparse_matrix": lambda *a, **k: nx.from_scipy_sparse_array(*a, **k),
        "to_scipy_sparse_matrix": lambda *a, **k: nx.to_scipy_sparse_array(*a, **k),
    }
    for name, value in gone.items():
        if not hasattr(nx, name):
            setattr(nx, name, value)


def positional(function: Callable) -> Callable:
    """`function`, whose keyword-only parameters may come by position, in their order."""
    names = [
        p.name
        for p in inspect.signature(function).parameters.values()
        if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    ]
    fixed = sum(p.kind is p.POSITIONAL_OR_KEYWORD for p in inspect.signature(function).parameters.values())

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        late = dict(zip(names[fixed:], args[fixed:], strict=False))
        return function(*args[:fixed], **late, **kwargs)

    return call


def _positional(module: ModuleType) -> None:
    """Every public function of a module that takes keyword-only arguments."""
    for name, value in list(vars(module).items()):
        own = inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
        if own and any(p.kind is p.KEYWORD_ONLY for p in inspect.signature(value).parameters.values()):
            setattr(module, name, positional(value))


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
    "h5py._hl.attrs": _h5py_attributes,
    "h5py._hl.dataset": _h5py_datasets,
    "keras.engine.base_layer": _keras_layers,
    "keras.engine.network": _keras_models,
    "keras.utils.data_utils": _keras_downloads,
    "numpy": _numpy,
    "yaml": _yaml,
    "pandas": _pandas,
    "PIL.ImageDraw": _image_draw,
    "PIL.ImageFont": _image_font,
    "networkx": _networkx,
    **dict.fromkeys(
        (
            "librosa.filters",
            "librosa.core.audio",
            "librosa.core.spectrum",
            "librosa.core.convert",
            "librosa.effects",
            "librosa.feature.spectral",
            "librosa.feature.utils",
            "librosa.onset",
            "librosa.beat",
        ),
        _positional,
    ),
}
