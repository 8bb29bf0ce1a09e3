"""Libraries of compiled ops and kernels, which only TensorFlow's own runtime can load, and where its headers would be."""

from typing import Any, NoReturn

from thalweg._src.core import errors


def _not_loaded(name: Any, what: str, instead: str) -> NoReturn:
    raise errors.UnimplementedError(
        None, None, f"{name}: {what} is compiled against TensorFlow's runtime, which thalweg does not have. {instead}"
    )


def load_op_library(library_filename: Any) -> NoReturn:
    """Raises UnimplementedError: a library of ops is compiled for TensorFlow. `tf.py_func` runs Python as an op."""
    _not_loaded(library_filename, "a library of ops", "tf.py_func runs a Python function as an op.")


def load_library(library_location: Any) -> NoReturn:
    """Raises UnimplementedError, as load_op_library."""
    _not_loaded(library_location, "a library of ops", "tf.py_func runs a Python function as an op.")


def load_file_system_library(library_filename: Any) -> NoReturn:
    """Raises UnimplementedError: a file system is compiled for TensorFlow."""
    _not_loaded(library_filename, "a file system", "Mount it, and use its path.")


def _no_sources(what: str) -> NoReturn:
    raise NotImplementedError(f"thalweg has no {what}: it is Python, and ops are declared in Python. See tf.py_func.")


def get_include() -> NoReturn:
    """Raises NotImplementedError: there are no headers to compile against."""
    _no_sources("C++ headers")


def get_lib() -> NoReturn:
    """Raises NotImplementedError: there is no library to link with."""
    _no_sources("C++ library")


def get_compile_flags() -> NoReturn:
    """Raises NotImplementedError: there are no headers to compile against."""
    _no_sources("C++ headers")


def get_link_flags() -> NoReturn:
    """Raises NotImplementedError: there is no library to link with."""
    _no_sources("C++ library")


CXX11_ABI_FLAG = 0
MONOLITHIC_BUILD = 0
