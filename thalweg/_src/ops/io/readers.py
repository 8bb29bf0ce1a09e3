"""Readers as ops. Those whose names end in V2 hand out resources, the others references to strings; both are the same readers."""

from typing import Any

import numpy as np

from thalweg._src.core import errors, shapes
from thalweg._src.core.dtypes import int64, resource, string
from thalweg._src.core.opdef import Outputs, Ref, op
from thalweg._src.ops.io.record_readers import (
    FixedLengthReader,
    IdentityReader,
    LMDBReader,
    TextLineReader,
    TFRecordReader,
    WholeFileReader,
)
from thalweg._src.ops.stateful.handles import held
from thalweg._src.ops.text.strings import texts


def _own(ctx: Any, container: str, shared_name: str, make: Any) -> Any:
    found = ctx.own("reader", container, shared_name, lambda name: make(ctx.op.name))
    kind = ctx.op.type.removesuffix("V2")
    if found.kind != kind:
        raise errors.InvalidArgumentError(None, None, f"Shared reader '{shared_name}' is a {found.kind}, not a {kind}.")
    return found


def _declare_readers(suffix: str, out: Any, dims: list[Any]) -> dict[str, Any]:
    facts = {"host": True, "stateful": True, "foldable": False}

    @op("WholeFileReader" + suffix, **facts)
    def whole_file_reader(*, container: str = "", shared_name: str = "", ctx) -> Outputs(reader_handle=out):
        """A reader whose records are files."""
        return _own(ctx, container, shared_name, WholeFileReader)

    @op("IdentityReader" + suffix, **facts)
    def identity_reader(*, container: str = "", shared_name: str = "", ctx) -> Outputs(reader_handle=out):
        """A reader whose records are what the queue gives."""
        return _own(ctx, container, shared_name, IdentityReader)

    @op("TextLineReader" + suffix, **facts)
    def text_line_reader(*, skip_header_lines: int = 0, container: str = "", shared_name: str = "", ctx) -> Outputs(
        reader_handle=out
    ):
        """A reader whose records are lines."""
        return _own(ctx, container, shared_name, lambda name: TextLineReader(name, skip_header_lines))

    @op("TFRecordReader" + suffix, **facts)
    def tf_record_reader(*, container: str = "", shared_name: str = "", compression_type: str = "", ctx) -> Outputs(
        reader_handle=out
    ):
        """A reader of TFRecord files."""
        return _own(ctx, container, shared_name, lambda name: TFRecordReader(name, compression_type))

    made = {
        "WholeFileReader": whole_file_reader,
        "IdentityReader": identity_reader,
        "TextLineReader": text_line_reader,
        "TFRecordReader": tf_record_reader,
    }
    for opdef in made.values():
        opdef.shape_rule(lambda node: list(dims))
        opdef.not_differentiable()
    return made


READERS = _declare_readers("V2", resource, [()])
_declare_readers("", Ref(string), [(2,)])


def _fixed(ctx, container, shared_name, *sizes_and_encoding):
    return _own(ctx, container, shared_name, lambda name: FixedLengthReader(name, *sizes_and_encoding))


@op("FixedLengthRecordReaderV2", host=True, stateful=True, foldable=False)
def fixed_length_record_reader(
    *,
    header_bytes: int = 0,
    record_bytes: int,
    footer_bytes: int = 0,
    hop_bytes: int = 0,
    container: str = "",
    shared_name: str = "",
    encoding: str = "",
    ctx,
) -> Outputs(reader_handle=resource):
    """A reader whose records are so many bytes."""
    return _fixed(ctx, container, shared_name, header_bytes, record_bytes, footer_bytes, hop_bytes, encoding)


@op("FixedLengthRecordReader", host=True, stateful=True, foldable=False)
def fixed_length_record_reader_v1(
    *,
    header_bytes: int = 0,
    record_bytes: int,
    footer_bytes: int = 0,
    hop_bytes: int = 0,
    container: str = "",
    shared_name: str = "",
    ctx,
) -> Outputs(reader_handle=Ref(string)):
    """The reader of fixed lengths of 0.x."""
    return _fixed(ctx, container, shared_name, header_bytes, record_bytes, footer_bytes, hop_bytes, "")


