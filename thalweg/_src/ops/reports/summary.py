"""Summaries: ops that turn values into serialized Summary messages, for event files."""

from typing import Any

import numpy as np

from thalweg._src.core import errors
from thalweg._src.core.dtypes import REALS, float16, float32, float64, string, uint8
from thalweg._src.core.opdef import Many, Min, TensorValue, op, type_attr

R = type_attr("T", REALS)
H = type_attr("T", REALS, float32)
I = type_attr("T", (uint8, float32, float16, float64), float32)
T = type_attr("T")


def _serialized(summary: Any) -> np.ndarray:
    return np.array(summary.SerializeToString(), object)


def tag_of(tag: np.ndarray, what: str = "tags") -> str:
    """The text of a tag. Raises InvalidArgumentError for more than one."""
    if tag.size != 1 or tag.ndim > 1:
        raise errors.InvalidArgumentError(None, None, f"{what} must be a scalar, got the shape {list(tag.shape)}")
    return tag.item().decode("utf-8", "surrogateescape")


@op("ScalarSummary", host=True, foldable=False)
def scalar_summary(tags: string, values: R) -> string:
    """One number under each tag."""
    from thalweg._src.formats import protos

    if tags.shape != values.shape and not (tags.size == values.size == 1 and tags.ndim < 2 and values.ndim < 2):
        one = f" (tag '{tag_of(tags)}')" if tags.size == 1 else ""
        raise errors.InvalidArgumentError(
            None, None, f"tags and values not the same shape: {list(tags.shape)} != {list(values.shape)}{one}"
        )
    summary = protos.Summary()
    for tag, value in zip(tags.flat, values.flat, strict=True):
        summary.value.add(tag=tag, simple_value=float(value))
    return _serialized(summary)


@op("HistogramSummary", host=True, foldable=False)
def histogram_summary(tag: string, values: H, *, ctx: Any) -> string:
    """The distribution of `values`. What is not finite raises InvalidArgumentError."""
    return _serialized(of_histogram(tag_of(tag), values, ctx.op.name))


def of_histogram(tag: str, values: np.ndarray, name: str) -> Any:
    """The Summary of the distribution of `values`. Raises InvalidArgumentError, which names `name`, for what is not finite."""
    from thalweg._src.formats import histogram, protos

    values = values.astype(np.float64)
    if not np.isfinite(values).all():
        what = "Nan" if np.isnan(values).any() else "Infinity"
        raise errors.InvalidArgumentError(None, None, f"{what} in summary histogram for: {name}")
    summary = protos.Summary()
    histogram.fill(summary.value.add(tag=tag).histo, values)
    return summary


_RED = np.array([255, 0, 0, 255], np.uint8)


@op("ImageSummary", host=True, foldable=False)
def image_summary(tag: string, tensor: I, *, max_images: Min(int, 1) = 3, bad_color: TensorValue = _RED) -> string:
    """Up to `max_images` pictures as PNG; `tensor` is [batch, height, width, 1, 3 or 4 channels]."""
    return _serialized(of_images(tag_of(tag), tensor, max_images, bad_color))


def of_images(tag: str, tensor: np.ndarray, most: int, bad_color: np.ndarray) -> Any:
    """The Summary of up to `most` pictures. Raises InvalidArgumentError for what are no pictures."""
    from thalweg._src.formats import png, protos

    if tensor.ndim != 4 or tensor.shape[3] not in (1, 3, 4):
        raise errors.InvalidArgumentError(
            None, None, f"Tensor must be 4-D with last dim 1, 3, or 4, not {list(tensor.shape)}"
        )
    if 0 in tensor.shape[1:]:
        raise errors.InvalidArgumentError(
            None, None, f"input tensor must have non-zero dims. Found: {list(tensor.shape)}."
        )
    summary = protos.Summary()
    for i, image in enumerate(tensor[:most]):
        value = summary.value.add(tag=f"{tag}/image/{i}" if most > 1 else f"{tag}/image")
        value.image.height, value.image.width, value.image.colorspace = image.shape
        pixels = image if image.dtype == np.uint8 else as_pixels(image, bad_color)
        value.image.encoded_image_string = png.write_png(pixels)
    return summary


def as_pixels(image: np.ndarray, bad_color: np.ndarray) -> np.ndarray:
    """`image` [height, width, channels] scaled to 0 ... 255.

    Without negative values the largest becomes 255; otherwise zero becomes 128 and the largest magnitude 127 away from
    it. Pixels that are not finite get `bad_color`.
    """
    channels = image.shape[2]
    if bad_color.size < channels:
        raise errors.InvalidArgumentError(
            None, None, f"expected depth <= bad_color.size, got depth = {channels}, bad_color.size = {bad_color.size}"
        )
    good = np.isfinite(image).all(axis=2)
    values = image[good].astype(np.float32)
    low, high = (values.min(), values.max()) if values.size else (np.float32(np.inf), np.float32(-np.inf))
    kind = image.dtype.type
    if low < 0:
        largest = max(abs(low), abs(high))
        scale, offset = kind(0 if largest < 1e-6 else np.float32(127) / largest), kind(128)
    else:
        scale, offset = kind(0 if high < 1e-6 else np.float32(255) / high), kind(0)
    out = np.empty(image.shape, np.uint8)
    out[good] = (image[good] * scale + offset).astype(np.uint8)
    out[~good] = bad_color[:channels]
    return out


