"""tf.contrib.learn.graph_actions: training, evaluation and inference of a graph that is there, as 0.x had them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.contrib.learn.monitors import get_default_monitors
from thalweg._src.core import errors, scopes
from thalweg._src.core.graph import Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.formats import protos
from thalweg._src.lib import checkpoints, coordinator, queue_runner
from thalweg._src.lib.global_step import assert_global_step, get_global_step
from thalweg._src.lib.hooks.basic import NanLossDuringTrainingError
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.resources import initialize_resources, local_resources, shared_resources
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.session_manager import SessionManager
from thalweg._src.lib.summary import summary
from thalweg._src.lib.summary.writer import FileWriterCache
from thalweg._src.lib.supervisor import Supervisor
from thalweg._src.lib.table_initializers import tables_initializer
from thalweg._src.ops import basic
from thalweg._src.ops.stateful import variable_lists
from thalweg._src.runtime.session import Session

clear_summary_writers = FileWriterCache.clear
get_summary_writer = FileWriterCache.get


def _step_of(given: Any) -> Any:
    if given is None:
        return get_global_step()
    assert_global_step(given)
    return given


def _saver_of(graph: Any, keep: int = 5) -> Any:
    saved = graph.get_collection(GraphKeys.GLOBAL_VARIABLES) + graph.get_collection(GraphKeys.SAVEABLE_OBJECTS)
    return Saver(saved, sharded=True, max_to_keep=keep) if saved else None


def _restore(session: Any, graph: Any, path: Any, saver: Any = None) -> None:
    log.info("Loading model from checkpoint: %s.", path)
    saver = saver or _saver_of(graph)
    if saver:
        saver.restore(session, path)


# -- training


def train(
    graph: Any,
    output_dir: Any,
    train_op: Any,
    loss_op: Any,
    global_step_tensor: Any = None,
    init_op: Any = None,
    init_feed_dict: Any = None,
    init_fn: Any = None,
    log_every_steps: int = 10,
    supervisor_is_chief: bool = True,
    supervisor_master: str = "",
    supervisor_save_model_secs: int = 600,
    keep_checkpoint_max: int = 5,
    supervisor_save_summaries_steps: int = 100,
    feed_fn: Any = None,
    steps: int | None = None,
    fail_on_nan_loss: bool = True,
    monitors: Any = None,
    max_steps: int | None = None,
) -> Any:
    """Run `train_op` under a supervisor until the steps, the input or a monitor end it; gives the last loss.

    Raises ValueError for what is missing, and NanLossDuringTrainingError for a loss that is no number.
    """
    if steps is not None and max_steps is not None:
        raise ValueError("Can not provide both steps and max_steps.")
    if not output_dir:
        raise ValueError(f"Output directory should be non-empty {output_dir}.")
    for name, given in (("train_op", train_op), ("loss_op", loss_op)):
        if given is None:
            raise ValueError(f"Missing {name}.")
    chief = supervisor_is_chief
    with graph.as_default():
        step = _step_of(global_step_tensor)
        if step is None:
            raise ValueError('No "global_step" was provided or found in the graph.')
        writer = get_summary_writer(output_dir) if chief else None
        if monitors:
            monitors = [m for m in monitors if chief or m.run_on_all_workers]
        elif chief:
            monitors = get_default_monitors(
                loss_op=loss_op,
                summary_op=summary.merge_all(),
                save_summary_steps=supervisor_save_summaries_steps,
                summary_writer=writer,
            )
        if max_steps is None and steps:
            max_steps = _saved_step(output_dir, step) + steps
        for monitor in monitors or []:
            monitor.begin(max_steps=max_steps)
    supervisor = Supervisor(
        graph,
        init_op=init_op or Supervisor.USE_DEFAULT,
        init_feed_dict=init_feed_dict,
        is_chief=chief,
        logdir=output_dir,
        saver=_saver_of(graph, keep_checkpoint_max),
        global_step=step,
        summary_op=None,
        summary_writer=writer,
        save_model_secs=supervisor_save_model_secs,
        init_fn=init_fn,
    )
    session = supervisor.PrepareSession(master=supervisor_master, start_standard_services=True)
    supervisor.StartQueueRunners(session)
    loop = _Loop(supervisor, session, step, train_op, loss_op, monitors or [], feed_fn, fail_on_nan_loss)
    with session:
        try:
            loop.run(max_steps, log_every_steps)
        finally:
            loop.end(chief)
    return loop.loss


def _saved_step(folder: Any, step: Any) -> int:
    try:
        return int(checkpoints.load_variable(folder, step.op.name))
    except (errors.NotFoundError, ValueError):
        return 0


class _Loop:
    """The steps of a training, each between what monitors say."""

    def __init__(self, supervisor: Any, session: Any, step: Any, train_op: Any, loss_op: Any, monitors: Any, *how: Any):
        self.supervisor, self.session, self.step, self.monitors = supervisor, session, step, monitors
        self.train_op, self.loss_op, (self.feed_fn, self.fails) = train_op, loss_op, how
        self.loss: Any = None

    def run(self, max_steps: int | None, every: int) -> None:
        last = told = int(self.session.run(self.step))
        try:
            while not self.supervisor.ShouldStop() and (max_steps is None or last < max_steps):
                begun = time.time()
                outputs, stop = self._one(last + 1)
                self.loss = outputs[self.loss_op.name]
                if np.isnan(self.loss):
                    log.error("Model diverged with loss = NaN.")
                    if self.fails:
                        raise NanLossDuringTrainingError
                if stop:
                    break
                last = int(self.session.run(self.step))
                if last == max_steps or last - told >= every:
                    log.info("training step %d, loss = %.5f (%.3f sec/batch).", last, self.loss, time.time() - begun)
                    told = last
        except errors.OutOfRangeError as error:
            log.warning("The input of the training is over: %s.", error)
        except StopIteration:
            log.info("The iterator of the training is over.")

    def _one(self, step: int) -> tuple[dict[str, Any], bool]:
        feed = self.feed_fn() if self.feed_fn is not None else None
        wanted = [self.train_op, self.loss_op]
        for monitor in self.monitors:
            wanted += monitor.step_begin(step)
        wanted = list(dict.fromkeys(wanted))
        values = self.session.run(wanted, feed_dict=feed)
        names = [t.name if isinstance(t, Tensor) else t for t in wanted]
        outputs = dict(zip(names, values, strict=True))
        stops = [monitor.step_end(step, outputs) for monitor in self.monitors]
        return outputs, any(stops)

    def end(self, chief: bool) -> None:
        """Stop the threads, save, and tell monitors."""
        try:
            self.supervisor.Stop(close_summary_writer=False)
            if chief:
                path, step = self.supervisor.save_path, int(self.session.run(self.step))
                log.info("Saving checkpoint for step %d to checkpoint: %s.", step, path)
                self.supervisor.saver.save(self.session, path, global_step=step)
                for monitor in self.monitors:
                    monitor.end()
        except errors.OutOfRangeError as error:
            log.warning("The input was over when the last checkpoint was made: %s.", error)


# -- evaluation


def _first(collection: str, make: Any) -> Any:
    found = scopes.get_collection(collection)
    if found:
        return found[0]
    made = make()
    if made is not None:
        scopes.add_to_collection(collection, made)
    return made


def _local_init() -> Any:
    return basic.group(variable_lists.local_variables_initializer(), tables_initializer())


def evaluate(
    graph: Any,
    output_dir: Any,
    checkpoint_path: Any,
    eval_dict: dict[str, Any],
    update_op: Any = None,
    global_step_tensor: Any = None,
    supervisor_master: str = "",
    log_every_steps: int = 10,
    feed_fn: Any = None,
    max_steps: int | None = None,
) -> tuple[Any, Any]:
    """(values of `eval_dict`, the global step) after up to `max_steps` steps; they go into a summary in `output_dir`.

    Each step runs `update_op`, or, without one, `eval_dict`. Raises ValueError without a folder.
    """
    if not output_dir:
        raise ValueError(f"Output directory should be non-empty {output_dir}.")
    with graph.as_default():
        step_tensor = _step_of(global_step_tensor)
        saver = _first(GraphKeys.SAVERS, lambda: Saver() if variable_lists.global_variables() else None)
        manager = SessionManager(
            local_init_op=_first(GraphKeys.LOCAL_INIT_OP, _local_init),
            ready_op=_first(GraphKeys.READY_OP, variable_lists.report_uninitialized_variables),
            ready_for_local_init_op=_first(GraphKeys.READY_FOR_LOCAL_INIT_OP, lambda: None),
        )
        session, initialized = manager.recover_session(
            master=supervisor_master, saver=saver, checkpoint_dir=checkpoint_path
        )
        coord = coordinator.Coordinator()
        threads = queue_runner.start_queue_runners(session, coord)
    with session:
        if not initialized:
            with graph.as_default():
                session.run(variable_lists.global_variables_initializer())
                session.run(_local_init())
            if checkpoint_path:
                _restore(session, graph, checkpoint_path, saver)
        step = session.run(step_tensor)
        results = _evaluated(session, eval_dict, update_op, feed_fn, max_steps, log_every_steps)
        coord.request_stop()
        session.close()
        try:
            coord.join(threads, stop_grace_period_secs=120)
        except (RuntimeError, errors.CancelledError) as error:
            log.warning("Coordinator didn't stop cleanly: %s", error)
    _write(output_dir, results, step)
    return results, step


def _evaluated(session: Any, values: Any, update: Any, feed_fn: Any, max_steps: int | None, every: int) -> Any:
    results, feed, fresh = None, None, False
    try:
        for i in range(1, max_steps + 1) if max_steps is not None else itertools.count(1):
            feed = feed_fn() if feed_fn is not None else None
            fresh = update is None
            if fresh:
                results = session.run(values, feed_dict=feed)
            else:
                session.run(update, feed_dict=feed)
            if i % every == 0:
                results, fresh = (results if fresh else session.run(values, feed_dict=feed)), True
                log.info("Results after %d steps: %s.", i, results)
    except (errors.OutOfRangeError, StopIteration) as error:
        log.info("The input of the evaluation is over: %s", error)
    if results is None or not fresh:
        results = session.run(values, feed_dict=feed)
    return results


def _write(folder: Any, results: dict[str, Any], step: Any) -> None:
    message = protos.Summary()
    for key, value in results.items():
        if isinstance(value, np.float32 | float):
            message.value.add(tag=key, simple_value=float(value))
        elif value is not None:
            log.warning("Skipping summary for %s, must be a float or np.float32.", key)
    writer = get_summary_writer(folder)
    writer.add_summary(message, step)
    writer.flush()


# -- inference


def run_feeds_iter(
    output_dict: dict[str, Any], feed_dicts: Any, restore_checkpoint_path: Any = None
) -> Iterator[dict[str, Any]]:
    """The values of `output_dict` for each feed, with variables initialized or restored. Raises ValueError without any."""
    if not output_dict:
        raise ValueError(f"output_dict is invalid: {output_dict}.")
    if not feed_dicts:
        raise ValueError(f"feed_dicts is invalid: {feed_dicts}.")
    graph = next(iter(output_dict.values())).graph
    with graph.as_default(), Session("") as session:
        session.run(initialize_resources(shared_resources() + local_resources()))
        if restore_checkpoint_path:
            _restore(session, graph, restore_checkpoint_path)
        else:
            session.run(variable_lists.global_variables_initializer())
        session.run(_local_init())
        coord = coordinator.Coordinator()
        threads = queue_runner.start_queue_runners(session, coord=coord)
        try:
            for feed in feed_dicts:
                yield session.run(output_dict, feed)
        finally:
            coord.request_stop()
            if threads:
                coord.join(threads, stop_grace_period_secs=120)


def run_feeds(output_dict: dict[str, Any], feed_dicts: Any, restore_checkpoint_path: Any = None) -> list[Any]:
    """`run_feeds_iter` as a list."""
    return list(run_feeds_iter(output_dict, feed_dicts, restore_checkpoint_path))


def run_n(
    output_dict: dict[str, Any], feed_dict: Any = None, restore_checkpoint_path: Any = None, n: int = 1
) -> list[Any]:
    """The values of `output_dict`, `n` times."""
    return run_feeds(output_dict, itertools.repeat(feed_dict, n), restore_checkpoint_path)


def infer(restore_checkpoint_path: Any, output_dict: dict[str, Any], feed_dict: Any = None) -> dict[str, Any]:
    """The values of `output_dict`, once."""
    return run_feeds(output_dict, [feed_dict], restore_checkpoint_path)[0]
