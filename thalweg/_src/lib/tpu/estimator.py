"""TPUEstimator: an Estimator whose functions are told the batch size, and whose metrics are a function and its tensors."""

from __future__ import annotations

import collections
import copy
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.lib.estimators.estimator import Estimator
from thalweg._src.lib.estimators.modes import ModeKeys, call_with, fn_args
from thalweg._src.lib.estimators.spec import EstimatorSpec
from thalweg._src.lib.hooks.hook import SessionRunArgs, SessionRunHook
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.tpu.config import RunConfig

RESERVED = ("batch_size", "context")


class TPUEstimatorSpec(
    collections.namedtuple(
        "TPUEstimatorSpec",
        [
            *("mode", "predictions", "loss", "train_op", "eval_metrics", "export_outputs", "scaffold_fn", "host_call"),
            *("training_hooks", "evaluation_hooks", "prediction_hooks"),
        ],
    )
):
    """EstimatorSpec for a TPU: `eval_metrics` and `host_call` are pairs of a function and the tensors that it gets.

    Raises ValueError for pairs of another form.
    """

    def __new__(
        cls,
        mode: str,
        predictions: Any = None,
        loss: Any = None,
        train_op: Any = None,
        eval_metrics: Any = None,
        export_outputs: Any = None,
        scaffold_fn: Any = None,
        host_call: Any = None,
        training_hooks: Any = None,
        evaluation_hooks: Any = None,
        prediction_hooks: Any = None,
    ) -> TPUEstimatorSpec:
        for name, pair in (("eval_metrics", eval_metrics), ("host_call", host_call)):
            if pair is not None:
                _check_pair(name, pair)
        return super().__new__(
            cls,
            *(mode, predictions, loss, train_op, eval_metrics, export_outputs, scaffold_fn, host_call),
            *(tuple(hooks or ()) for hooks in (training_hooks, evaluation_hooks, prediction_hooks)),
        )

    def as_estimator_spec(self) -> EstimatorSpec:
        """The same as an EstimatorSpec: the functions are called now, on their tensors."""
        metrics = _called(self.eval_metrics)
        hooks: list[SessionRunHook] = []
        if self.host_call is not None:
            made = _called(self.host_call)
            if isinstance(made, list | tuple) and len(made):
                hooks.append(_RunBeside(made))
        return EstimatorSpec(
            mode=self.mode,
            predictions=self.predictions,
            loss=self.loss,
            train_op=self.train_op,
            eval_metric_ops=metrics,
            export_outputs=self.export_outputs,
            scaffold=self.scaffold_fn() if self.scaffold_fn else None,
            training_hooks=(*self.training_hooks, *hooks),
            evaluation_hooks=(*self.evaluation_hooks, *hooks),
            prediction_hooks=(*self.prediction_hooks, *hooks),
        )


def _check_pair(name: str, pair: Any) -> None:
    if not isinstance(pair, list | tuple) or len(pair) != 2:
        raise ValueError(f"{name} should be a tuple of length 2: a function and its tensors, not {pair!r}.")
    function, tensors = pair
    if not callable(function):
        raise ValueError(f"{name}[0] should be callable.")
    if not isinstance(tensors, list | tuple | dict):
        raise ValueError(f"{name}[1] should be tuple or list, or dict.")
    wanted = fn_args(function)
    takes_any = len(wanted) == 0
    if isinstance(tensors, list | tuple) and not takes_any and len(tensors) > len(wanted):
        raise ValueError(
            f"In TPUEstimatorSpec.{name}, length of tensors {tensors} does not match method args {wanted}."
        )


def _called(pair: Any) -> Any:
    if pair is None:
        return None
    function, tensors = pair
    with scopes.device("/cpu:0"):
        return function(**tensors) if isinstance(tensors, dict) else function(*tensors)


class _RunBeside(SessionRunHook):
    """Runs what a `host_call` made with each step."""

    def __init__(self, fetches: Any):
        self._fetches = list(fetches)

    def before_run(self, run_context: Any) -> SessionRunArgs:
        return SessionRunArgs(self._fetches)


class TPUEstimator(Estimator):
    """An Estimator that puts the batch size of the mode into `params["batch_size"]` for both functions.

    The model runs as one shard on the device of this process, whatever XLA compiles for there; `use_tpu` is told to the model
    function as `params["use_tpu"]`. Raises ValueError for a config without `tpu_config`, for reserved names in `params`, and for
    batch sizes that are missing or below 1.
    """

    def __init__(
        self,
        model_fn: Any = None,
        model_dir: Any = None,
        config: RunConfig | None = None,
        params: Any = None,
        use_tpu: bool = True,
        train_batch_size: int | None = None,
        eval_batch_size: int | None = None,
        predict_batch_size: int | None = None,
        batch_axis: Any = None,
        eval_on_tpu: bool = True,
        export_to_tpu: bool = True,
        export_to_cpu: bool = True,
        warm_start_from: Any = None,
        embedding_config_spec: Any = None,
        export_saved_model_api_version: int = 1,
    ):
        if not isinstance(config, RunConfig):
            raise ValueError("`config` must be provided with type `tpu_config.RunConfig`")
        if params is not None and any(name in params for name in RESERVED):
            raise ValueError(f"{list(RESERVED)} are reserved keys but existed in params {params}.")
        if embedding_config_spec is not None:
            raise NotImplementedError("embedding_config_spec needs the embedding memory of a real TPU.")
        if use_tpu:
            if train_batch_size is None:
                raise ValueError("`train_batch_size` cannot be `None`")
            log.warning("use_tpu: the model runs as one shard on the device of this process.")
        sizes = {ModeKeys.TRAIN: train_batch_size, ModeKeys.EVAL: eval_batch_size, ModeKeys.PREDICT: predict_batch_size}
        for name, size in zip(("train", "eval", "predict"), sizes.values(), strict=True):
            if size is not None and size <= 0:
                raise ValueError(f"{name}_batch_size must be positive, got {size}")
        if use_tpu and eval_batch_size is None:
            sizes[ModeKeys.EVAL] = train_batch_size
        self._batch_sizes, self._use_tpu = sizes, use_tpu
        super().__init__(model_fn, model_dir, config, params, warm_start_from)

    def _told(self, mode: str) -> Any:
        """`params` for a function that is called in a mode."""
        told = copy.copy(self.params)
        for name, value in (("batch_size", self._batch_sizes.get(mode)), ("use_tpu", self._use_tpu)):
            if value is None:
                continue
            if hasattr(told, "set_hparam"):
                told.set_hparam(name, value) if name in told else told.add_hparam(name, value)
            else:
                told[name] = value
        return told

    def _call_input_fn(self, input_fn: Any, mode: str) -> Any:
        with scopes.device("/cpu:0"):
            return call_with(input_fn, {"mode": mode, "params": self._told(mode), "config": self.config})

    def _call_model_fn(self, features: Any, labels: Any, mode: str, config: Any) -> EstimatorSpec:
        offered = {"labels": labels, "mode": mode, "params": self._told(mode), "config": config}
        if labels is not None and "labels" not in fn_args(self._model_fn):
            raise ValueError("model_fn does not take labels, but input_fn returns labels.")
        spec = call_with(self._model_fn, offered, features=features)
        if isinstance(spec, TPUEstimatorSpec):
            return spec.as_estimator_spec()
        if not isinstance(spec, EstimatorSpec):
            raise ValueError("`model_fn` must return a `TPUEstimatorSpec` or an `EstimatorSpec`.")
        return spec
