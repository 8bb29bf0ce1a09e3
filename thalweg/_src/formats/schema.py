"""A compiler for the part of the .proto language that our schemas use: text -> FileDescriptorProto.

It covers proto3 messages, enums, nested ones, oneof, map, reserved, and the options packed, deprecated and allow_alias.
The descriptors go into a pool of our own, so that no message of ours ever meets one of the same name that TensorFlow or
TensorBoard registered in protobuf's default pool.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool

TYPES = (  # FieldDescriptorProto.Type, from 1
    "double float int64 uint64 int32 fixed64 fixed32 bool string group message bytes uint32 enum sfixed32 sfixed64 "
    "sint32 sint64"
)
NUMBERS = {name: number for number, name in enumerate(TYPES.split(), 1)}
MESSAGE, ENUM = NUMBERS["message"], NUMBERS["enum"]
SCALARS = {name: number for name, number in NUMBERS.items() if name not in ("group", "message", "enum")}
OPTIONAL, REPEATED = 1, 3
TOKEN = re.compile(r'//[^\n]*|\s+|("[^"]*"|[-\w.]+|[{}\[\]<>=;,])')


class SchemaError(ValueError):
    """The text of a schema is not in the language above."""


def compile_schemas(texts: Mapping[str, str]) -> descriptor_pool.DescriptorPool:
    """A pool with the messages of `texts`: file name -> text. Imports are of each other, or google's any.proto."""
    files = {name: _Parser(name, text).file for name, text in texts.items()}
    kinds = {"google.protobuf.Any": MESSAGE}
    for file in files.values():
        _collect(file, file.package, kinds)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(any_pb2.DESCRIPTOR.serialized_pb)
    added = {any_pb2.DESCRIPTOR.name}

    def add(name: str) -> None:
        if name in added:
            return
        added.add(name)
        for dependency in files[name].dependency:
            add(dependency)
        for message in files[name].message_type:
            _resolve(message, f"{files[name].package}.{message.name}", kinds)
        pool.AddSerializedFile(files[name].SerializeToString())

    for name in files:
        add(name)
    return pool


class _Parser:
    """Reads one file into `self.file`."""

    def __init__(self, name: str, text: str):
        self.tokens = self._split(name, text)
        self.token = next(self.tokens)
        self.file = descriptor_pb2.FileDescriptorProto(name=name, syntax="proto3")
        while self.token:
            self._statement()

    def _split(self, name: str, text: str) -> Iterator[str]:
        at = 0
        while at < len(text):
            match = TOKEN.match(text, at)
            if match is None:
                raise SchemaError(f"{name}, line {text.count(chr(10), 0, at) + 1}: unexpected {text[at]!r}.")
            at = match.end()
            if match[1]:
                yield match[1]
        yield ""

    def _take(self, *allowed: str) -> str:
        token = self.token
        if not token or (allowed and token not in allowed):
            raise SchemaError(f"{self.file.name}: {token or 'the end'!r} where {allowed or 'a word'} must stand.")
        self.token = next(self.tokens, "")
        return token

    def _statement(self) -> None:
        word = self._take("syntax", "package", "import", "message", "enum")
        if word == "message":
            return self._message(self.file.message_type.add())
        if word == "enum":
            return self._enum(self.file.enum_type.add())
        if word == "syntax":
            self._take("=")
            self._take('"proto3"')
        elif word == "package":
            self.file.package = self._take()
        else:
            self.file.dependency.append(self._take().strip('"'))
        self._take(";")

    def _message(self, message: Any) -> None:
        message.name = self._take()
        self._take("{")
        while self.token != "}":
            if self.token == "message":
                self._take()
                self._message(message.nested_type.add())
            elif self.token == "enum":
                self._take()
                self._enum(message.enum_type.add())
            elif self.token == "oneof":
                self._take()
                message.oneof_decl.add(name=self._take())
                self._take("{")
                while self.token != "}":
                    self._field(message, message.field.add(oneof_index=len(message.oneof_decl) - 1))
                self._take("}")
            elif self.token == "reserved":
                self._reserved(message.reserved_range, inclusive=0)
            else:
                self._field(message, message.field.add())
        self._take("}")

    def _field(self, message: Any, field: Any) -> None:
        field.label = OPTIONAL
        if self.token == "repeated":
            self._take()
            field.label = REPEATED
        kind = self._take()
        if kind == "map":
            kind = self._map_entry(message.nested_type.add())
            field.label = REPEATED
        self._type(field, kind)
        field.name = self._take()
        if field.type_name == "<map>":
            entry = message.nested_type[-1]
            entry.name = "".join(part[:1].upper() + part[1:] for part in field.name.split("_")) + "Entry"
            field.type_name = entry.name
        self._take("=")
        field.number = int(self._take())
        if self.token == "[":
            self._take()
            while self.token != ";":
                option = self._take("packed", "deprecated")
                self._take("=")
                setattr(field.options, option, self._take("true", "false") == "true")
                self._take(",", "]")
        self._take(";")

    def _type(self, field: Any, kind: str) -> None:
        if kind in SCALARS:
            field.type = SCALARS[kind]
        else:
            field.type_name = kind

    def _map_entry(self, entry: Any) -> str:
        """map<key, value> is a repeated message of two fields; its name waits for the field's."""
        entry.options.map_entry = True
        self._take("<")
        self._type(entry.field.add(name="key", number=1, label=OPTIONAL), self._take())
        self._take(",")
        self._type(entry.field.add(name="value", number=2, label=OPTIONAL), self._take())
        self._take(">")
        return "<map>"

    def _enum(self, enum: Any) -> None:
        enum.name = self._take()
        self._take("{")
        while self.token != "}":
            if self.token == "reserved":
                self._reserved(enum.reserved_range, inclusive=1)
                continue
            name = self._take()
            if name == "option":
                self._take("allow_alias")
                self._take("=")
                enum.options.allow_alias = self._take("true", "false") == "true"
            else:
                self._take("=")
                enum.value.add(name=name, number=int(self._take()))
            self._take(";")
        self._take("}")

    def _reserved(self, ranges: Any, *, inclusive: int) -> None:
        """`reserved 1, 3 to 5;` The end of a range is exclusive in messages, inclusive in enums."""
        self._take("reserved")
        separator = ","
        while separator == ",":
            first = last = int(self._take())
            if self.token == "to":
                self._take()
                last = int(self._take())
            ranges.add(start=first, end=last + 1 - inclusive)
            separator = self._take(",", ";")


def _collect(scope: Any, prefix: str, kinds: dict[str, int]) -> None:
    """Note the full names of the messages and enums in a file or message."""
    for enum in scope.enum_type:
        kinds[f"{prefix}.{enum.name}"] = ENUM
    for message in scope.nested_type if isinstance(scope, descriptor_pb2.DescriptorProto) else scope.message_type:
        kinds[f"{prefix}.{message.name}"] = MESSAGE
        _collect(message, f"{prefix}.{message.name}", kinds)


def _resolve(message: Any, scope: str, kinds: Mapping[str, int]) -> None:
    """Give each field of a named type its full name: the innermost scope that has the name wins."""
    for field in message.field:
        if field.type_name:
            parts = scope.split(".")
            names = [".".join([*parts[:depth], field.type_name]) for depth in range(len(parts), -1, -1)]
            full = next((name for name in names if name in kinds), None)
            if full is None:
                raise SchemaError(f"{scope}.{field.name}: no message or enum {field.type_name!r}.")
            field.type, field.type_name = kinds[full], "." + full
    for nested in message.nested_type:
        _resolve(nested, f"{scope}.{nested.name}", kinds)
