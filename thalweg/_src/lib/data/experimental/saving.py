"""Iterators in checkpoints: how far they have come, and with which random seeds."""

from typing import Any

from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.scopes import colocate_with
from thalweg._src.lib import checkpoint_management as checkpoints
from thalweg._src.lib.data.iterator import GLOBAL_ITERATORS, Iterator
from thalweg._src.lib.hooks.basic import SessionRunHook
from thalweg._src.lib.hooks.saving import CheckpointSaverHook
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.saving.saveables import SaveableObject, SaveSpec
from thalweg._src.ops.data.iterators import deserialize_iterator, serialize_iterator


class IteratorSaveable(SaveableObject):
    """An iterator as a Saver takes it."""

    def __init__(self, iterator_resource: Any):
        state = serialize_iterator(iterator_resource)
        specs = [SaveSpec(state, "", iterator_resource.name + "-state")]
        super().__init__(iterator_resource, specs, iterator_resource.name)

    def restore(self, restored_tensors: list[Any], restored_shapes: Any) -> Any:
        with colocate_with(self.op.op):
            return deserialize_iterator(self.op, restored_tensors[0])


def make_saveable_from_iterator(iterator: Iterator) -> IteratorSaveable:
    """The state of `iterator` for a Saver: put it into the SAVEABLE_OBJECTS collection, or into its var_list.

    A restored iterator walks the elements that it had given anew, with the random seeds that it had.
    """
    return IteratorSaveable(iterator._iterator_resource)


class CheckpointInputPipelineHook(SessionRunHook):
    """Saves and restores all iterators beside the checkpoints of an estimator."""

    def __init__(self, estimator: Any):
        config = estimator._config
        prefix = "input"
        if config.num_worker_replicas > 1:
            prefix += f"_{config.task_type}_{config.task_id}"
        self._checkpoint_saver_hook = CheckpointSaverHook(
            estimator.model_dir,
            save_secs=config.save_checkpoints_secs,
            save_steps=config.save_checkpoints_steps,
            checkpoint_basename=prefix + ".ckpt",
        )
        self._latest_filename = "checkpoint_" + prefix
        self._first_run = True

    def begin(self) -> None:
        hook: Any = self._checkpoint_saver_hook
        if hook._saver is None and hook._scaffold is None:
            saveables = [IteratorSaveable(i) for i in get_default_graph().get_collection(GLOBAL_ITERATORS)]
            hook._saver = _InputSaver(saveables, self._latest_filename)
        hook.begin()

    def before_run(self, run_context: Any) -> Any:
        hook: Any = self._checkpoint_saver_hook
        if self._first_run:
            self._first_run = False
            session = run_context.session
            latest = checkpoints.latest_checkpoint(hook._checkpoint_dir, latest_filename=self._latest_filename)
            if latest:
                hook._get_saver().restore(session, latest)
            else:
                step = session.run(hook._global_step_tensor)
                hook._save(session, step)
                hook._timer.update_last_triggered_step(step)
        return hook.before_run(run_context)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        self._checkpoint_saver_hook.after_run(run_context, run_values)

    def end(self, session: Any) -> None:
        self._checkpoint_saver_hook.end(session)


class _InputSaver(Saver):
    def __init__(self, var_list: Any, latest_filename: str):
        super().__init__(var_list)
        self._input_latest = latest_filename

    def save(
        self, sess: Any, save_path: Any, global_step: Any = None, latest_filename: Any = None, *args: Any, **more: Any
    ) -> Any:
        return super().save(sess, save_path, global_step, latest_filename or self._input_latest, *args, **more)
