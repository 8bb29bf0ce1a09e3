"""An Estimator out of a SavedModel: its graphs are the model function, its variables the start."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.graph import Graph, get_default_graph
from thalweg._src.core.shapes import TensorShape
from thalweg._src.lib.checkpoints import list_variables
from thalweg._src.lib.estimators import export_outputs as outputs
from thalweg._src.lib.estimators.estimator import Estimator
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.estimators.receivers import checked_tensors
from thalweg._src.lib.estimators.spec import EstimatorSpec
from thalweg._src.lib.estimators.warm import WarmStartSettings
from thalweg._src.lib.global_step import assert_global_step, get_global_step
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saved_model import constants
from thalweg._src.lib.saved_model.loader import SavedModelLoader, get_init_op
from thalweg._src.lib.scaffold import Scaffold

_METHODS = {ModeKeys.TRAIN: outputs.TrainOutput.METHOD, ModeKeys.EVAL: outputs.EvalOutput.METHOD}
_OF_EXPORTS = (constants.ASSETS_KEY, constants.LEGACY_INIT_OP_KEY, constants.MAIN_OP_KEY, constants.TRAIN_OP_KEY)


class SavedModelEstimator(Estimator):
    """Trains, evaluates and predicts with the graphs that `experimental_export_all_saved_models` wrote, as far as they are there.

    Raises RuntimeError for a mode that was not exported, ValueError for features or labels that the graph does not expect.
    """

    def __init__(self, saved_model_dir: Any, model_dir: Any = None):
        self.saved_model_dir, self.saved_model_loader = saved_model_dir, SavedModelLoader(saved_model_dir)
        checkpoint = self.saved_model_loader.variables_path
        start = WarmStartSettings(checkpoint, [name for name, _ in list_variables(checkpoint)])
        super().__init__(self._model_fn_from_saved_model, model_dir, warm_start_from=start)
        self._signatures = {mode: s for mode in outputs.TAGS if (s := self._signature(mode)) is not None}
        log.info("Available modes for Estimator: %s", list(self._signatures))

    def _signature(self, mode: str) -> Any:
        """The SignatureDef of a mode, or None."""
        try:
            meta = self.saved_model_loader.get_meta_graph_def_from_tags(outputs.TAGS[mode])
        except RuntimeError:
            log.warning("%s mode not found in SavedModel.", mode)
            return None
        key = outputs.DEFAULT_SIGNATURE if mode == ModeKeys.PREDICT else mode
        if key not in meta.signature_def:
            log.warning("Metagraph for mode %s was found, but SignatureDef with key %r is missing.", mode, key)
            return None
        return meta.signature_def[key]

    def _create_and_assert_global_step(self, graph: Graph) -> Any:
        return None  # it comes with the graph that is loaded

    def _model_fn_from_saved_model(self, features: Any, labels: Any, mode: str) -> EstimatorSpec:
        if mode not in self._signatures:
            raise RuntimeError(
                f"{mode} mode is not available in the SavedModel. Use saved_model_cli to check that the Metagraph for this mode "
                "has been exported."
            )
        graph = get_default_graph()
        if get_global_step(graph) is not None:
            raise RuntimeError(
                "Graph must not contain a global step tensor before the SavedModel is loaded. Please make sure that the input "
                "function does not create a global step."
            )
        signature = self._signatures[mode]
        keys = list(signature.outputs)
        _, found = self.saved_model_loader.load_graph(
            graph,
            outputs.TAGS[mode],
            input_map=_replaced(signature.inputs, features, labels),
            return_elements=[signature.outputs[key].name for key in keys],
        )
        meta = self.saved_model_loader.get_meta_graph_def_from_tags(outputs.TAGS[mode])
        scaffold = Scaffold(local_init_op=get_init_op(meta))
        assert_global_step(get_global_step(graph))
        loss, predictions, metrics = _parts(mode, dict(zip(keys, found, strict=True)), signature.method_name)
        train_ops = scopes.get_collection(constants.TRAIN_OP_KEY)
        if len(train_ops) > 1:
            raise RuntimeError("Multiple ops found in the train_op collection.")
        for key in _OF_EXPORTS:  # an export of this estimator fills them again
            graph.clear_collection(key)
        return EstimatorSpec(mode, predictions, loss, train_ops[0] if train_ops else None, metrics, scaffold=scaffold)


def _replaced(inputs: Any, features: Any, labels: Any) -> dict[str, Any]:
    """{name in the saved graph: the tensor in its place}."""
    given = dict(checked_tensors(features, "feature"))
    if labels is not None:
        given = {**checked_tensors(labels, "label"), **given}
    found = {}
    for key, info in inputs.items():
        if key not in given:
            raise ValueError(
                f'Key "{key}" not found in features or labels passed in to the model function. All required keys: '
                f"{inputs.keys()}"
            )
        _check_fits(given[key], info, key)
        name = info.name.partition(":")[0]
        found[name] = found["^" + name] = given[key]
    return found


def _check_fits(tensor: Any, info: Any, key: str) -> None:
    dtype, shape = dtypes.as_dtype(info.dtype), TensorShape(info.tensor_shape)
    message = ""
    if tensor.dtype != dtype:
        message += f"\n\tExpected dtype: {dtype}, Got: {tensor.dtype}"
    if not tensor.shape.is_compatible_with(shape):
        message += f"\n\tExpected shape: {shape}, Got: {tensor.shape}"
    if message:
        raise ValueError(f"Tensor shape and/or dtype validation failed for input {key}:{message}")


def _parts(mode: str, tensors: dict[str, Any], method: str) -> tuple[Any, Any, Any]:
    """(loss, predictions, metrics) of the outputs of a signature."""
    if mode == ModeKeys.PREDICT:
        return None, tensors, None
    if method != _METHODS[mode]:
        raise RuntimeError(
            f"Invalid SignatureDef method name for mode {mode}.\n\tExpected: {_METHODS[mode]}\n\tGot: {method}\nPlease ensure "
            "that the SavedModel was exported with `tf.estimator.experimental_export_all_saved_models()`."
        )
    predictions = {key: t for key, t in tensors.items() if key.split("/")[0] == "predictions"}
    metrics = {}
    for key, value in tensors.items():
        name, _, suffix = key.rpartition("/")
        if key.startswith("metrics/") and suffix == "value" and f"{name}/update_op" in tensors:
            metrics[name] = (value, tensors[f"{name}/update_op"])
    return tensors["loss"], predictions, metrics
