"""The protocol-buffer messages of the public namespace, loaded when the first of them is asked for: protobuf is slow to import."""

from __future__ import annotations

from typing import Any

NAMES = frozenset(
    {
        *(
            "AttrValue",
            "ConfigProto",
            "DeviceAttributes",
            "Event",
            "GPUOptions",
            "GraphDef",
            "GraphOptions",
            "HistogramProto",
        ),
        *(
            "LogMessage",
            "MetaGraphDef",
            "NameAttrList",
            "NodeDef",
            "OptimizerOptions",
            "RunMetadata",
            "RunOptions",
            "SessionLog",
        ),
        *("Summary", "SummaryMetadata", "TensorInfo"),
    }
)


def __getattr__(name: str) -> Any:
    if name not in NAMES:
        raise AttributeError(f"module 'thalweg' has no attribute {name!r}")
    from thalweg._src.formats import protos

    return getattr(protos, name)
