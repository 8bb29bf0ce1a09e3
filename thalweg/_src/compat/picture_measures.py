"""How alike two pictures are, under the names of skimage.measure before 0.18."""

from typing import Any

import numpy as np


def _range_of(image: Any) -> float:
    """The range of values that old versions took where none was given: that of the type, [-1, 1] for floats."""
    kind = np.asarray(image).dtype
    return float(np.iinfo(kind).max - np.iinfo(kind).min) if kind.kind in "iu" else 2.0


def compare_ssim(
    X: Any,
    Y: Any,
    win_size: int | None = None,
    gradient: bool = False,
    data_range: float | None = None,
    multichannel: bool = False,
    gaussian_weights: bool = False,
    full: bool = False,
    **kwargs: Any,
) -> Any:
    """The structural similarity of two pictures; the last axis is one of colours when `multichannel`."""
    from skimage.metrics import structural_similarity

    return structural_similarity(
        X,
        Y,
        win_size=win_size,
        gradient=gradient,
        data_range=_range_of(X) if data_range is None else data_range,
        channel_axis=-1 if multichannel else None,
        gaussian_weights=gaussian_weights,
        full=full,
        **kwargs,
    )


def compare_psnr(im_true: Any, im_test: Any, data_range: float | None = None) -> float:
    """The signal-to-noise ratio of `im_test` in decibel."""
    from skimage.metrics import peak_signal_noise_ratio

    return peak_signal_noise_ratio(im_true, im_test, data_range=data_range)


def compare_mse(im1: Any, im2: Any) -> float:
    """The mean of squared differences."""
    from skimage.metrics import mean_squared_error

    return mean_squared_error(im1, im2)


def compare_nrmse(im_true: Any, im_test: Any, norm_type: str = "euclidean") -> float:
    """The root of the mean of squared differences, beside the picture's own size."""
    from skimage.metrics import normalized_root_mse

    return normalized_root_mse(im_true, im_test, normalization=norm_type.lower())
