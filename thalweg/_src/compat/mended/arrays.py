"""NumPy and SciPy: values that once became arrays, and methods and arguments of before."""

from __future__ import annotations

import builtins
import functools
import sys
from collections.abc import Callable
from types import GeneratorType, ModuleType
from typing import Any

from thalweg._src.compat.mended.calls import rename_arguments, supply

RAGGED = ("append", "copy", "mean", "nan_to_num", "ndim", "save", "savez", "savez_compressed", "shape", "size", "take")
SEQUENCES = ("linspace", "logspace", "geomspace")
STACKS = ("vstack", "hstack", "dstack", "stack", "column_stack")
LISTS = ("meshgrid", "broadcast_arrays", "gradient", "atleast_1d", "atleast_2d", "atleast_3d")


def _forgiving(np: ModuleType, make: Callable) -> Callable:
    """`make`, an array of values, for those that no longer make one."""

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
        except OverflowError as error:
            dtype = args[1] if len(args) > 1 else kwargs.pop("dtype", None)
            if dtype is None or "out of bounds" not in str(error):
                raise
            return make(args[0], **kwargs).astype(dtype)  # integers too large for the type kept their low bits

    return array


def _of_kinds(np: ModuleType, own: Callable) -> Callable:
    """`issubdtype`, to which Python's number types stood for all of their kind until 1.19."""
    kinds = {float: np.floating, int: np.signedinteger, complex: np.complexfloating}

    @functools.wraps(own)
    def issubdtype(arg1: Any, arg2: Any) -> bool:
        return own(arg1, kinds.get(arg2, arg2) if isinstance(arg2, type) else arg2)

    return issubdtype


def _of_abstract_types(np: ModuleType, make: Callable) -> Callable:
    """A type that stands for many, as `np.integer`, was the usual one of them until 1.20."""
    usual = {
        np.integer: np.int_,
        np.signedinteger: np.int_,
        np.unsignedinteger: np.uint,
        np.number: np.float64,
        np.inexact: np.float64,
        np.floating: np.float64,
        np.complexfloating: np.complex128,
    }

    def concrete(value: Any) -> Any:
        return usual.get(value, value) if isinstance(value, type) else value

    @functools.wraps(make)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return make(*args, **kwargs)
        except TypeError:
            if not any(isinstance(v, type) and v in usual for v in (*args, *kwargs.values())):
                raise
            return make(*map(concrete, args), **{name: concrete(value) for name, value in kwargs.items()})

    return call


def _of_iterables(join: Callable) -> Callable:
    """Arrays to join may come from a generator."""

    @functools.wraps(join)
    def call(arrays: Any, *args: Any, **kwargs: Any) -> Any:
        return join(arrays if hasattr(arrays, "__getitem__") else list(arrays), *args, **kwargs)

    return call


def _counting(make: Callable) -> Callable:
    """How many numbers to make may be a float, which NumPy cut to an integer until 1.18."""

    @functools.wraps(make)
    def call(start: Any, stop: Any, num: Any = 50, *args: Any, **kwargs: Any) -> Any:
        return make(start, stop, int(num) if isinstance(num, float) else num, *args, **kwargs)

    return call


