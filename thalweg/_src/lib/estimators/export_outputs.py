"""What a model gives when it is served: tf.estimator.export.*Output, and the signatures made of them."""

from __future__ import annotations

import os
import time
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Operation, Tensor, get_default_graph
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.io import file_io
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saved_model import constants, signatures
from thalweg._src.ops.arrays.constants import constant

SINGLE_FEATURE, SINGLE_RECEIVER, SINGLE_LABEL = "feature", "input", "label"
DEFAULT_SIGNATURE = constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY
TAGS = {ModeKeys.PREDICT: [constants.SERVING], ModeKeys.TRAIN: [constants.TRAINING], ModeKeys.EVAL: [constants.EVAL]}


def _named(outputs: Any, default: str, label: str) -> dict[str, Tensor]:
    found = {}
    for key, value in (outputs if isinstance(outputs, dict) else {default: outputs}).items():
        if isinstance(key, tuple):
            key = "/".join(key)
        if not isinstance(key, str):
            raise ValueError(f"{label} output key must be a string; got {key}.")
        if not isinstance(value, Tensor):
            raise ValueError(f"{label} output value must be a Tensor; got {value}.")
        found[key] = value
    return found


class ExportOutput:
    """A signature to be."""

    def as_signature_def(self, receiver_tensors: Any) -> Any:
        """The SignatureDef with these inputs. Raises ValueError where they do not fit."""
        raise NotImplementedError


def _only_string(receiver_tensors: dict[str, Any], kind: str) -> Any:
    values = list(receiver_tensors.values())
    if len(values) != 1 or dtypes.as_dtype(values[0].dtype) != dtypes.string:
        raise ValueError(f"{kind} input must be a single string Tensor; got {receiver_tensors}")
    return values[0]


class ClassificationOutput(ExportOutput):
    """Scores (floats), classes (strings), or both: [batch, classes]. Raises ValueError for other types."""

    def __init__(self, scores: Any = None, classes: Any = None):
        if scores is not None and not (isinstance(scores, Tensor) and scores.dtype.is_floating):
            raise ValueError(f"Classification scores must be a float32 Tensor; got {scores}")
        if classes is not None and not (isinstance(classes, Tensor) and classes.dtype.base_dtype == dtypes.string):
            raise ValueError(f"Classification classes must be a string Tensor; got {classes}")
        if scores is None and classes is None:
            raise ValueError("At least one of scores and classes must be set.")
        self._scores, self._classes = scores, classes

    @property
    def scores(self) -> Any:
        return self._scores

    @property
    def classes(self) -> Any:
        return self._classes

    def as_signature_def(self, receiver_tensors: Any) -> Any:
        examples = _only_string(receiver_tensors, "Classification")
        return signatures.classification_signature_def(examples, self.classes, self.scores)


class RegressionOutput(ExportOutput):
    """Floats, one for each example. Raises ValueError for other types."""

    def __init__(self, value: Any):
        if not (isinstance(value, Tensor) and value.dtype.is_floating):
            raise ValueError(f"Regression output value must be a float32 Tensor; got {value}")
        self._value = value

    @property
    def value(self) -> Any:
        return self._value

    def as_signature_def(self, receiver_tensors: Any) -> Any:
        return signatures.regression_signature_def(_only_string(receiver_tensors, "Regression"), self.value)


class PredictOutput(ExportOutput):
    """Any tensors by name; one alone is called "output". Raises ValueError for what is no tensor."""

    def __init__(self, outputs: Any):
        self._outputs = _named(outputs, "output", "Prediction")

    @property
    def outputs(self) -> dict[str, Tensor]:
        return self._outputs

    def as_signature_def(self, receiver_tensors: Any) -> Any:
        return signatures.predict_signature_def(receiver_tensors, self.outputs)


class SupervisedOutput(ExportOutput):
    """Loss, predictions and metrics, of a graph that trains or evaluates."""

    METHOD = ""

    def __init__(self, loss: Any = None, predictions: Any = None, metrics: Any = None):
        self.loss = None if loss is None else _prefixed(_named(loss, "loss", "loss"), "loss")
        self.predictions = (
            None if predictions is None else _prefixed(_named(predictions, "predictions", "predictions"), "predictions")
        )
        self.metrics = None if metrics is None else _metrics(metrics)

    def as_signature_def(self, receiver_tensors: Any) -> Any:
        outputs = {**(self.loss or {}), **(self.predictions or {}), **(self.metrics or {})}
        infos = {key: signatures.build_tensor_info(t) for key, t in outputs.items()}
        inputs = {key: signatures.build_tensor_info(t) for key, t in receiver_tensors.items()}
        return signatures.build_signature_def(inputs, infos, self.METHOD)


class TrainOutput(SupervisedOutput):
    """Of a graph that trains."""

    METHOD = "tensorflow/supervised/training"


class EvalOutput(SupervisedOutput):
    """Of a graph that evaluates."""

    METHOD = "tensorflow/supervised/eval"


