"""Estimators of tf.contrib.learn as SavedModels."""

from __future__ import annotations

import collections
import os
from typing import Any

from thalweg._src.contrib.learn.modes import ModeKeys, PredictionKey, ProblemType
from thalweg._src.core import dtypes, scopes
from thalweg._src.core.graph import Graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.estimators.export_outputs import get_temp_export_dir, get_timestamped_export_dir
from thalweg._src.lib.estimators.exporters import exports_below
from thalweg._src.lib.global_step import create_global_step
from thalweg._src.lib.io import file_io
from thalweg._src.lib.saved_model import constants, signatures
from thalweg._src.lib.saved_model.builder import SavedModelBuilder
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.scaffold import Scaffold
from thalweg._src.ops.arrays.constants import placeholder
from thalweg._src.ops.io.parsing import parse_example
from thalweg._src.runtime.session import Session

DEFAULT_INPUT_ALTERNATIVE_KEY = "default_input_alternative"
FEATURES_INPUT_ALTERNATIVE_KEY = "features_input_alternative"
_DEFAULT_OUTPUT = "default_output_alternative"

Export = collections.namedtuple("Export", ["path", "export_version"])

InputFnOps = collections.namedtuple("InputFnOps", ["features", "labels", "default_inputs"])


def build_parsing_serving_input_fn(feature_spec: Any, default_batch_size: int | None = None) -> Any:
    """A function that makes a placeholder of serialized examples and parses them: InputFnOps."""

    def input_fn() -> InputFnOps:
        examples = placeholder(dtypes.string, shape=[default_batch_size], name="input_example_tensor")
        return InputFnOps(parse_example(examples, feature_spec), None, {"examples": examples})

    return input_fn


def build_default_serving_input_fn(features: Any, default_batch_size: int | None = None) -> Any:
    """A function that makes a placeholder like each tensor of `features`: InputFnOps."""

    def input_fn() -> InputFnOps:
        made = {
            name: placeholder(t.dtype, shape=[default_batch_size, *list(t.get_shape()[1:])], name=t.op.name)
            for name, t in features.items()
        }
        return InputFnOps(made, None, made)

    return input_fn


