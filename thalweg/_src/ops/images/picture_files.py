"""Pictures as strings: decoding and encoding PNG, JPEG, GIF and BMP, in the run, on the host."""

from typing import Any

import numpy as np

from thalweg._src.core import errors, infer, shapes
from thalweg._src.core.apply import check
from thalweg._src.core.dtypes import int32, int64, string, uint8, uint16
from thalweg._src.core.opdef import Enum, op, type_attr
from thalweg._src.formats import bmp, gif, pictures, png
from thalweg._src.formats.errors import FormatError
from thalweg._src.ops.text.strings import texts

D = type_attr("dtype", (uint8, uint16), uint8)
E = type_attr("T", (uint8, uint16), uint8)
SHAPE_TYPE = type_attr("output_type", (int32, int64), int32)


def _bytes(contents: Any) -> bytes:
    check(contents.ndim == 0, lambda: f"contents must be scalar, got shape {list(contents.shape)}")
    return contents.item()


_KINDS = {"UNIMPLEMENTED": errors.UnimplementedError, "RESOURCE_EXHAUSTED": errors.ResourceExhaustedError}


def _formatted(call: Any, data: bytes = b"") -> Any:
    """What `call` gives; its errors as those of a run, which name the file that `data` is the content of."""
    try:
        return call()
    except FormatError as error:
        source = getattr(data, "source", "")
        kind = _KINDS.get(error.code, errors.InvalidArgumentError)
        raise kind(None, None, f"{source}: {error}" if source else str(error)) from None


def _decoded(data: bytes, channels: int, bits: int = 8, *, animated: bool = False, **how: Any) -> Any:
    """The picture in `data`, whatever its format: each of TensorFlow's decoders but BMP's takes all three."""
    check(channels in (0, 1, 3, 4), lambda: f"channels must be 0, 1, 3, or 4, got {channels}")
    kind = pictures.format_of(data)
    if not kind:
        what = f"unknown format starting with {data[:16]!r}" if data else "empty file"
        raise errors.InvalidArgumentError(None, None, f"Expected image (JPEG, PNG, or GIF), got {what}")
    check(kind == "PNG" or bits == 8, f"{kind} does not support uint16 output")
    if kind == "GIF":
        check(channels in (0, 3), lambda: f"channels must be 0 or 3 for GIF, got {channels}")
        frames = _formatted(lambda: gif.read_gif(data), data)
        check(
            animated or len(frames) == 1,
            lambda: (
                f"Got {len(frames)} frames, but animated gifs can only be decoded by tf.image.decode_gif or "
                "tf.image.decode_image"
            ),
        )
        return frames if animated else frames[0]
    if kind == "JPEG":
        check(channels != 4, "channels must be 0, 1, or 3 for JPEG, got 4")
        image = _formatted(lambda: pictures.read_jpeg(data, channels, **how), data)
    else:
        image = _formatted(lambda: pictures.read_png(data, channels, bits), data)
    return image[None] if animated else image


def _check_jpeg_attrs(ratio: int, dct_method: str) -> None:
    check(ratio in (1, 2, 4, 8), lambda: f"ratio must be 1, 2, 4, or 8, got {ratio}")
    check(
        dct_method in ("", "INTEGER_FAST", "INTEGER_ACCURATE"),
        "dct_method must be one of {'', 'INTEGER_FAST', 'INTEGER_ACCURATE'}",
    )


@op("DecodeJpeg", host=True)
def decode_jpeg(
    contents: string,
    *,
    channels: int = 0,
    ratio: int = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1.0,
    dct_method: str = "",
) -> uint8:
    """uint8[height, width, channels] of a JPEG (PNGs and still GIFs are taken too); `channels` 0 means the file's own.

    Without the package simplejpeg the cosine transform is the accurate one and colours are smoothed, whatever the attrs say.
    Raises InvalidArgumentError in the run.
    """
    _check_jpeg_attrs(ratio, dct_method)
    how = _how(ratio, try_recover_truncated, dct_method, fancy_upscaling)
    return _decoded(_bytes(contents), channels, **how)


def _how(ratio: int, recover: bool, dct_method: str, fancy: bool) -> dict[str, Any]:
    """What `pictures.read_jpeg` is told."""
    return {"ratio": ratio, "recover": recover, "fast": dct_method != "INTEGER_ACCURATE", "fancy": fancy}


@op("DecodeAndCropJpeg", host=True)
def decode_and_crop_jpeg(
    contents: string,
    crop_window: int32,
    *,
    channels: int = 0,
    ratio: int = 1,
    fancy_upscaling: bool = True,
    try_recover_truncated: bool = False,
    acceptable_fraction: float = 1.0,
    dct_method: str = "",
) -> uint8:
    """The part of a JPEG that `crop_window` (y, x, height, width) tells."""
    _check_jpeg_attrs(ratio, dct_method)
    check(crop_window.shape == (4,), lambda: f"crop_size must have four elements {list(crop_window.shape)}")
    how = _how(ratio, try_recover_truncated, dct_method, fancy_upscaling)
    image = _decoded(_bytes(contents), channels, **how)
    y, x, height, width = (int(n) for n in crop_window)
    check(
        min(y, x) >= 0 and min(height, width) > 0 and y + height <= image.shape[0] and x + width <= image.shape[1],
        "Invalid JPEG data or crop window",
    )
    return image[y : y + height, x : x + width]