def _prefixed(tensors: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {key if key.startswith(prefix) else f"{prefix}/{key}": value for key, value in tensors.items()}


def _metrics(metrics: Any) -> dict[str, Tensor]:
    found = {}
    for key, (value, update) in (metrics if isinstance(metrics, dict) else {"metrics": metrics}).items():
        key = "/".join(key) if isinstance(key, tuple) else key
        if not isinstance(key, str):
            raise ValueError(f"metrics output key must be a string; got {key}.")
        key = key if key.startswith("metrics") else f"metrics/{key}"
        if not isinstance(value, Tensor):
            raise ValueError(f"{key} output value must be a Tensor; got {value}.")
        if not isinstance(update, Tensor | Operation):
            raise ValueError(f"{key} update_op must be a Tensor or Operation; got {update}.")
        if isinstance(update, Operation):
            with get_default_graph().control_dependencies([update]):
                update = constant([], name="metric_op_wrapper")
        found[f"{key}/value"], found[f"{key}/update_op"] = value, update
    return found


def get_export_outputs(export_outputs: Any, predictions: Any) -> dict[str, ExportOutput]:
    """`export_outputs` with a default among them; made of `predictions` when None.

    Raises TypeError for other things, ValueError where none of several is the default.
    """
    if export_outputs is None:
        export_outputs = {DEFAULT_SIGNATURE: PredictOutput(predictions)}
    if not isinstance(export_outputs, dict):
        raise TypeError(f"export_outputs must be dict, given: {export_outputs}")
    for value in export_outputs.values():
        if not isinstance(value, ExportOutput):
            raise TypeError(f"Values in export_outputs must be ExportOutput objects. Given: {export_outputs}")
    if len(export_outputs) == 1:
        export_outputs.setdefault(DEFAULT_SIGNATURE, next(iter(export_outputs.values())))
    elif export_outputs and DEFAULT_SIGNATURE not in export_outputs:
        raise ValueError(
            "Multiple export_outputs were provided, but none of them is specified as the default.  Do this by naming one of "
            "them with signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY."
        )
    return export_outputs


def export_outputs_for_mode(mode: str, spec: Any) -> dict[str, ExportOutput]:
    """The outputs of an EstimatorSpec. Raises ValueError for other modes."""
    if mode == ModeKeys.PREDICT:
        return get_export_outputs(spec.export_outputs, spec.predictions)
    kinds: dict[str, tuple[str, type[SupervisedOutput]]] = {
        ModeKeys.TRAIN: ("train", TrainOutput),
        ModeKeys.EVAL: ("eval", EvalOutput),
    }
    if mode not in kinds:
        raise ValueError(f"Export output type not found for mode: {mode}. Expected one of: {list(TAGS)}.")
    key, kind = kinds[mode]
    return {key: kind(loss=spec.loss, predictions=spec.predictions, metrics=spec.eval_metric_ops)}


def build_all_signature_defs(
    receiver_tensors: Any,
    export_outputs: Any,
    receiver_tensors_alternatives: Any = None,
    serving_only: bool = True,
) -> dict[str, Any]:
    """{name: SignatureDef} of every output, with the inputs and with each alternative: those that can be served.

    Raises ValueError when `export_outputs` is no dict.
    """
    if export_outputs is None or not isinstance(export_outputs, dict):
        raise ValueError(f"export_outputs must be a dict and not{type(export_outputs)}")
    inputs: dict[str | None, Any] = {None: receiver_tensors}
    for name, tensors in (receiver_tensors_alternatives or {}).items():
        inputs[name or "None"] = tensors
    made, excluded = {}, {}
    for receiver, tensors in inputs.items():
        tensors = tensors if isinstance(tensors, dict) else {SINGLE_RECEIVER: tensors}
        for key, output in export_outputs.items():
            name = f"{key or 'None'}" if receiver is None else f"{receiver}:{key or 'None'}"
            try:
                made[name] = output.as_signature_def(tensors)
            except ValueError as error:
                excluded[name] = str(error)
    _report(made, excluded)
    return {k: s for k, s in made.items() if not serving_only or signatures.is_valid_signature(s)}


def _report(made: dict[str, Any], excluded: dict[str, str]) -> None:
    for word, method in (
        ("Classify", constants.CLASSIFY_METHOD_NAME),
        ("Regress", constants.REGRESS_METHOD_NAME),
        ("Predict", constants.PREDICT_METHOD_NAME),
        ("Train", TrainOutput.METHOD),
        ("Eval", EvalOutput.METHOD),
    ):
        names = [name for name, signature in made.items() if signature.method_name == method]
        log.info("Signatures INCLUDED in export for %s: %s", word, names or "None")
    if excluded:
        log.info("Signatures EXCLUDED from export because they cannot be be served via TensorFlow Serving APIs:")
        for name, why in excluded.items():
            log.info("'%s' : %s", name, why)
    if not made:
        log.warning("Export includes no signatures!")
    elif DEFAULT_SIGNATURE not in made:
        log.warning("Export includes no default signature!")


def get_timestamped_export_dir(export_dir_base: Any) -> bytes:
    """A folder below `export_dir_base` named by the time in seconds, not there yet. Raises RuntimeError after ten tries."""
    for attempt in range(1, 11):
        folder = os.path.join(os.fsencode(export_dir_base), str(int(time.time())).encode())
        if not file_io.file_exists(folder):
            return folder
        time.sleep(1)
        log.warning("Directory %s already exists; retrying (attempt %d/10)", folder, attempt)
    raise RuntimeError("Failed to obtain a unique export directory name after 10 attempts.")


def get_temp_export_dir(timestamped_export_dir: bytes) -> bytes:
    """Where an export is written before it gets its name."""
    folder, name = os.path.split(timestamped_export_dir)
    return os.path.join(folder, b"temp-" + name)
