"""When and what an experiment exports: strategies that write SavedModels of every checkpoint, or of the best."""

from __future__ import annotations

import collections
import os
import time
from typing import Any

from thalweg._src.contrib.learn.exporting import build_parsing_serving_input_fn
from thalweg._src.contrib.learn.modes import MetricKey
from thalweg._src.lib.checkpoint_management import latest_checkpoint
from thalweg._src.lib.estimators.estimator import Estimator as CoreEstimator
from thalweg._src.lib.estimators.exporters import remove_old_exports
from thalweg._src.lib.estimators.modes import fn_args
from thalweg._src.lib.estimators.receivers import build_parsing_serving_input_receiver_fn
from thalweg._src.lib.io import file_io
from thalweg._src.lib.summary.writer import summary_iterator


class ExportStrategy(collections.namedtuple("ExportStrategy", ["name", "export_fn", "strip_default_attrs"])):
    """A name and a function (estimator, folder, checkpoint_path, eval_result, strip_default_attrs) that exports.

    The last three are given to functions that take them. Raises ValueError for one that takes a result without its checkpoint.
    """

    def __new__(cls, name: str, export_fn: Any, strip_default_attrs: Any = None) -> ExportStrategy:
        return super().__new__(cls, name, export_fn, strip_default_attrs)

    def export(self, estimator: Any, export_path: Any, checkpoint_path: Any = None, eval_result: Any = None) -> Any:
        """Export, and give the path."""
        taken = fn_args(self.export_fn)
        if "eval_result" in taken and "checkpoint_path" not in taken:
            raise ValueError("An export_fn accepting eval_result must also accept checkpoint_path.")
        offered = {"checkpoint_path": checkpoint_path, "eval_result": eval_result}
        offered["strip_default_attrs"] = self.strip_default_attrs
        return self.export_fn(estimator, export_path, **{k: v for k, v in offered.items() if k in taken})


def make_export_strategy(
    serving_input_fn: Any,
    default_output_alternative_key: str | None = None,
    assets_extra: Any = None,
    as_text: bool = False,
    exports_to_keep: int | None = 5,
    strip_default_attrs: Any = None,
) -> ExportStrategy:
    """An ExportStrategy that writes SavedModels, and keeps the last ones."""

    def export_fn(
        estimator: Any, export_dir_base: Any, checkpoint_path: Any = None, strip_default_attrs: bool = False
    ) -> Any:
        how = {"assets_extra": assets_extra, "as_text": as_text, "checkpoint_path": checkpoint_path}
        if not isinstance(estimator, CoreEstimator):
            how["default_output_alternative_key"] = default_output_alternative_key
        elif default_output_alternative_key is not None:
            raise ValueError(
                "default_output_alternative_key is not supported in core Estimator. Given: "
                f"{default_output_alternative_key}"
            )
        how["strip_default_attrs"] = strip_default_attrs
        made = estimator.export_savedmodel(export_dir_base, serving_input_fn, **how)
        remove_old_exports(export_dir_base, exports_to_keep)
        return made

    return ExportStrategy("Servo", export_fn, strip_default_attrs)


def make_parsing_export_strategy(
    feature_columns: Any,
    default_output_alternative_key: str | None = None,
    assets_extra: Any = None,
    as_text: bool = False,
    exports_to_keep: int | None = 5,
    target_core: bool = False,
    strip_default_attrs: Any = None,
) -> ExportStrategy:
    """An ExportStrategy for serialized examples of the features of columns."""
    from thalweg._src.contrib.layers.column import create_feature_spec_for_parsing

    spec = create_feature_spec_for_parsing(feature_columns)
    build = build_parsing_serving_input_receiver_fn if target_core else build_parsing_serving_input_fn
    return make_export_strategy(
        build(spec), default_output_alternative_key, assets_extra, as_text, exports_to_keep, strip_default_attrs
    )


# -- the best


def _loses_less(best: Any, candidate: Any) -> bool:
    for name, result in (("curr_best_eval_result", best), ("cand_eval_result", candidate)):
        if not result or MetricKey.LOSS not in result:
            raise ValueError(f"{name} cannot be empty or no loss is found in it.")
    return bool(best[MetricKey.LOSS] > candidate[MetricKey.LOSS])