def of_sounds(tag: str, tensor: np.ndarray, rate: float, most: int) -> Any:
    """The Summary of up to `most` sounds. Raises InvalidArgumentError for what are no sounds."""
    from thalweg._src.formats import protos, wav

    if tensor.ndim not in (2, 3):
        raise errors.InvalidArgumentError(None, None, f"Tensor must be 3-D or 2-D, got: {list(tensor.shape)}")
    if not rate > 0:
        raise errors.InvalidArgumentError(None, None, f"sample_rate must be > 0, got {rate}")
    summary = protos.Summary()
    for i, sound in enumerate(tensor[:most]):
        sound = sound if sound.ndim == 2 else sound[:, None]
        value = summary.value.add(tag=f"{tag}/audio/{i}" if most > 1 else f"{tag}/audio")
        value.audio.sample_rate, value.audio.content_type = rate, "audio/wav"
        value.audio.length_frames, value.audio.num_channels = sound.shape
        value.audio.encoded_audio_string = wav.write_wav(sound, max(1, round(rate)))
    return summary


@op("AudioSummary", host=True, foldable=False)
def audio_summary(tag: string, tensor: float32, *, sample_rate: float, max_outputs: Min(int, 1) = 3) -> string:
    """Up to `max_outputs` sounds as WAV; the form of TensorFlow 0.x."""
    return _serialized(of_sounds(tag_of(tag, "Tag"), tensor, sample_rate, max_outputs))


@op("AudioSummaryV2", host=True, foldable=False)
def audio_summary_v2(tag: string, tensor: float32, sample_rate: float32, *, max_outputs: Min(int, 1) = 3) -> string:
    """Up to `max_outputs` sounds as WAV; `tensor` is [batch, frames] or [batch, frames, channels]."""
    return _serialized(of_sounds(tag_of(tag, "Tag"), tensor, float(sample_rate), max_outputs))


def _tensor_proto(tensor: np.ndarray, dtype: Any) -> Any:
    from thalweg._src.formats import tensors

    return tensors.to_proto(tensor, dtype.as_datatype_enum)


@op("TensorSummary", host=True, foldable=False)
def tensor_summary(
    tensor: T, *, T: T, description: str = "", labels: list[str] = (), display_name: str = "", ctx: Any
) -> string:
    """A tensor of any type under the name of its node; the form of TensorFlow 1.0."""
    from thalweg._src.formats import protos

    summary = protos.Summary()
    summary.value.add(node_name=ctx.op.name).tensor.CopyFrom(_tensor_proto(tensor, T))
    return _serialized(summary)


@op("TensorSummaryV2", host=True, foldable=False)
def tensor_summary_v2(tag: string, tensor: T, serialized_summary_metadata: string, *, T: T) -> string:
    """A tensor of any type, with the metadata that say which plugin shows it."""
    return _serialized(of_tensor(tag_of(tag, "tag"), tensor, T, serialized_summary_metadata.item()))


def of_tensor(tag: str, tensor: np.ndarray, dtype: Any, metadata: bytes) -> Any:
    """The Summary of a tensor of any type, with its serialized metadata."""
    from thalweg._src.formats import protos

    summary = protos.Summary()
    value = summary.value.add(tag=tag)
    value.tensor.CopyFrom(_tensor_proto(tensor, dtype))
    value.metadata.ParseFromString(metadata)
    return summary


@op("MergeSummary", host=True, foldable=False)
def merge_summary(inputs: Many(string, "N", 1)) -> string:
    """All values of the summaries. A tag that comes twice raises InvalidArgumentError."""
    from google.protobuf.message import DecodeError

    from thalweg._src.formats import protos

    merged, tags = protos.Summary(), set()
    for part in inputs:
        for data in part.flat:
            try:
                values = protos.Summary.FromString(data).value
            except DecodeError:
                raise errors.InvalidArgumentError(None, None, "Could not parse one of the summary inputs") from None
            for value in values:
                if value.tag and value.tag in tags:
                    raise errors.InvalidArgumentError(None, None, f"Duplicate tag {value.tag} found in summary inputs")
                tags.add(value.tag)
                merged.value.add().CopyFrom(value)
    return _serialized(merged)


for _op in (
    *(scalar_summary, histogram_summary, image_summary, audio_summary, audio_summary_v2),
    *(tensor_summary, tensor_summary_v2, merge_summary),
):
    _op.shape_rule(lambda op: [()])
    _op.not_differentiable()