def _as_list(function: Callable) -> Callable:
    """Several results are a list, that a program may lengthen or change, where NumPy 2 gives a tuple."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        results = function(*args, **kwargs)
        return list(results) if isinstance(results, tuple) else results

    return call


def _of_ragged(np: ModuleType, function: Callable) -> Callable:
    """Lists of rows of different lengths are arrays of objects, as for `array`."""

    def made(value: Any) -> Any:
        return np.asarray(value) if isinstance(value, list | tuple) else value

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ValueError as error:
            if "inhomogeneous" not in str(error):
                raise
            return function(*map(made, args), **{name: made(value) for name, value in kwargs.items()})

    return call


def numpy(np: ModuleType) -> None:
    """Values, arguments and names that NumPy took."""
    own, own_options, own_sum, own_expand = np.fromstring, np.set_printoptions, np.sum, np.expand_dims

    @functools.wraps(own)
    def fromstring(string: Any, dtype: Any = float, count: int = -1, *, sep: str = "", like: Any = None) -> Any:
        if sep == "":  # binary, as np.frombuffer reads it, in memory of its own
            data = string.encode("latin1") if isinstance(string, str) else string
            return np.frombuffer(data, dtype, count).copy()
        return own(string, dtype, count, sep=sep)

    @functools.wraps(own_options)
    def set_printoptions(*args: Any, **kwargs: Any) -> None:
        limit = kwargs.get("threshold")
        if isinstance(limit, str) or limit != limit:  # "nan" and nan stood for no limit
            kwargs["threshold"] = sys.maxsize
        own_options(*args, **kwargs)

    @functools.wraps(own_sum)
    def sum(a: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(a, GeneratorType) and not args and not kwargs:  # Python's `sum` adds what it gives
            return builtins.sum(a)
        return own_sum(a, *args, **kwargs)

    @functools.wraps(own_expand)
    def expand_dims(a: Any, axis: Any) -> Any:
        if isinstance(axis, int):  # an axis beyond the last one was the last one
            axis = max(min(axis, np.ndim(a)), -np.ndim(a) - 1)
        return own_expand(a, axis)

    np.expand_dims, np.sum = expand_dims, sum  # type: ignore[attr-defined]
    np.array, np.asarray = _forgiving(np, np.array), _forgiving(np, np.asarray)  # type: ignore[attr-defined]
    np.fromstring, np.set_printoptions = fromstring, set_printoptions  # type: ignore[attr-defined]
    for name in ("empty", "zeros", "ones", "full"):
        setattr(np, name, _of_abstract_types(np, getattr(np, name)))
    for name in RAGGED:
        setattr(np, name, _of_ragged(np, getattr(np, name)))
    for name in ("permutation", "choice"):
        setattr(np.random, name, _of_ragged(np, getattr(np.random, name)))
    np.issubdtype = _of_kinds(np, np.issubdtype)  # type: ignore[attr-defined]
    for name in SEQUENCES:
        setattr(np, name, _counting(getattr(np, name)))
    for name in STACKS:
        setattr(np, name, _of_iterables(getattr(np, name)))
    for name in LISTS:
        setattr(np, name, _as_list(getattr(np, name)))
    rename_arguments(np, {"reshape": {"newshape": "shape"}, "histogram": {"normed": "density"}})
    supply(np.lib, {"pad": np.pad})
    supply(np.linalg, {"linalg": np.linalg})


def scipy_sparse(module: ModuleType) -> None:
    """`.A` and `.H`, and `.A1` of what sums give."""
    supply(
        module._spbase,
        {"A": property(lambda self: self.toarray()), "H": property(lambda self: self.conjugate().transpose())},
    )


def scipy_ndimage(module: ModuleType) -> None:
    """An angle that comes as an array of one number."""
    own = module.rotate

    @functools.wraps(own)
    def rotate(input: Any, angle: Any, *args: Any, **kwargs: Any) -> Any:
        return own(input, angle.item() if getattr(angle, "size", 0) == 1 else angle, *args, **kwargs)

    module.rotate = rotate  # type: ignore[attr-defined]


def scipy_interpolate(module: ModuleType) -> None:
    """Straight lines by splines through places that come twice, which splines no longer take: the lines themselves."""
    own = module.interp1d.__init__

    @functools.wraps(own)
    def init(self: Any, x: Any, y: Any, kind: Any = "linear", *args: Any, **kwargs: Any) -> None:
        try:
            own(self, x, y, kind, *args, **kwargs)
        except ValueError as error:
            if kind != "slinear" or "duplicates" not in str(error):
                raise
            own(self, x, y, "linear", *args, **kwargs)

    module.interp1d.__init__ = init


CHANGES: dict[str, Callable[[ModuleType], None]] = {
    "numpy": numpy,
    "scipy.interpolate._interpolate": scipy_interpolate,
    "scipy.ndimage": scipy_ndimage,
    "scipy.sparse._base": scipy_sparse,
}
