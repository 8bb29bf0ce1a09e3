"""The protocol-buffer messages in tf.train and tf.summary, loaded when the first of them is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def _named(module: str, names: str) -> Callable[[str], Any]:
    known = frozenset(names.split())

    def get(name: str) -> Any:
        if name not in known:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        from thalweg._src.formats import protos

        return getattr(protos, name)

    return get


of_summary = _named("thalweg.summary", "Event SessionLog Summary SummaryDescription TaggedRunMetadata")
of_profiler = _named("thalweg.profiler", "AdviceProto GraphNodeProto MultiGraphNodeProto OpLogProto")
of_train = _named(
    "thalweg.train",
    "BytesList ClusterDef Example Feature FeatureList FeatureLists Features FloatList Int64List JobDef SaverDef "
    "SequenceExample ServerDef",
)