def get_input_alternatives(input_ops: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """({name: inputs}, features) of an InputFnOps or of (features, labels). Raises ValueError without features."""
    features, _, *defaults = input_ops
    if not features:
        raise ValueError("Features must be defined.")
    return ({DEFAULT_INPUT_ALTERNATIVE_KEY: defaults[0]} if defaults else {}), features


def get_output_alternatives(
    model_fn_ops: Any, default_output_alternative_key: str | None = None
) -> tuple[dict[Any, Any], Any]:
    """({name: (problem type, tensors)}, the name of the default). Raises ValueError where it is not clear."""
    found, default = model_fn_ops.output_alternatives, default_output_alternative_key
    names = sorted(found, key=str) if found else []
    if default and default not in names:
        raise ValueError(
            f"Requested default_output_alternative: {default}, but available output_alternatives are: {names}"
        )
    if not found:
        tensors = model_fn_ops.predictions
        if not isinstance(tensors, dict):
            tensors = {PredictionKey.GENERIC: tensors}
        return {_DEFAULT_OUTPUT: (ProblemType.UNSPECIFIED, tensors)}, _DEFAULT_OUTPUT
    if default:
        return found, default
    if len(found) == 1:
        return found, names[0]
    raise ValueError(f"Please specify a default_output_alternative.  Available output_alternatives are: {names}")


def build_standardized_signature_def(
    input_tensors: dict[str, Any], output_tensors: dict[str, Any], problem_type: Any
) -> Any:
    """The signature of inputs and outputs: of classification or regression where there is one input and tensors allow it.

    Raises ValueError without inputs or outputs.
    """
    for name, tensors in (("input", input_tensors), ("output", output_tensors)):
        if not tensors:
            raise ValueError(f"{name}_tensors must be provided.")
    if len(input_tensors) == 1:
        (examples,) = input_tensors.values()
        if problem_type in (ProblemType.CLASSIFICATION, ProblemType.LOGISTIC_REGRESSION):
            classes, scores = _classes_and_scores(output_tensors)
            if classes is not None or scores is not None:
                return signatures.classification_signature_def(examples, classes, scores)
        elif problem_type == ProblemType.LINEAR_REGRESSION and len(output_tensors) == 1:
            return signatures.regression_signature_def(examples, next(iter(output_tensors.values())))
    return signatures.predict_signature_def(input_tensors, output_tensors)


def _classes_and_scores(outputs: dict[str, Any]) -> tuple[Any, Any]:
    """Names of classes, and their scores; a tensor that is the only one is what its type says."""
    classes = outputs.get(PredictionKey.CLASSES)
    if classes is not None and classes.dtype != dtypes.string:
        classes = None
    scores = outputs.get(PredictionKey.SCORES, outputs.get(PredictionKey.PROBABILITIES))
    if classes is None and scores is None and len(outputs) == 1:
        (alone,) = outputs.values()
        return (alone, None) if alone.dtype == dtypes.string else (None, alone)
    return classes, scores


def build_all_signature_defs(
    input_alternatives: dict[str, Any],
    output_alternatives: dict[Any, Any],
    actual_default_output_alternative_key: Any,
) -> dict[str, Any]:
    """{name: SignatureDef} of each input with each output, and of the default. Raises ValueError without default inputs."""
    made = {
        f"{i}:{o or 'None'}": build_standardized_signature_def(inputs, outputs, problem)
        for i, inputs in input_alternatives.items()
        for o, (problem, outputs) in output_alternatives.items()
    }
    inputs = input_alternatives.get(DEFAULT_INPUT_ALTERNATIVE_KEY)
    if not inputs:
        raise ValueError("A default input_alternative must be provided.")
    problem, outputs = output_alternatives[actual_default_output_alternative_key]
    default = build_standardized_signature_def(inputs, outputs, problem)
    made[constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY] = default
    return made


def get_most_recent_export(export_dir_base: Any) -> Any:
    """The (path, number) of the newest export below a folder, or None."""
    found = exports_below(export_dir_base)
    return Export(*max(found, key=lambda pair: pair[1])) if found else None


def export_savedmodel(
    estimator: Any,
    export_dir_base: Any,
    serving_input_fn: Any,
    default_output_alternative_key: str | None,
    assets_extra: Any,
    as_text: bool,
    checkpoint_path: Any,
    strip_default_attrs: bool,
) -> bytes:
    """Write a SavedModel into a folder below `export_dir_base` that is named by the time, and give its path."""
    folder = get_timestamped_export_dir(export_dir_base)
    temporary = get_temp_export_dir(folder)
    builder = SavedModelBuilder(temporary)
    with Graph().as_default() as graph:
        create_global_step(graph)
        inputs, features = get_input_alternatives(serving_input_fn())
        ops = estimator._call_model_fn(features, None, ModeKeys.INFER)
        outputs, default = get_output_alternatives(ops, default_output_alternative_key)
        made = build_all_signature_defs(inputs, outputs, default)
        with Session() as session:
            saver = (ops.scaffold.saver if ops.scaffold else None) or Saver(sharded=True)
            saver.restore(session, checkpoint_path)
            builder.add_meta_graph_and_variables(
                session,
                [constants.SERVING],
                signature_def_map=made,
                assets_collection=scopes.get_collection(GraphKeys.ASSET_FILEPATHS),
                main_op=Scaffold.default_local_init_op(),
                strip_default_attrs=strip_default_attrs,
            )
    for relative, source in (assets_extra or {}).items():
        target = os.path.join(temporary, b"assets.extra", os.fsencode(relative))
        file_io.recursive_create_dir(os.path.dirname(target))
        file_io.copy(source, target)
    builder.save(as_text)
    file_io.rename(temporary, folder)
    return folder