class BestModelSelector:
    """Remembers the best evaluation; `compare_fn(best, candidate)` tells whether the candidate is better.

    `event_file_pattern` names event files of earlier evaluations.
    """

    def __init__(self, event_file_pattern: Any = None, compare_fn: Any = None):
        self._better = compare_fn or _loses_less
        self._best = self._read(event_file_pattern) if event_file_pattern else None

    def _read(self, pattern: Any) -> Any:
        best = None
        for path in file_io.get_matching_files(pattern):
            for event in summary_iterator(path):
                if not event.HasField("summary"):
                    continue
                result = {v.tag: v.simple_value for v in event.summary.value if v.HasField("simple_value")}
                if best is None or self._better(best, result):
                    best = result
        return best

    def update(self, checkpoint_path: Any, eval_result: Any) -> tuple[Any, Any]:
        """The checkpoint and its evaluation if it is the best so far, else ("", None). Raises ValueError without them."""
        if not checkpoint_path:
            raise ValueError("Checkpoint path is empty.")
        if eval_result is None:
            raise ValueError(f"{checkpoint_path} has empty evaluation results.")
        if self._best is not None and not self._better(self._best, eval_result):
            return "", None
        self._best = eval_result
        return checkpoint_path, eval_result


def make_best_model_export_strategy(
    serving_input_fn: Any,
    exports_to_keep: int | None = 1,
    model_dir: Any = None,
    event_file_pattern: Any = None,
    compare_fn: Any = None,
    default_output_alternative_key: str | None = None,
    strip_default_attrs: Any = None,
) -> ExportStrategy:
    """An ExportStrategy that exports a checkpoint when it is better than all before."""
    each = make_export_strategy(
        serving_input_fn,
        exports_to_keep=exports_to_keep,
        default_output_alternative_key=default_output_alternative_key,
        strip_default_attrs=strip_default_attrs,
    )
    pattern = os.path.join(model_dir, event_file_pattern) if model_dir and event_file_pattern else None
    selector = BestModelSelector(pattern, compare_fn)

    def export_fn(estimator: Any, export_dir_base: Any, checkpoint_path: Any, eval_result: Any = None) -> Any:
        checkpoint_path = checkpoint_path or latest_checkpoint(estimator.model_dir)
        path, result = selector.update(checkpoint_path, eval_result)
        if not path or result is None:
            return ""
        return each.export(estimator, os.path.join(export_dir_base, os.path.basename(path)), path, result)

    return ExportStrategy("best_model", export_fn)


def extend_export_strategy(
    base_export_strategy: ExportStrategy, post_export_fn: Any, post_export_name: str | None = None
) -> ExportStrategy:
    """An ExportStrategy whose exports `post_export_fn(export, folder)` makes into others, below `folder`.

    Raises ValueError for one that writes elsewhere.
    """

    def export_fn(estimator: Any, export_dir_base: Any, checkpoint_path: Any = None) -> Any:
        now = int(time.time())
        first, second = (_new_folder(export_dir_base, f"temp-{kind}-export-{now}") for kind in ("base", "post"))
        exported = base_export_strategy.export(estimator, first, checkpoint_path)
        made = post_export_fn(exported, second)
        if not made.startswith(second):
            raise ValueError(f"post_export_fn must return a sub-directory of {second!r}")
        final = os.path.join(export_dir_base, os.path.relpath(made, second))
        if file_io.file_exists(final):
            raise RuntimeError("Failed to obtain final export directory")
        file_io.rename(made, final)
        for folder in (first, second):
            file_io.delete_recursively(folder)
        return final

    return ExportStrategy(post_export_name or base_export_strategy.name, export_fn)


def _new_folder(base: Any, name: str) -> Any:
    path = os.path.join(base, os.fsencode(name) if isinstance(base, bytes) else name)
    if file_io.file_exists(path):
        raise RuntimeError(f"Failed to obtain export directory {path!r}")
    file_io.recursive_create_dir(path)
    return path
