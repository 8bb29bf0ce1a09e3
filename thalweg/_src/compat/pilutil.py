"""The functions of scipy.misc that SciPy 1.0 had and later ones dropped: reading, writing and resizing pictures by Pillow.

They are supplied to a running program by `thalweg run`; Pillow is imported by the first use.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise ImportError(
            "scipy.misc's picture functions need Pillow: pip install 'thalweg[image]', or pip install Pillow"
        ) from None
    return Image


def bytescale(data: Any, cmin: float | None = None, cmax: float | None = None, high: int = 255, low: int = 0) -> Any:
    """`data` scaled linearly from [cmin, cmax] (its own range unless given) to bytes in [low, high]; bytes stay as they are.

    Raises ValueError for limits that are not in order.
    """
    data = np.asarray(data)
    if data.dtype == np.uint8:
        return data
    if high > 255 or low < 0 or high < low:
        raise ValueError("`low` and `high` must be in order and in [0, 255].")
    cmin = data.min() if cmin is None else cmin
    cmax = data.max() if cmax is None else cmax
    spread = cmax - cmin
    if spread < 0:
        raise ValueError("`cmax` should be larger than `cmin`.")
    scaled = (data - cmin) * (float(high - low) / (spread or 1)) + low
    return (np.clip(scaled, low, high) + 0.5).astype(np.uint8)


def toimage(
    arr: Any,
    high: int = 255,
    low: int = 0,
    cmin: float | None = None,
    cmax: float | None = None,
    pal: Any = None,
    mode: str | None = None,
    channel_axis: int | None = None,
) -> Any:
    """A Pillow picture of an array [h, w] or, with an axis of 3 or 4 channels, of three dimensions.

    Raises ValueError for other shapes.
    """
    image = _pillow()
    data = np.asarray(arr)
    if np.iscomplexobj(data):
        raise ValueError("Cannot convert a complex-valued array.")
    if data.ndim == 2:
        if mode == "F":
            return image.fromarray(data.astype(np.float32))
        if mode == "I":
            return image.fromarray(data.astype(np.int32))
        picture = image.fromarray(bytescale(data, cmin, cmax, high, low))
        if pal is not None:
            picture.putpalette(np.asarray(pal, np.uint8).tobytes())
        return picture.convert(mode) if mode in ("1", "P") and picture.mode != mode else picture
    if data.ndim != 3 or not {3, 4} & set(data.shape):
        raise ValueError("'arr' does not have a suitable array shape for any mode.")
    if channel_axis is None:
        wanted = 3 if 3 in data.shape else 4
        channel_axis = [i for i, n in enumerate(data.shape) if n == wanted][-1 if data.shape[-1] == wanted else 0]
    channels = np.moveaxis(bytescale(data, cmin, cmax, high, low), channel_axis, -1)
    return image.fromarray(np.ascontiguousarray(channels), mode or ("RGB" if channels.shape[-1] == 3 else "RGBA"))


def fromimage(im: Any, flatten: bool = False, mode: str | None = None) -> np.ndarray:
    """The array of a Pillow picture; `flatten` gives one channel of floating numbers."""
    if mode is not None and mode != im.mode:
        im = im.convert(mode)
    elif im.mode == "P":
        im = im.convert("RGBA" if "transparency" in im.info else "RGB")
    elif im.mode == "1":
        im = im.convert("L")
    return np.array(im.convert("F") if flatten else im)


def imread(name: Any, flatten: bool = False, mode: str | None = None) -> np.ndarray:
    """A picture file as an array of bytes [h, w] or [h, w, channels]."""
    with _pillow().open(name) as picture:
        return fromimage(picture, flatten=flatten, mode=mode)


def imsave(name: Any, arr: Any, format: str | None = None) -> None:
    """Write an array as a picture file, scaled to bytes."""
    picture = toimage(arr, channel_axis=2) if np.ndim(arr) == 3 and np.shape(arr)[2] in (3, 4) else toimage(arr)
    picture.save(name) if format is None else picture.save(name, format)


def imresize(arr: Any, size: Any, interp: str = "bilinear", mode: str | None = None) -> np.ndarray:
    """A picture in another size: a percentage (int), a fraction (float), or (height, width)."""
    picture = toimage(arr, mode=mode)
    if isinstance(size, int | np.integer):
        new = tuple((np.array(picture.size) * (size / 100.0)).astype(int))
    elif isinstance(size, float | np.floating):
        new = tuple((np.array(picture.size) * size).astype(int))
    else:
        new = (size[1], size[0])
    return fromimage(picture.resize(tuple(int(n) for n in new), resample=_resampling(interp)))


def imrotate(arr: Any, angle: float, interp: str = "bilinear") -> np.ndarray:
    """A picture turned counter-clockwise by `angle` degrees, in its own size."""
    return fromimage(toimage(arr).rotate(angle, resample=_resampling(interp)))


def imshow(arr: Any) -> None:
    """Show a picture in the system's viewer."""
    toimage(arr).show()


def _resampling(name: str) -> Any:
    known = {
        "nearest": "NEAREST",
        "lanczos": "LANCZOS",
        "bilinear": "BILINEAR",
        "bicubic": "BICUBIC",
        "cubic": "BICUBIC",
    }
    if name not in known:
        raise ValueError(f"interp must be one of {sorted(known)}, not {name!r}")
    return getattr(_pillow().Resampling, known[name])
