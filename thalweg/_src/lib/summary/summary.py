"""tf.summary: what a training run tells about itself, as tensors that an event file takes."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops.reports import summary as ops

_NOT_EAGER = "Merging tf.summary.* ops is not compatible with eager execution. Use tf.contrib.summary instead."
_NOT_IN_TAGS = re.compile(r"[^-/\w\.]")


def scalar(name: str, tensor: Any, collections: Any = None, family: str | None = None) -> Tensor:
    """A curve: one number at each step. The tag is `name` within its name scopes, below `family` if there is one."""
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        return _collected(ops.scalar_summary(tag, tensor, name=scope), collections)


def histogram(name: str, values: Any, collections: Any = None, family: str | None = None) -> Tensor:
    """A distribution at each step. Values that are not finite raise InvalidArgumentError when it runs."""
    with summary_scope(name, family, "HistogramSummary", [values]) as (tag, scope):
        return _collected(ops.histogram_summary(tag, values, name=scope), collections)


def image(name: str, tensor: Any, max_outputs: int = 3, collections: Any = None, family: str | None = None) -> Tensor:
    """Pictures: `tensor` is [batch, height, width, channels] with 1, 3 or 4 channels; the first `max_outputs` are kept.

    uint8 is taken as it is; floats are scaled, each picture by itself.
    """
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        return _collected(ops.image_summary(tag, tensor, max_images=max_outputs, name=scope), collections)


def audio(
    name: str,
    tensor: Any,
    sample_rate: Any,
    max_outputs: int = 3,
    collections: Any = None,
    family: str | None = None,
) -> Tensor:
    """Sounds: `tensor` is [batch, frames] or [batch, frames, channels], between -1 and 1, at `sample_rate` hertz."""
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        rate = to_tensor(sample_rate, dtypes.float32, "sample_rate")
        return _collected(ops.audio_summary_v2(tag, tensor, rate, max_outputs=max_outputs, name=scope), collections)


def text(name: str, tensor: Any, collections: Any = None) -> Tensor:
    """Text, which TensorBoard shows as Markdown; vectors and matrices of strings become tables.

    Raises ValueError for a tensor that is not of strings.
    """
    from thalweg._src.formats import protos

    if tensor.dtype != dtypes.string:
        raise ValueError(f"Expected tensor {tensor.name} to have dtype string, got {tensor.dtype}")
    metadata = protos.SummaryMetadata(plugin_data=protos.SummaryMetadata.PluginData(plugin_name="text"))
    return tensor_summary(name, tensor, summary_metadata=metadata, collections=collections)


def tensor_summary(
    name: str,
    tensor: Any,
    summary_description: str | None = None,
    collections: Any = None,
    summary_metadata: Any = None,
    family: str | None = None,
    display_name: str | None = None,
) -> Tensor:
    """A tensor of any type, for the TensorBoard plugin that `summary_metadata` names."""
    from thalweg._src.formats import protos

    metadata = protos.SummaryMetadata()
    if summary_metadata is not None:
        metadata.ParseFromString(summary_metadata.SerializeToString())
    if summary_description is not None:
        metadata.summary_description = summary_description
    if display_name is not None:
        metadata.display_name = display_name
    with summary_scope(name, family, values=[tensor]) as (tag, scope):
        out = ops.tensor_summary_v2(tag, tensor, serialized_summary_metadata=metadata.SerializeToString(), name=scope)
        return _collected(out, collections)


def merge(inputs: Sequence[Any], collections: Any = None, name: str | None = None) -> Tensor:
    """One summary of all `inputs`. A tag that comes twice raises InvalidArgumentError when it runs."""
    if executing_eagerly():
        raise RuntimeError(_NOT_EAGER)
    with scopes.name_scope(clean_tag(name), "Merge", list(inputs)):
        return _collected(ops.merge_summary(list(inputs), name=clean_tag(name)), collections, default=())


def merge_all(key: str = GraphKeys.SUMMARIES, scope: str | None = None, name: str | None = None) -> Tensor | None:
    """One summary of all that the graph has collected under `key`, in name scopes that match `scope`; None without
    any.
    """
    if executing_eagerly():
        raise RuntimeError(_NOT_EAGER)
    found = scopes.get_collection(key, scope=scope)
    return merge(found, name=name) if found else None


def get_summary_description(node_def: Any) -> Any:
    """The SummaryDescription in a TensorSummary node. Raises ValueError for another node."""
    from google.protobuf import json_format

    from thalweg._src.formats import protos

    if node_def.op != "TensorSummary":
        raise ValueError(f"Can't get_summary_description on {node_def.op}")
    out = protos.SummaryDescription()
    json_format.Parse(node_def.attr["description"].s.decode(), out)
    return out


# -- the functions of 0.x, whose first argument is a tag, not a name


def scalar_summary(tags: Any, values: Any, collections: Any = None, name: str | None = None) -> Tensor:
    """`scalar` of TensorFlow 0.11: `tags` and `values` are of one shape."""
    with scopes.name_scope(name, "ScalarSummary", [tags, values]) as scope:
        return _collected(ops.scalar_summary(tags=tags, values=values, name=scope), collections)


def histogram_summary(tag: Any, values: Any, collections: Any = None, name: str | None = None) -> Tensor:
    """`histogram` of TensorFlow 0.11."""
    with scopes.name_scope(name, "HistogramSummary", [tag, values]) as scope:
        return _collected(ops.histogram_summary(tag=tag, values=values, name=scope), collections)


def image_summary(
    tag: Any, tensor: Any, max_images: int = 3, collections: Any = None, name: str | None = None
) -> Tensor:
    """`image` of TensorFlow 0.11."""
    with scopes.name_scope(name, "ImageSummary", [tag, tensor]) as scope:
        return _collected(ops.image_summary(tag=tag, tensor=tensor, max_images=max_images, name=scope), collections)


def audio_summary(
    tag: Any, tensor: Any, sample_rate: Any, max_outputs: int = 3, collections: Any = None, name: str | None = None
) -> Tensor:
    """`audio` of TensorFlow 0.11."""
    with scopes.name_scope(name, "AudioSummary", [tag, tensor]) as scope:
        rate = to_tensor(sample_rate, dtypes.float32, "sample_rate")
        return _collected(ops.audio_summary_v2(tag, tensor, rate, max_outputs=max_outputs, name=scope), collections)


def merge_summary(inputs: Sequence[Any], collections: Any = None, name: str | None = None) -> Tensor:
    """`merge` of TensorFlow 0.11."""
    with scopes.name_scope(name, "MergeSummary", list(inputs)):
        return _collected(ops.merge_summary(list(inputs), name=name), collections, default=())


def merge_all_summaries(key: str = GraphKeys.SUMMARIES) -> Tensor | None:
    """`merge_all` of TensorFlow 0.11."""
    found = scopes.get_collection(key)
    return merge_summary(found) if found else None


# -- names


def clean_tag(name: str | None) -> str | None:
    """`name` with underscores for what a name can't hold, and without leading slashes."""
    if name is None:
        return None
    clean = _NOT_IN_TAGS.sub("_", name).lstrip("/")
    if clean != name:
        log.info("Summary name %s is illegal; using %s instead.", name, clean)
    return clean


@contextlib.contextmanager
def summary_scope(
    name: str, family: str | None = None, default_name: str | None = None, values: Any = None
) -> Iterator[tuple[str, str]]:
    """The tag and the name scope of a summary: the tag is the scope's name, so it is unique, below the family."""
    name, family = clean_tag(name), clean_tag(family)
    base = name if family is None else f"{family}/{name}"
    with scopes.name_scope(base, default_name, values) as scope:
        tag = scope.rstrip("/")
        yield tag if family is None else f"{family}/{tag}", scope


def collect(val: Any, collections: Any, default_collections: Sequence[str]) -> None:
    """Add a summary to `collections`, or to the default ones."""
    for key in default_collections if collections is None else collections:
        get_default_graph().add_to_collection(key, val)


def _collected(summary: Tensor, collections: Any, default: Sequence[str] = (GraphKeys.SUMMARIES,)) -> Tensor:
    collect(summary, collections, default)
    return summary
