"""tf.estimator exporters: SavedModels made while train_and_evaluate runs, each time, at the end, or when it gets better."""

from __future__ import annotations

import os
from typing import Any

from thalweg._src.core import errors
from thalweg._src.lib.estimators.modes import fn_args
from thalweg._src.lib.io import file_io
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.summary.writer import summary_iterator


class Exporter:
    """Makes something of an estimator after an evaluation."""

    @property
    def name(self) -> str:
        """The folder below `export`."""
        raise NotImplementedError

    def export(
        self, estimator: Any, export_path: Any, checkpoint_path: Any, eval_result: Any, is_the_final_export: bool
    ) -> Any:
        """Export, and give the path, or None."""
        raise NotImplementedError


class _SavedModels(Exporter):
    def __init__(self, name: str, serving_input_receiver_fn: Any, assets_extra: Any = None, as_text: bool = False):
        self._name, self._receiver, self._assets, self._as_text = name, serving_input_receiver_fn, assets_extra, as_text

    @property
    def name(self) -> str:
        return self._name

    def _save(self, estimator: Any, export_path: Any, checkpoint_path: Any) -> Any:
        return estimator.export_saved_model(
            export_path,
            self._receiver,
            assets_extra=self._assets,
            as_text=self._as_text,
            checkpoint_path=checkpoint_path,
        )


class FinalExporter(_SavedModels):
    """Exports once, at the end of the training."""

    def export(
        self, estimator: Any, export_path: Any, checkpoint_path: Any, eval_result: Any, is_the_final_export: bool
    ) -> Any:
        if not is_the_final_export:
            return None
        log.info("Performing the final export in the end of training.")
        return self._save(estimator, export_path, checkpoint_path)


class LatestExporter(_SavedModels):
    """Exports after each evaluation, and keeps the last ones. Raises ValueError for numbers below 1."""

    def __init__(
        self,
        name: str,
        serving_input_receiver_fn: Any,
        assets_extra: Any = None,
        as_text: bool = False,
        exports_to_keep: int | None = 5,
    ):
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text)
        self._keep = exports_to_keep
        if exports_to_keep is not None and exports_to_keep <= 0:
            raise ValueError("`exports_to_keep`, if provided, must be positive number")

    def export(
        self, estimator: Any, export_path: Any, checkpoint_path: Any, eval_result: Any, is_the_final_export: bool
    ) -> Any:
        made = self._save(estimator, export_path, checkpoint_path)
        remove_old_exports(export_path, self._keep)
        return made


def _loss_smaller(best_eval_result: Any, current_eval_result: Any) -> bool:
    for name, result in (("best_eval_result", best_eval_result), ("current_eval_result", current_eval_result)):
        if not result or "loss" not in result:
            raise ValueError(f"{name} cannot be empty or no loss is found in it.")
    return best_eval_result["loss"] > current_eval_result["loss"]


class BestExporter(_SavedModels):
    """Exports when `compare_fn(best_eval_result, current_eval_result)` says that the current one is better.

    The best so far is read from event files below the model's folder. Raises ValueError for other functions.
    """

    def __init__(
        self,
        name: str = "best_exporter",
        serving_input_receiver_fn: Any = None,
        event_file_pattern: str | None = "eval/*.tfevents.*",
        compare_fn: Any = _loss_smaller,
        assets_extra: Any = None,
        as_text: bool = False,
        exports_to_keep: int | None = 5,
    ):
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text)
        if compare_fn is None:
            raise ValueError("`compare_fn` must not be None.")
        wanted = ("best_eval_result", "current_eval_result")
        args = fn_args(compare_fn)
        for arg in wanted:
            if arg not in args:
                raise ValueError(f"compare_fn ({compare_fn}) must include {arg} argument.")
        unknown = [a for a in args if a not in wanted]
        if unknown:
            raise ValueError(f"compare_fn ({compare_fn}) has following not expected args: {unknown}")
        if exports_to_keep is not None and exports_to_keep <= 0:
            raise ValueError(f"`exports_to_keep`, if provided, must be a positive number. Got {exports_to_keep}")
        self._is_better, self._pattern, self._keep = compare_fn, event_file_pattern, exports_to_keep
        self._folder: Any = None
        self._best: Any = None

    def export(
        self, estimator: Any, export_path: Any, checkpoint_path: Any, eval_result: Any, is_the_final_export: bool
    ) -> Any:
        if self._folder != estimator.model_dir and self._pattern:
            log.info("Loading best metric from event files.")
            self._folder = estimator.model_dir
            self._best = self._read_best(os.path.join(self._folder, self._pattern))
        if self._best is not None and not self._is_better(best_eval_result=self._best, current_eval_result=eval_result):
            return None
        log.info("Performing best model export.")
        self._best = eval_result
        made = self._save(estimator, export_path, checkpoint_path)
        remove_old_exports(export_path, self._keep)
        return made

    def _read_best(self, pattern: str) -> Any:
        best = None
        for path in file_io.get_matching_files(pattern):
            for event in summary_iterator(path):
                result = {v.tag: v.simple_value for v in event.summary.value if v.HasField("simple_value")}
                if result and (best is None or self._is_better(best, result)):
                    best = result
        return best


def exports_below(folder: Any) -> list[tuple[str, int]]:
    """The (path, number) of exports, folders named by ten digits; none where there is no folder."""
    folder = os.fsdecode(folder)
    if not file_io.file_exists(folder):
        return []
    names = [name.rstrip("/") for name in file_io.list_directory(folder)]
    return [(os.path.join(folder, n), int(n)) for n in sorted(names) if len(n) == 10 and n.isdigit()]


def remove_old_exports(export_dir_base: Any, exports_to_keep: int | None) -> None:
    """Delete all but the `exports_to_keep` newest exports."""
    if exports_to_keep is None:
        return
    found = exports_below(export_dir_base)
    for path, _ in found[: max(len(found) - exports_to_keep, 0)]:
        try:
            file_io.delete_recursively(path)
        except errors.NotFoundError as error:
            log.warning("Can not delete %s recursively: %s", path, error)
