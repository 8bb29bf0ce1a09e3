"""What becomes of a whole dataset: one element, a reduction, a file, the number of its elements."""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

from thalweg._src.core import errors, shapes
from thalweg._src.core.dtypes import int64, string, variant
from thalweg._src.core.opdef import Func, Min, Mixed, Types, op
from thalweg._src.core.status import translated
from thalweg._src.core.storage import open_file
from thalweg._src.formats.records import RecordWriter
from thalweg._src.ops.data.pipeline import CAPTURED, SHAPES, TYPES, Run, array, data_of, invalid, scalar


@contextlib.contextmanager
def walking(handle: Any, ctx: Any) -> Iterator[Iterator[tuple]]:
    """The elements of a dataset, for the block. A session that is closed meanwhile ends the walk: CancelledError."""
    run = Run()

    def elements() -> Iterator[tuple]:
        for element in data_of(handle).iterate(run):
            if ctx.cancelled:
                raise errors.CancelledError(None, None, "Session was closed.")
            yield element

    try:
        yield elements()
    finally:
        run.shared.cancel()


@op("DatasetToSingleElement", host=True, stateful=True, foldable=False)
def dataset_to_single_element(dataset: variant, *, output_types: TYPES, output_shapes: SHAPES, ctx) -> Mixed(
    "output_types", 1
):
    """The element of a dataset that has one. Raises InvalidArgumentError for others."""
    with walking(dataset, ctx) as elements:
        for element in elements:
            for _ in elements:
                raise invalid("Dataset had more than one element.")
            return [array(x) for x in element]
    raise invalid("Dataset was empty.")


@op("ReduceDataset", host=True, stateful=True, foldable=False)
def reduce_dataset(
    input_dataset: variant,
    initial_state: Mixed("Tstate", 1),
    other_arguments: Mixed("Targuments"),
    *,
    f: Func,
    Tstate: Min(Types, 1),
    Targuments: CAPTURED,
    output_types: TYPES,
    output_shapes: SHAPES,
    use_inter_op_parallelism: bool = True,
    ctx,
) -> Mixed("output_types", 1):
    """A state, after `f` has made it anew from itself and each element."""
    function = ctx.function(f, other_arguments)
    state = tuple(initial_state)

    def check(new: tuple) -> None:
        if len(new) != len(initial_state):
            raise invalid(
                "The number of components of the initial state and the reduce function output does not match. "
                f"(initial_state={len(initial_state)}, output={len(new)})."
            )

    with walking(input_dataset, ctx) as elements:
        for element in elements:
            state = function(*state, *element)
            check(state)
    out = [array(x) for x in state]
    for i, (x, dims) in enumerate(zip(out, output_shapes, strict=True)):
        if not shapes.compatible(dims, x.shape):
            raise invalid(
                f"The result does not match the expected shape for component {i}. Expected: {shapes.text(dims)}. "
                f"Actual: {shapes.text(x.shape)}."
            )
    return out


def _number(name: str):
    @op(name, host=True, foldable=False)
    def cardinality(input_dataset: variant) -> int64:
        """The number of elements, -1 for infinitely many, -2 where it is not known."""
        return data_of(input_dataset).cardinality

    cardinality.shape_rule(lambda node: [()])
    return cardinality.not_differentiable()


dataset_cardinality, experimental_dataset_cardinality = (
    _number("DatasetCardinality"),
    _number("ExperimentalDatasetCardinality"),
)


def _writer(name: str):
    @op(name, host=True, effect="host")
    def to_tf_record(input_dataset: variant, filename: string, compression_type: string, *, ctx):
        """Writes the strings of a dataset to a TFRecord file."""
        path = os.fsdecode(scalar(filename, "filename"))
        kind = scalar(compression_type, "compression_type").decode()
        with translated(), open_file(path, "wb") as f, walking(input_dataset, ctx) as elements:
            writer = RecordWriter(f, compression=kind)
            try:
                for element in elements:
                    writer.write(array(element[0]).item())
            finally:
                writer.close()

    to_tf_record.shape_rule(lambda node: [])
    return to_tf_record.not_differentiable()


dataset_to_tf_record, experimental_dataset_to_tf_record = (
    _writer("DatasetToTFRecord"),
    _writer("ExperimentalDatasetToTFRecord"),
)


for _o in (dataset_to_single_element, reduce_dataset):
    _o.shape_rule(lambda node: list(node.attrs["output_shapes"]))
    _o.not_differentiable()
