"""Modules that an old protoc generated (`x_pb2.py`), which no protobuf since 4.0 runs.

They make every descriptor by hand, which is refused today, but they also hold the whole file of descriptors in its
serialized form. From that the same classes are built, in memory; the file stays as it is. Files that import TensorFlow's
own (`tensorflow/core/example/example.proto`) are built beside our messages, so that their fields hold those.
"""

from __future__ import annotations

import ast
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

MADE_BY_HAND, ADDED = b"_descriptor.FileDescriptor(", b"AddSerializedFile("

BUILT = """
from google.protobuf.internal import builder as _builder
from thalweg._src.compat.old_protos import pool_for as _pool_for
DESCRIPTOR = _pool_for(_serialized).AddSerializedFile(_serialized)
_builder.BuildMessageAndEnumDescriptors(DESCRIPTOR, globals())
_builder.BuildTopDescriptorsAndMessages(DESCRIPTOR, __name__, globals())
"""


def is_old(source: bytes) -> bool:
    """Whether a module makes its descriptors by hand."""
    return MADE_BY_HAND in source and ADDED not in source


def built(source: bytes, filename: str) -> CodeType:
    """The module's code up to its serialized descriptors, and then what builds its classes from those."""
    kept: list[ast.stmt] = []
    for statement in ast.parse(source, filename).body:
        serialized = _serialized(statement)
        if serialized is not None:
            kept.append(ast.Assign([ast.Name("_serialized", ast.Store())], serialized))
            break
        kept.append(statement)
    kept += ast.parse(BUILT).body
    return compile(ast.fix_missing_locations(ast.Module(kept, [])), filename, "exec", dont_inherit=True)


def _serialized(statement: ast.stmt) -> ast.expr | None:
    """The argument `serialized_pb` of the call that makes DESCRIPTOR, if `statement` is that."""
    if not isinstance(statement, ast.Assign) or not isinstance(statement.value, ast.Call):
        return None
    if not any(isinstance(t, ast.Name) and t.id == "DESCRIPTOR" for t in statement.targets):
        return None
    return next((k.value for k in statement.value.keywords if k.arg == "serialized_pb"), None)


def pool_for(serialized: bytes) -> Any:
    """The pool where a file of descriptors finds what it imports: protobuf's own, or that of our messages."""
    from google.protobuf import descriptor_pb2, descriptor_pool

    from thalweg._src.formats import protos

    imports = descriptor_pb2.FileDescriptorProto.FromString(serialized).dependency
    own, default = protos.Example.DESCRIPTOR.file.pool, descriptor_pool.Default()
    if not any(name.startswith("tensorflow/") or (_has(own, name) and not _has(default, name)) for name in imports):
        return default
    for name in imports:
        if _has(own, name):
            continue
        if name.startswith("tensorflow/"):  # a file that hands on ours, which are divided otherwise
            ours = sorted({getattr(protos, kind).DESCRIPTOR.file.name for kind in _HANDED_ON})
            alias = descriptor_pb2.FileDescriptorProto(name=name, dependency=ours, public_dependency=range(len(ours)))
            own.AddSerializedFile(alias.SerializeToString())
        else:
            own.AddSerializedFile(default.FindFileByName(name).serialized_pb)
    return own


_HANDED_ON = ("Example", "TensorProto", "GraphDef", "MetaGraphDef", "ConfigProto", "Summary", "SaverDef", "AttrValue")


def _has(pool: Any, name: str) -> bool:
    try:
        pool.FindFileByName(name)
    except KeyError:
        return False
    return True


class OldProtoLoader(SourceFileLoader):
    """Loads such a module."""

    def get_code(self, fullname: str) -> CodeType | None:
        path = self.get_filename(fullname)
        return built(self.get_data(path), path)


class Finder(MetaPathFinder):
    """Finds such modules."""

    def find_spec(self, fullname: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if not fullname.endswith("_pb2"):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is None or type(spec.loader) is not SourceFileLoader or spec.origin is None:
            return None
        if not is_old(spec.loader.get_data(spec.origin)):
            return None
        spec.loader = OldProtoLoader(fullname, spec.origin)
        return spec


FINDER = Finder()
