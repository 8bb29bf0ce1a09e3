"""slim.learning: training ops, and a loop around them with a Supervisor."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from thalweg._src.contrib.training import training
from thalweg._src.contrib.training.training import USE_GLOBAL_STEP, clip_gradient_norms, multiply_gradients
from thalweg._src.core import errors, scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.formats import protos
from thalweg._src.lib import global_step as steps
from thalweg._src.lib.io.file_io import write_string_to_file
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.summary import summary
from thalweg._src.lib.supervisor import Supervisor
from thalweg._src.lib.table_initializers import tables_initializer
from thalweg._src.lib.timeline import Timeline
from thalweg._src.ops import basic, math
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.numeric import compare
from thalweg._src.ops.stateful import variable_lists

USE_DEFAULT = 0


def add_gradients_summaries(grads_and_vars: Any) -> list[Any]:
    """A histogram of each gradient, and its norm."""
    return training.add_gradients_summaries(grads_and_vars, separator="/")


def create_train_op(
    total_loss: Any,
    optimizer: Any,
    global_step: Any = USE_GLOBAL_STEP,
    update_ops: Any = None,
    variables_to_train: Any = None,
    clip_gradient_norm: Any = 0,
    summarize_gradients: bool = False,
    gate_gradients: Any = Optimizer.GATE_OP,
    aggregation_method: Any = None,
    colocate_gradients_with_ops: bool = False,
    gradient_multipliers: Any = None,
    check_numerics: bool = True,
) -> Any:
    """The loss, once the variables have moved: one run of it is a step of training.

    Each gradient is multiplied (`gradient_multipliers` by variable or name) and then clipped to `clip_gradient_norm`.
    """

    def transform(grads: Any) -> Any:
        if gradient_multipliers:
            with scopes.name_scope("multiply_grads"):
                grads = multiply_gradients(grads, gradient_multipliers)
        if clip_gradient_norm > 0:
            with scopes.name_scope("clip_grads"):
                grads = clip_gradient_norms(grads, clip_gradient_norm)
        return grads

    return training.create_train_op(
        total_loss=total_loss,
        optimizer=optimizer,
        global_step=global_step,
        update_ops=update_ops,
        variables_to_train=variables_to_train,
        transform_grads_fn=transform,
        summarize_gradients=summarize_gradients,
        gate_gradients=gate_gradients,
        aggregation_method=aggregation_method,
        colocate_gradients_with_ops=colocate_gradients_with_ops,
        check_numerics=check_numerics,
    )


def train_step(sess: Any, train_op: Any, global_step: Any, train_step_kwargs: dict[str, Any]) -> tuple[Any, Any]:
    """One step: (the loss, whether to stop). The keywords hold tensors: 'should_stop', 'should_log', 'should_trace'.

    Raises ValueError for a trace without a 'logdir'.
    """
    start = time.time()
    options = metadata = None
    if "should_trace" in train_step_kwargs:
        if "logdir" not in train_step_kwargs:
            raise ValueError("logdir must be present in train_step_kwargs when should_trace is present")
        if sess.run(train_step_kwargs["should_trace"]):
            options = protos.RunOptions(trace_level=protos.RunOptions.FULL_TRACE)
            metadata = protos.RunMetadata()
    loss, step = sess.run([train_op, global_step], options=options, run_metadata=metadata)
    seconds = time.time() - start
    if metadata is not None:
        _write_trace(metadata, step, train_step_kwargs)
    if "should_log" in train_step_kwargs and sess.run(train_step_kwargs["should_log"]):
        log.info("global step %d: loss = %.4f (%.3f sec/step)", step, loss, seconds)
    stop = sess.run(train_step_kwargs["should_stop"]) if "should_stop" in train_step_kwargs else False
    return loss, stop


def _write_trace(metadata: Any, step: Any, kwargs: dict[str, Any]) -> None:
    trace = Timeline(metadata.step_stats).generate_chrome_trace_format()
    path = os.path.join(kwargs["logdir"], f"tf_trace-{step}.json")
    log.info("Writing trace to %s", path)
    write_string_to_file(path, trace)
    if "summary_writer" in kwargs:
        kwargs["summary_writer"].add_run_metadata(metadata, f"run_metadata-{step}")


def _check(
    train_op: Any, logdir: Any, summary_op: Any, saver: Any, trace: Any, sync: Any, delay: int, number: Any
) -> None:
    if train_op is None:
        raise ValueError("train_op cannot be None.")
    if logdir is None:
        given = {"summary_op": summary_op is not USE_DEFAULT and summary_op is not None, "saver": saver is not None}
        given["trace_every_n_steps"] = trace is not None
        for name, there in given.items():
            if there:
                raise ValueError(f"Cannot provide {name} because logdir=None")
    if sync is not None and delay > 0:
        raise ValueError("startup_delay_steps must be zero when sync_optimizer is supplied.")
    if number is not None and number <= 0:
        raise ValueError("`number_of_steps` must be either None or a positive number.")


def _step_keywords(
    step: Any, number: Any, log_every: int, is_chief: bool, trace_every: Any, logdir: Any
) -> dict[str, Any]:
    with scopes.name_scope("train_step"):
        stop = compare.greater_equal(step, number) if number else constants.constant(False)
        keywords: dict[str, Any] = {"should_stop": stop}
        if log_every > 0:
            keywords["should_log"] = compare.equal(math.mod(step, log_every), 0)
        if is_chief and trace_every is not None:
            keywords["should_trace"] = compare.equal(math.mod(step, trace_every), 0)
            keywords["logdir"] = logdir
    return keywords


def train(
    train_op: Any,
    logdir: Any,
    train_step_fn: Any = train_step,
    train_step_kwargs: Any = USE_DEFAULT,
    log_every_n_steps: int = 1,
    graph: Any = None,
    master: str = "",
    is_chief: bool = True,
    global_step: Any = None,
    number_of_steps: int | None = None,
    init_op: Any = USE_DEFAULT,
    init_feed_dict: Any = None,
    local_init_op: Any = USE_DEFAULT,
    init_fn: Any = None,
    ready_op: Any = USE_DEFAULT,
    summary_op: Any = USE_DEFAULT,
    save_summaries_secs: float = 600,
    summary_writer: Any = USE_DEFAULT,
    startup_delay_steps: int = 0,
    saver: Any = None,
    save_interval_secs: float = 600,
    sync_optimizer: Any = None,
    session_config: Any = None,
    session_wrapper: Any = None,
    trace_every_n_steps: int | None = None,
    ignore_live_threads: bool = False,
) -> Any:
    """Train until `number_of_steps`, with summaries and checkpoints in `logdir`; the last loss.

    Raises ValueError for arguments that contradict each other.
    """
    syncs = None if sync_optimizer is None else sync_optimizer if isinstance(sync_optimizer, list) else [sync_optimizer]
    _check(train_op, logdir, summary_op, saver, trace_every_n_steps, syncs, startup_delay_steps, number_of_steps)
    graph = graph or get_default_graph()
    ready_for_local: Any = None
    with graph.as_default():
        if global_step is None:
            global_step = steps.get_or_create_global_step()
        saver = saver or Saver()
        with scopes.name_scope("init_ops"):
            if init_op is USE_DEFAULT:
                init_op = variable_lists.global_variables_initializer()
            if ready_op is USE_DEFAULT:
                ready_op = variable_lists.report_uninitialized_variables()
            if local_init_op is USE_DEFAULT:
                local_init_op = basic.group(variable_lists.local_variables_initializer(), tables_initializer())
            if syncs is not None:
                with basic.control_dependencies([local_init_op] if local_init_op is not None else []):
                    inits = [o.chief_init_op if is_chief else o.local_step_init_op for o in syncs]
                    local_init_op = basic.group(*inits)
                ready_for_local = basic.group(*[o.ready_for_local_init_op for o in syncs])
        if summary_op is USE_DEFAULT:
            summary_op = summary.merge_all()
        if summary_writer is USE_DEFAULT:
            summary_writer = Supervisor.USE_DEFAULT
        tokens = runners = None
        if is_chief and syncs is not None:
            tokens = [o.get_init_tokens_op() for o in syncs]
            runners = [o.get_chief_queue_runner() for o in syncs]
        if train_step_kwargs is USE_DEFAULT:
            train_step_kwargs = _step_keywords(
                global_step, number_of_steps, log_every_n_steps, is_chief, trace_every_n_steps, logdir
            )
    sv = Supervisor(
        graph=graph,
        is_chief=is_chief,
        logdir=logdir,
        init_op=init_op,
        init_feed_dict=init_feed_dict,
        local_init_op=local_init_op,
        ready_for_local_init_op=ready_for_local,
        ready_op=ready_op,
        summary_op=summary_op,
        summary_writer=summary_writer,
        global_step=global_step,
        saver=saver,
        save_summaries_secs=save_summaries_secs,
        save_model_secs=save_interval_secs,
        init_fn=init_fn,
    )
    if summary_writer is not None:
        train_step_kwargs["summary_writer"] = sv.summary_writer
    while True:
        try:
            with sv.managed_session(master, start_standard_services=False, config=session_config) as sess:
                log.info("Starting Session.")
                if session_wrapper is not None:
                    log.info("Wrapping session with wrapper function: %s", session_wrapper)
                    sess = session_wrapper(sess)
                if is_chief and logdir:
                    sv.start_standard_services(sess)
                elif not is_chief and startup_delay_steps > 0:
                    _wait_for_step(sess, global_step, min(startup_delay_steps, number_of_steps or sys.maxsize))
                threads = sv.start_queue_runners(sess)
                log.info("Starting Queues.")
                if tokens is not None:
                    sv.start_queue_runners(sess, runners)
                    sess.run(tokens)
                loss = _loop(sv, sess, train_op, global_step, train_step_fn, train_step_kwargs)
                if logdir and sv.is_chief:
                    log.info("Finished training! Saving model to disk.")
                    sv.saver.save(sess, sv.save_path, global_step=sv.global_step)
                    sv.stop(threads, close_summary_writer=True, ignore_live_threads=ignore_live_threads)
            return loss
        except errors.AbortedError:
            log.info("Retrying training!")


def _loop(sv: Any, sess: Any, train_op: Any, step: Any, step_fn: Any, keywords: Any) -> Any:
    loss = None
    try:
        while not sv.should_stop():
            loss, stop = step_fn(sess, train_op, step, keywords)
            if stop:
                log.info("Stopping Training.")
                sv.request_stop()
                break
    except errors.OutOfRangeError as error:  # the end of the inputs
        log.info("Caught OutOfRangeError. Stopping Training. %s", error)
    return loss


def _wait_for_step(sess: Any, global_step: Any, step: int) -> None:
    while steps.global_step(sess, global_step) < step:
        time.sleep(1.0)