@op("LMDBReader", host=True, stateful=True, foldable=False)
def lmdb_reader(*, container: str = "", shared_name: str = "", ctx) -> Outputs(reader_handle=Ref(string)):
    """A reader whose records are the entries of LMDB databases."""
    return _own(ctx, container, shared_name, LMDBReader)


fixed_length_record_reader.shape_rule(lambda node: [()])
fixed_length_record_reader_v1.shape_rule(lambda node: [(2,)])
lmdb_reader.shape_rule(lambda node: [(2,)])
for _opdef in (fixed_length_record_reader, fixed_length_record_reader_v1, lmdb_reader):
    _opdef.not_differentiable()


def _text(value: bytes) -> np.ndarray:
    return texts([value], ())


def _declare_use(suffix: str, handle: Any, stateful: bool) -> dict[str, Any]:
    facts = {"host": True, "effect": "host", "stateful": stateful, "waits": True}

    @op("ReaderRead" + suffix, **facts)
    def read(reader_handle: handle, queue_handle: handle) -> Outputs(key=string, value=string):
        """The next record and its key; where there is none, that of the next piece of work from the queue."""
        ((key, value),) = yield from held(reader_handle).read(1, held(queue_handle))
        return _text(key), _text(value)

    @op("ReaderReadUpTo" + suffix, **facts)
    def read_up_to(reader_handle: handle, queue_handle: handle, num_records: int64) -> Outputs(
        keys=string, values=string
    ):
        """Up to `num_records` records of one piece of work, and their keys."""
        n = int(num_records)
        if n <= 0:
            raise errors.InvalidArgumentError(None, None, f"num_records must be > 0, but it is {n}")
        records = yield from held(reader_handle).read(n, held(queue_handle))
        keys, values = zip(*records, strict=True)
        return texts(keys, (len(records),)), texts(values, (len(records),))

    @op("ReaderNumRecordsProduced" + suffix, **facts)
    def num_records_produced(reader_handle: handle) -> Outputs(records_produced=int64):
        """How many records the reader has given."""
        reader = held(reader_handle)
        return (yield from reader.alone(lambda: np.int64(reader.produced)))

    @op("ReaderNumWorkUnitsCompleted" + suffix, **facts)
    def num_work_units_completed(reader_handle: handle) -> Outputs(units_completed=int64):
        """How many pieces of work the reader has finished."""
        reader = held(reader_handle)
        return (yield from reader.alone(lambda: np.int64(reader.finished)))

    @op("ReaderSerializeState" + suffix, **facts)
    def serialize_state(reader_handle: handle) -> Outputs(state=string):
        """How far the reader has got, as bytes."""
        reader = held(reader_handle)
        return (yield from reader.alone(lambda: _text(reader.serialize())))

    @op("ReaderRestoreState" + suffix, **facts)
    def restore_state(reader_handle: handle, state: string):
        """Go on from where a reader was that gave this state."""
        if np.ndim(state):
            raise errors.InvalidArgumentError(None, None, f"Reader state must be scalar, but had shape: {state.shape}")
        reader = held(reader_handle)
        yield from reader.alone(lambda: reader.restore(state.item()))

    @op("ReaderReset" + suffix, **facts)
    def reset(reader_handle: handle):
        """As if nothing had been read."""
        reader = held(reader_handle)
        yield from reader.alone(reader.reset)

    read.shape_rule(lambda node: [(), ()])
    read_up_to.shape_rule(lambda node: [(None,), (None,)])
    for opdef in (num_records_produced, num_work_units_completed, serialize_state):
        opdef.shape_rule(lambda node: [()])
    restore_state.shape_rule(lambda node: shapes.of_rank(node.inputs[1].dims, 0)[:0])
    reset.shape_rule(lambda node: [])
    made = {
        "read": read,
        "read_up_to": read_up_to,
        "num_records_produced": num_records_produced,
        "num_work_units_completed": num_work_units_completed,
        "serialize_state": serialize_state,
        "restore_state": restore_state,
        "reset": reset,
    }
    for opdef in made.values():
        opdef.not_differentiable()
    return made


USE = _declare_use("V2", resource, True)
USE_OF_REFERENCES = _declare_use("", Ref(string), False)