@op("DecodePng", host=True)
def decode_png(contents: string, *, channels: int = 0, dtype: D = uint8) -> D:
    """uint8 or uint16 [height, width, channels] of a PNG (JPEGs and still GIFs are taken too); 0 means the file's own channels."""
    return _decoded(_bytes(contents), channels, 16 if dtype == uint16 else 8)


@op("DecodeGif", host=True)
def decode_gif(contents: string) -> uint8:
    """uint8[frames, height, width, 3] of a GIF; transparency is ignored."""
    return _decoded(_bytes(contents), 0 if pictures.format_of(_bytes(contents)) == "GIF" else 3, animated=True)


@op("DecodeBmp", host=True)
def decode_bmp(contents: string, *, channels: int = 0) -> uint8:
    """uint8[height, width, channels] of an uncompressed BMP."""
    return _formatted(lambda: bmp.read_bmp(_bytes(contents), channels), _bytes(contents))


@op("ExtractJpegShape", host=True)
def extract_jpeg_shape(contents: string, *, output_type: SHAPE_TYPE = int32) -> SHAPE_TYPE:
    """(height, width, channels) of a JPEG, from its header."""
    return np.array(_formatted(lambda: pictures.jpeg_shape(_bytes(contents)), _bytes(contents)), output_type._as_numpy)


# -- encoding


@op("EncodePng", host=True)
def encode_png(image: E, *, compression: int = -1) -> string:
    """The PNG of uint8 or uint16 [height, width, 1 to 4 channels]."""
    check(image.ndim == 3, lambda: f"image must be 3-dimensional{list(image.shape)}")
    check(1 <= image.shape[2] <= 4, lambda: f"image must have 1, 2, 3, or 4 channels, got {image.shape[2]}")
    try:
        return texts([png.write_png(image, compression)], ())
    except ValueError as error:
        raise errors.InternalError(None, None, f"PNG encoding failed: {error}") from None


def _jpeg(image: Any, quality: int, **how: Any) -> Any:
    check(0 <= quality <= 100, lambda: f"quality must be in [0,100], got {quality}")
    return texts([_formatted(lambda: pictures.write_jpeg(image, quality=quality, **how))], ())


def _jpeg_image(image: Any, format: str) -> None:
    check(image.ndim == 3, lambda: f"image must be 3-dimensional{list(image.shape)}")
    wanted = {"grayscale": (1,), "rgb": (3,), "": (1, 3)}[format]
    check(
        image.shape[2] in wanted,
        lambda: f"image must have {' or '.join(map(str, wanted))} channels, got {list(image.shape)}",
    )


@op("EncodeJpeg", host=True)
def encode_jpeg(
    image: uint8,
    *,
    format: Enum("", "grayscale", "rgb") = "",
    quality: int = 95,
    progressive: bool = False,
    optimize_size: bool = False,
    chroma_downsampling: bool = True,
    density_unit: Enum("in", "cm") = "in",
    x_density: int = 300,
    y_density: int = 300,
    xmp_metadata: str = "",
) -> string:
    """The JPEG of uint8[height, width, 1 or 3 channels]."""
    _jpeg_image(image, format)
    inch = 2.54 if density_unit == "cm" else 1
    return _jpeg(
        *(image, quality),
        progressive=progressive,
        optimize=optimize_size,
        downsample=chroma_downsampling,
        density=(round(x_density * inch), round(y_density * inch)),
        xmp=xmp_metadata.encode() if isinstance(xmp_metadata, str) else xmp_metadata,
    )


@op("EncodeJpegVariableQuality", host=True)
def encode_jpeg_variable_quality(images: uint8, quality: int32) -> string:
    """As EncodeJpeg, with a quality that is computed."""
    _jpeg_image(images, "")
    check(quality.ndim == 0, lambda: f"quality must be scalar: {list(quality.shape)}")
    return _jpeg(images, int(quality))


# -- shapes


def _channels(op):
    shapes.of_rank(op.inputs[0].dims, 0)
    channels = op.attrs["channels"]
    if channels < 0:
        raise ValueError(f"channels must be non-negative, got {channels}")
    return channels or None


for _decode in (decode_jpeg, decode_png, decode_bmp):
    _decode.shape_rule(lambda op: [(None, None, _channels(op))])


@decode_and_crop_jpeg.shape_rule
def _(op):
    channels = _channels(op)
    (four,) = shapes.of_rank(op.inputs[1].dims, 1)
    if four not in (None, 4):
        raise ValueError(f"Dimension must be 4 but is {four}")
    window = infer.constant_value(op.inputs[1])
    return [(*((None, None) if window is None else (int(n) for n in window[2:])), channels)]


@decode_gif.shape_rule
def _(op):
    shapes.of_rank(op.inputs[0].dims, 0)
    return [(None, None, None, 3)]


@extract_jpeg_shape.shape_rule
def _(op):
    shapes.of_rank(op.inputs[0].dims, 0)
    return [(3,)]


for _encode in (encode_png, encode_jpeg, encode_jpeg_variable_quality):

    @_encode.shape_rule
    def _(op):
        shapes.of_rank(op.inputs[0].dims, 3)
        return [()]


for _op in (
    *(decode_jpeg, decode_and_crop_jpeg, decode_png, decode_gif, decode_bmp, extract_jpeg_shape),
    *(encode_png, encode_jpeg, encode_jpeg_variable_quality),
):
    _op.not_differentiable()
