"""Names that NumPy and Python have removed since the era, supplied to a running program when it asks for them.

A name is looked up only where the module itself has none, through the module's `__getattr__`; each use says so in a
DeprecationWarning. `thalweg run --no-shims` leaves it all out.
"""

import collections.abc
import functools
import importlib
import inspect
import platform
import sys
import warnings
from collections import namedtuple
from collections.abc import Callable
from functools import reduce
from types import ModuleType
from typing import Any

import numpy as np

# colour maps of Matplotlib, by their names then and now
RENAMED_MAPS = {
    "spectral": "nipy_spectral",
    "Vega10": "tab10",
    "Vega20": "tab20",
    "Vega20b": "tab20b",
    "Vega20c": "tab20c",
}

# module -> removed name -> `module:attribute` that it was, or a function of this file after a bare colon
REMOVED: dict[str, dict[str, str]] = {
    "numpy": {
        "bool": "builtins:bool",
        "bool8": "numpy:bool_",
        "int": "builtins:int",
        "long": "builtins:int",
        "int0": "numpy:intp",
        "uint0": "numpy:uintp",
        "float": "builtins:float",
        "float_": "numpy:float64",
        "longfloat": "numpy:longdouble",
        "complex": "builtins:complex",
        "complex_": "numpy:complex128",
        "cfloat": "numpy:complex128",
        "singlecomplex": "numpy:complex64",
        "longcomplex": "numpy:clongdouble",
        "clongfloat": "numpy:clongdouble",
        "object": "builtins:object",
        "object0": "numpy:object_",
        "str": "builtins:str",
        "str0": "numpy:str_",
        "unicode": "builtins:str",
        "unicode_": "numpy:str_",
        "string_": "numpy:bytes_",
        "bytes0": "numpy:bytes_",
        "void0": "numpy:void",
        "Inf": "numpy:inf",
        "Infinity": "numpy:inf",
        "infty": "numpy:inf",
        "PINF": "numpy:inf",
        "NINF": ":negative_infinity",
        "PZERO": ":zero",
        "NZERO": ":negative_zero",
        "NaN": "numpy:nan",
        "NAN": "numpy:nan",
        "math": "math",
        "round_": "numpy:round",
        "around": "numpy:round",
        "product": "numpy:prod",
        "cumproduct": "numpy:cumprod",
        "sometrue": "numpy:any",
        "alltrue": "numpy:all",
        "rank": "numpy:ndim",
        "alen": "builtins:len",
        "mat": "numpy:asmatrix",
        "row_stack": "numpy:vstack",
        "trapz": "numpy:trapezoid",
        "in1d": ":in1d",
        "msort": ":msort",
        "asscalar": ":asscalar",
        "asfarray": ":asfarray",
        "find_common_type": ":find_common_type",
        "issubclass_": "builtins:issubclass",
        "safe_eval": "ast:literal_eval",
        "disp": "builtins:print",
        "typeDict": "numpy:sctypeDict",
        "sctypes": ":sctypes",
        "cast": ":cast",
        "issctype": ":issctype",
        "obj2sctype": ":obj2sctype",
        "maximum_sctype": ":maximum_sctype",
        "nbytes": ":nbytes",
        "byte_bounds": "numpy.lib.array_utils:byte_bounds",
        "fastCopyAndTranspose": ":copy_and_transpose",
        "DataSource": "numpy.lib.npyio:DataSource",
        "ComplexWarning": "numpy.exceptions:ComplexWarning",
        "VisibleDeprecationWarning": "numpy.exceptions:VisibleDeprecationWarning",
        "RankWarning": "numpy.exceptions:RankWarning",
        "AxisError": "numpy.exceptions:AxisError",
    },
    "collections": dict.fromkeys(collections.abc.__all__, "collections.abc"),
    "time": {"clock": "time:perf_counter"},
    "inspect": {"getargspec": ":getargspec"},
    "fractions": {"gcd": "math:gcd"},
    "scipy": {
        "interp": "numpy:interp",
        "rand": "numpy.random:rand",
        "randn": "numpy.random:randn",
        **dict.fromkeys(
            (
                *(
                    "array",
                    "asarray",
                    "zeros",
                    "ones",
                    "eye",
                    "identity",
                    "arange",
                    "linspace",
                    "logspace",
                    "meshgrid",
                    "empty",
                ),
                *(
                    "dot",
                    "outer",
                    "exp",
                    "log",
                    "log2",
                    "log10",
                    "sqrt",
                    "sin",
                    "cos",
                    "tan",
                    "power",
                    "sign",
                    "floor",
                    "ceil",
                ),
                *(
                    "mean",
                    "std",
                    "var",
                    "median",
                    "sum",
                    "prod",
                    "cumsum",
                    "argmax",
                    "argmin",
                    "sort",
                    "argsort",
                    "unique",
                ),
                *(
                    "where",
                    "concatenate",
                    "vstack",
                    "hstack",
                    "reshape",
                    "transpose",
                    "pi",
                    "nan",
                    "inf",
                    "isnan",
                    "isinf",
                ),
                *(
                    "int8",
                    "int16",
                    "int32",
                    "int64",
                    "uint8",
                    "float32",
                    "float64",
                    "ndarray",
                    "absolute",
                    "allclose",
                    "around",
                ),
            ),
            "numpy",
        ),
    },
    "scipy.misc": {
        **dict.fromkeys(
            ("bytescale", "fromimage", "imread", "imresize", "imrotate", "imsave", "imshow", "toimage"),
            "thalweg._src.compat.pilutil",
        ),
        **dict.fromkeys(("comb", "factorial", "factorial2", "factorialk", "logsumexp"), "scipy.special"),
        **dict.fromkeys(("ascent", "face", "electrocardiogram"), "scipy.datasets"),
    },
    "scipy.ndimage": {"imread": "thalweg._src.compat.pilutil"},
    "scipy.signal": dict.fromkeys(
        ("bartlett", "blackman", "boxcar", "gaussian", "hamming", "hann", "hanning", "kaiser", "tukey"),
        "scipy.signal.windows",
    )
    | {"hanning": "scipy.signal.windows:hann"},
    "scipy.integrate": {"simps": "scipy.integrate:simpson", "trapz": "scipy.integrate:trapezoid"}
    | {"cumtrapz": "scipy.integrate:cumulative_trapezoid"},
    "scipy.linalg": {"pinv2": "scipy.linalg:pinv", **dict.fromkeys(("tri", "tril", "triu"), "numpy")},
    "librosa": {"output": "thalweg._src.compat.sound_files", "logamplitude": "librosa:power_to_db"},
    "librosa.feature": {"rmse": "librosa.feature:rms"},
    "matplotlib.cm": {old: f"matplotlib.cm:{new}" for old, new in RENAMED_MAPS.items()},
    "PIL.Image": {
        "ANTIALIAS": "PIL.Image:LANCZOS",
        "LINEAR": "PIL.Image:BILINEAR",
        "CUBIC": "PIL.Image:BICUBIC",
    },
    "pandas": {
        "datetime": "datetime:datetime",
        "np": "numpy",
        "Int64Index": "pandas:Index",
        "Float64Index": "pandas:Index",
    },
    "skimage.measure": dict.fromkeys(
        ("compare_ssim", "compare_psnr", "compare_mse", "compare_nrmse"), "thalweg._src.compat.picture_measures"
    )
    | {"structural_similarity": "thalweg._src.compat.picture_measures:compare_ssim"},
    "skimage.morphology": {"watershed": "skimage.segmentation"},
    "PIL": {"PILLOW_VERSION": "PIL:__version__"},
    "os": {"errno": "errno"},
    "sys": {"setcheckinterval": ":setcheckinterval"},
    "cgi": {"escape": "html:escape"},
    "xml.etree": {"cElementTree": "xml.etree.ElementTree"},
    "platform": {"linux_distribution": ":linux_distribution", "dist": ":linux_distribution"},
    "base64": {"encodestring": "base64:encodebytes", "decodestring": "base64:decodebytes"},
}

