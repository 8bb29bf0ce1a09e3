"""Estimators as SavedModels: a graph for each mode, the variables of a checkpoint, and files beside them."""

from __future__ import annotations

import os
from typing import Any

from thalweg._src.core import errors, scopes
from thalweg._src.core.graph import Graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.seeds import set_random_seed
from thalweg._src.lib.checkpoint_management import latest_checkpoint
from thalweg._src.lib.estimators import export_outputs as outputs
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.io import file_io
from thalweg._src.lib.saved_model.builder import SavedModelBuilder
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.scaffold import Scaffold
from thalweg._src.runtime.session import Session


def export(
    estimator: Any,
    export_dir_base: Any,
    receivers: dict[str, Any],
    assets_extra: Any,
    as_text: bool,
    checkpoint_path: Any,
    strip_default_attrs: bool,
) -> bytes:
    """Write a SavedModel with a graph for each mode of `receivers`, and give its path.

    Raises ValueError without a checkpoint, or when it lacks variables of the graph.
    """
    checkpoint_path = checkpoint_path or latest_checkpoint(estimator.model_dir)
    if not checkpoint_path:
        if not estimator._warm_start_settings:
            raise ValueError(f"Couldn't find trained model at {estimator.model_dir}.")
        checkpoint_path = estimator._warm_start_settings.ckpt_to_initialize_from
        if file_io.is_directory(checkpoint_path):
            checkpoint_path = latest_checkpoint(checkpoint_path)
    folder = outputs.get_timestamped_export_dir(export_dir_base)
    temporary = outputs.get_temp_export_dir(folder)
    builder, first = SavedModelBuilder(temporary), True
    for mode in (ModeKeys.TRAIN, ModeKeys.EVAL, ModeKeys.PREDICT):
        if receivers.get(mode):
            _add_graph(estimator, builder, receivers[mode], checkpoint_path, first, mode, strip_default_attrs)
            first = False
    if first:
        raise ValueError(f"No valid modes for exporting found. Got {receivers.keys()}.")
    builder.save(as_text)
    for relative, source in (assets_extra or {}).items():
        target = os.path.join(temporary, b"assets.extra", os.fsencode(relative))
        file_io.recursive_create_dir(os.path.dirname(target))
        file_io.copy(source, target)
    file_io.rename(temporary, folder)
    return folder


def _add_graph(
    estimator: Any, builder: Any, receiver_fn: Any, checkpoint: Any, first: bool, mode: str, strip: bool
) -> None:
    with Graph().as_default() as graph:
        estimator._create_and_assert_global_step(graph)
        set_random_seed(estimator._config.tf_random_seed)
        receiver = receiver_fn()
        labels = getattr(receiver, "labels", None)
        spec = estimator._call_model_fn(receiver.features, labels, mode, estimator.config)
        signatures = outputs.build_all_signature_defs(
            receiver.receiver_tensors,
            outputs.export_outputs_for_mode(spec.mode, spec),
            getattr(receiver, "receiver_tensors_alternatives", None),
            serving_only=mode == ModeKeys.PREDICT,
        )
        with Session(config=estimator._session_config) as session:
            main_op = spec.scaffold.local_init_op
            if main_op is None:
                main_op = Scaffold.default_local_init_op()
            saver = spec.scaffold.saver or Saver(sharded=True)
            try:
                saver.restore(session, checkpoint)
            except errors.NotFoundError as error:
                raise ValueError(
                    "Could not load all requested variables from checkpoint. Please make sure your model_fn does not expect "
                    f"variables that were not saved in the checkpoint.\n\nEncountered error with mode `{mode}` while restoring "
                    f"checkpoint from: `{checkpoint}`. Full Traceback:\n\n{error}"
                ) from error
            if spec.train_op is not None:
                scopes.add_to_collection("saved_model_train_op", spec.train_op)
            how = {
                "tags": outputs.TAGS[mode],
                "signature_def_map": signatures,
                "assets_collection": scopes.get_collection(GraphKeys.ASSET_FILEPATHS),
                "main_op": main_op,
                "saver": saver,
                "strip_default_attrs": strip,
            }
            if first:
                builder.add_meta_graph_and_variables(session, **how)
            else:
                builder.add_meta_graph(**how)


def export_saved_model_for_mode(
    estimator: Any,
    export_dir_base: Any,
    input_receiver_fn: Any,
    assets_extra: Any = None,
    as_text: bool = False,
    checkpoint_path: Any = None,
    mode: str = ModeKeys.PREDICT,
) -> bytes:
    """`estimator.export_saved_model` for any mode, as a function."""
    return estimator.export_saved_model(
        export_dir_base, input_receiver_fn, assets_extra, as_text, checkpoint_path, experimental_mode=mode
    )


def export_all_saved_models(
    estimator: Any,
    export_dir_base: Any,
    input_receiver_fn_map: Any,
    assets_extra: Any = None,
    as_text: bool = False,
    checkpoint_path: Any = None,
) -> bytes:
    """`estimator.experimental_export_all_saved_models`, as a function."""
    return estimator.experimental_export_all_saved_models(
        export_dir_base, input_receiver_fn_map, assets_extra, as_text, checkpoint_path
    )
