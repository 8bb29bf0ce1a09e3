"""Checkpoints of either format by their path."""

from collections.abc import Sequence

from .bundle import BundleReader
from .checkpoint_v1 import V1Reader
from .files import LOCAL, Files
from .publishing import index_name
from .types import NAME_OF_ENUM

CheckpointReader = BundleReader | V1Reader
DATA_TYPE = {"float32": "DT_FLOAT", "float64": "DT_DOUBLE", "float16": "DT_HALF"}  # else DT_ and the name in capitals


def open_checkpoint(path: str, files: Files = LOCAL, *, shards: Sequence[str] = ()) -> CheckpointReader:
    """The reader for `path`: the prefix of a V2 checkpoint if it has an index, else a V1 file, or its `shards`."""
    if files.exists(index_name(path)):
        return BundleReader(path, files)
    return V1Reader(shards or [path], files)


def describe(reader: CheckpointReader) -> str:
    """A line for each tensor, as TensorFlow's debug_string has it: name (DT_FLOAT) [2,3], 2 slices."""
    lines = []
    for name, entry in reader.entries():
        data_type = NAME_OF_ENUM[entry.enum]
        data_type = DATA_TYPE.get(data_type, f"DT_{data_type.upper()}")
        parts = f", {len(entry.slices)} slices" if len(entry.slices) > 1 else ""
        lines.append(f"{name} ({data_type}) [{','.join(map(str, entry.shape))}]{parts}\n")
    return "".join(lines)