negative_infinity, zero, negative_zero = -np.inf, 0.0, -0.0
ArgSpec = namedtuple("ArgSpec", "args varargs keywords defaults")


def getargspec(func: Callable) -> ArgSpec:
    """inspect.getargspec as Python 3.10 had it. ValueError for keyword-only arguments."""
    args, varargs, keywords, defaults, keyword_only, _, _ = inspect.getfullargspec(func)
    if keyword_only:
        raise ValueError("Function has keyword-only parameters, which getargspec cannot show: use inspect.signature")
    return ArgSpec(args, varargs, keywords, defaults)


def in1d(ar1: Any, ar2: Any, assume_unique: bool = False, invert: bool = False) -> np.ndarray:
    return np.isin(np.ravel(ar1), ar2, assume_unique=assume_unique, invert=invert)


def msort(a: Any) -> np.ndarray:
    return np.sort(a, axis=0)


def asscalar(a: Any) -> Any:
    return a.item()


def asfarray(a: Any, dtype: Any = np.float64) -> np.ndarray:
    wanted = np.dtype(dtype)
    return np.asarray(a, wanted if np.issubdtype(wanted, np.inexact) else np.float64)


def find_common_type(array_types: list, scalar_types: list) -> np.dtype:
    """The array types' common type, unless a scalar type is of a higher kind (bool, integer, float, complex)."""
    kinds = "biufc"
    arrays = reduce(np.promote_types, array_types) if len(array_types) else None
    scalars = reduce(np.promote_types, scalar_types) if len(scalar_types) else None
    if arrays is None or scalars is None:
        return np.dtype(scalars if arrays is None else arrays)
    higher = kinds.find(np.dtype(scalars).kind) > kinds.find(np.dtype(arrays).kind)
    return np.dtype(scalars if higher else arrays)


