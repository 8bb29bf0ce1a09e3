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
from thalweg._src.lib.estimators.exporters import remove_old_exports
from thalweg._src.lib.global_step import create_global_step
from thalweg._src.lib.io import file_io
from thalweg._src.lib.saved_model import constants, signatures
from thalweg._src.lib.saved_model.builder import SavedModelBuilder
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.scaffold import Scaffold
from thalweg._src.ops.constants import placeholder
from thalweg._src.ops.parsing import parse_example
from thalweg._src.ops.string_numbers import as_string
from thalweg._src.runtime.session import Session

DEFAULT_INPUT = "default_input_alternative"
DEFAULT_OUTPUT = "default_output_alternative"
FEATURES = "features_input_alternative"

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
    """({name: inputs}, features). Raises ValueError without features."""
    features = input_ops.features
    if not features:
        raise ValueError("Features must be defined.")
    alternatives = {}
    if input_ops.default_inputs:
        alternatives[DEFAULT_INPUT] = input_ops.default_inputs
    alternatives[FEATURES] = features
    return alternatives, features


def get_output_alternatives(ops: Any, default: str | None = None) -> tuple[dict[Any, Any], str]:
    """({name: (problem type, tensors)}, the name of the default). Raises ValueError where it is not clear."""
    found = ops.output_alternatives
    if not found:
        if default:
            raise ValueError(
                f"Requested default_output_alternative: {default}, but available output_alternatives are: []"
            )
        tensors = ops.predictions if isinstance(ops.predictions, dict) else {PredictionKey.GENERIC: ops.predictions}
        return {DEFAULT_OUTPUT: (ProblemType.UNSPECIFIED, tensors)}, DEFAULT_OUTPUT
    if default:
        if default not in found:
            raise ValueError(
                f"Requested default_output_alternative: {default}, but available output_alternatives are: {sorted(found)}"
            )
        return found, default
    if len(found) == 1:
        key, value = next(iter(found.items()))
        return ({DEFAULT_OUTPUT: value}, DEFAULT_OUTPUT) if key is None else (found, key)
    raise ValueError(
        "Please specify a default_output_alternative.  Available output_alternatives are: "
        f"{sorted(str(key) for key in found)}"
    )


def build_standardized_signature_def(inputs: dict[str, Any], outputs: dict[str, Any], problem: int) -> Any:
    """The signature of one input and one output: of classification or regression where the tensors allow it."""
    if len(inputs) == 1:
        (examples,) = inputs.values()
        scores = outputs.get(PredictionKey.PROBABILITIES, outputs.get(PredictionKey.SCORES))
        classes = outputs.get(PredictionKey.CLASSES)
        if examples.dtype == dtypes.string:
            if problem in (ProblemType.CLASSIFICATION, ProblemType.LOGISTIC_REGRESSION):
                if classes is not None and classes.dtype != dtypes.string:
                    classes = None if scores is not None else as_string(classes)
                if classes is not None or scores is not None:
                    return signatures.classification_signature_def(examples, classes, scores)
            elif problem == ProblemType.LINEAR_REGRESSION and len(outputs) == 1:
                return signatures.regression_signature_def(examples, next(iter(outputs.values())))
    return signatures.predict_signature_def(inputs, outputs)


def build_all_signature_defs(
    input_alternatives: dict[str, Any], output_alternatives: dict[Any, Any], default_key: str
) -> dict[str, Any]:
    """{name: SignatureDef} of each input with each output, and of the default."""
    made = {
        f"{i}:{o}": build_standardized_signature_def(inputs, outputs, problem)
        for i, inputs in input_alternatives.items()
        for o, (problem, outputs) in output_alternatives.items()
    }
    inputs = input_alternatives.get(DEFAULT_INPUT) or next(iter(input_alternatives.values()))
    problem, outputs = output_alternatives[default_key]
    default = build_standardized_signature_def(inputs, outputs, problem)
    made[constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY] = default
    return made


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


def make_export_strategy(
    serving_input_fn: Any,
    default_output_alternative_key: str | None = None,
    assets_extra: Any = None,
    as_text: bool = False,
    exports_to_keep: int | None = 5,
    strip_default_attrs: Any = None,
) -> Any:
    """An ExportStrategy that writes SavedModels, and keeps the last ones."""
    from thalweg._src.contrib.learn.experiment import ExportStrategy
    from thalweg._src.lib.estimators.estimator import Estimator as CoreEstimator

    def export_fn(estimator: Any, export_dir_base: Any, checkpoint_path: Any = None) -> Any:
        how = {"assets_extra": assets_extra, "as_text": as_text, "checkpoint_path": checkpoint_path}
        if isinstance(estimator, CoreEstimator):
            if default_output_alternative_key is not None:
                raise ValueError("default_output_alternative_key is not supported in core Estimator.")
        else:
            how["default_output_alternative_key"] = default_output_alternative_key
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
) -> Any:
    """An ExportStrategy for serialized examples of the features of columns."""
    from thalweg._src.contrib.layers.columns import create_feature_spec_for_parsing
    from thalweg._src.lib.estimators.receivers import build_parsing_serving_input_receiver_fn

    spec = create_feature_spec_for_parsing(feature_columns)
    build = build_parsing_serving_input_receiver_fn if target_core else build_parsing_serving_input_fn
    return make_export_strategy(
        build(spec), default_output_alternative_key, assets_extra, as_text, exports_to_keep, strip_default_attrs
    )
