"""The float type, the fuzz factor and the order of image axes that Keras layers take when none is given."""

from __future__ import annotations

from typing import Any

import numpy as np

_settings: dict[str, Any] = {"floatx": "float32", "epsilon": 1e-7, "image_data_format": "channels_last"}


def _one_of(value: Any, *allowed: str) -> str:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return str(value)


def floatx() -> str:
    return _settings["floatx"]


def set_floatx(value: str) -> None:
    _settings["floatx"] = _one_of(value, "float16", "float32", "float64")


def epsilon() -> float:
    return _settings["epsilon"]


def set_epsilon(value: float) -> None:
    _settings["epsilon"] = value


def image_data_format() -> str:
    return _settings["image_data_format"]


def set_image_data_format(data_format: str) -> None:
    _settings["image_data_format"] = _one_of(data_format, "channels_last", "channels_first")


def cast_to_floatx(x: Any) -> np.ndarray:
    """A NumPy array of the float type in force."""
    return np.asarray(x, dtype=floatx())