sctypes: dict[str, list] = {
    "int": [np.int8, np.int16, np.int32, np.int64],
    "uint": [np.uint8, np.uint16, np.uint32, np.uint64],
    "float": [np.float16, np.float32, np.float64, np.longdouble],
    "complex": [np.complex64, np.complex128, np.clongdouble],
    "others": [bool, object, bytes, str, np.void],
}
nbytes = {kind: np.dtype(kind).itemsize for kind in {*np.sctypeDict.values()}}
cast = {
    kind: functools.partial(lambda k, x: np.array(x, copy=True).astype(k), kind) for kind in {*np.sctypeDict.values()}
}


def issctype(rep: Any) -> bool:
    return isinstance(rep, type | np.dtype) and obj2sctype(rep) not in (None, np.object_)


def obj2sctype(rep: Any, default: Any = None) -> Any:
    """The scalar type of what stands for a type, or of an array."""
    try:
        return np.dtype(rep if isinstance(rep, type | np.dtype | str) else rep.dtype).type
    except (TypeError, AttributeError):
        return default


def maximum_sctype(t: Any) -> Any:
    """The widest type of the kind of `t`."""
    kinds = {"i": "int", "u": "uint", "f": "float", "c": "complex"}
    kind = np.dtype(t).kind
    return sctypes[kinds[kind]][-1] if kind in kinds else np.dtype(t).type


def copy_and_transpose(a: Any) -> np.ndarray:
    return np.array(a).T.copy()


def setcheckinterval(interval: int) -> None:
    """Nothing: threads no longer change after a number of instructions."""


def linux_distribution(*args: Any, **kwargs: Any) -> tuple[str, str, str]:
    """Name, version and code name, as the system's release file has them."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return "", "", ""
    return release.get("ID", ""), release.get("VERSION_ID", ""), release.get("VERSION_CODENAME", "")


def supply() -> None:
    """Give every module of the table that is imported a `__getattr__` that knows its removed names. Twice is as good as once."""
    for name in REMOVED:
        if name in sys.modules:
            supply_to(sys.modules[name])


def supply_to(module: ModuleType) -> None:
    """Give one module its removed names."""
    if module.__name__ in REMOVED and not getattr(module.__dict__.get("__getattr__"), "supplies_removed", False):
        module.__dict__["__getattr__"] = with_removed(module, module.__dict__.get("__getattr__"))


def withdraw() -> None:
    """Undo `supply`."""
    for name in REMOVED:
        namespace = sys.modules[name].__dict__ if name in sys.modules else {}
        replaced: Any = namespace.get("__getattr__")
        if getattr(replaced, "supplies_removed", False):
            del namespace["__getattr__"]
            if replaced.before is not None:
                namespace["__getattr__"] = replaced.before


def with_removed(module: ModuleType, before: Callable[[str], Any] | None) -> Callable[[str], Any]:
    known = REMOVED[module.__name__]

    def __getattr__(name: str) -> Any:
        if name in known:
            warnings.warn(
                f"{module.__name__}.{name} is gone from this version of {module.__name__}: `thalweg run` supplies it",
                DeprecationWarning,
                stacklevel=2,
            )
            return stand_in(name, known[name])
        if before is not None:
            return before(name)
        raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module)

    __getattr__.supplies_removed, __getattr__.before = True, before  # type: ignore[attr-defined]
    return __getattr__


def stand_in(name: str, where: str) -> Any:
    """`where` is `module:attribute`, `:function of this file`, or a module: its attribute of that name, or itself."""
    home, colon, attribute = where.partition(":")
    if not home:
        return globals()[attribute]
    module = importlib.import_module(home)
    if colon:
        return getattr(module, attribute)
    return getattr(module, name, module)
