"""tf.estimator.WarmStartSettings: which variables start from which checkpoint."""

from __future__ import annotations

import collections
import os
from typing import Any

from thalweg._src.lib.io import file_io
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saved_model import constants


class WarmStartSettings(
    collections.namedtuple(
        "WarmStartSettings",
        ["ckpt_to_initialize_from", "vars_to_warm_start", "var_name_to_vocab_info", "var_name_to_prev_var_name"],
    )
):
    """The arguments of tf.train.warm_start. Raises ValueError without a checkpoint."""

    def __new__(
        cls,
        ckpt_to_initialize_from: Any,
        vars_to_warm_start: Any = ".*",
        var_name_to_vocab_info: Any = None,
        var_name_to_prev_var_name: Any = None,
    ) -> WarmStartSettings:
        if not ckpt_to_initialize_from:
            raise ValueError("`ckpt_to_initialize_from` MUST be set in WarmStartSettings")
        return super().__new__(
            cls,
            ckpt_to_initialize_from,
            vars_to_warm_start,
            var_name_to_vocab_info or {},
            var_name_to_prev_var_name or {},
        )


def warm_start_settings(warm_start_from: Any) -> WarmStartSettings | None:
    """The settings for a checkpoint, a SavedModel or settings. Raises ValueError for other things."""
    if warm_start_from is None or isinstance(warm_start_from, WarmStartSettings):
        return warm_start_from
    if not isinstance(warm_start_from, str | bytes):
        raise ValueError(
            f"warm_start_from must be a string or a WarmStartSettings, instead got {type(warm_start_from)}"
        )
    folder = os.path.join(os.fsdecode(warm_start_from), constants.VARIABLES_DIRECTORY, constants.VARIABLES_FILENAME)
    if file_io.file_exists(folder + ".index"):
        log.info("Warm-starting from a SavedModel")
        return WarmStartSettings(ckpt_to_initialize_from=folder)
    return WarmStartSettings(ckpt_to_initialize_from=warm_start_from)
