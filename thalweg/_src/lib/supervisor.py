"""tf.train.Supervisor: what looked after trainings before MonitoredTrainingSession."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.graph import Graph, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.formats import protos
from thalweg._src.lib import graph_io, meta_graph, termination
from thalweg._src.lib.coordinator import Coordinator, LooperThread
from thalweg._src.lib.global_step import global_step as value_of_step
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.saver import Saver
from thalweg._src.lib.scaffold import tables_initializer
from thalweg._src.lib.session_manager import SessionManager
from thalweg._src.lib.summary import summary
from thalweg._src.lib.summary.writer import FileWriter
from thalweg._src.ops import basic
from thalweg._src.ops.stateful import variable_lists


class Supervisor:
    """Initializes or restores a model, and saves it and its summaries in threads while you train.

    Arguments that are `USE_DEFAULT` are taken from the graph's collections, or made. The graph is finalized.

    >>> train_op = tf.assign_add(tf.Variable(0), 1)
    >>> sv = tf.train.Supervisor(logdir=folder)
    >>> with sv.managed_session() as sess:
    ...     while not sv.should_stop():
    ...         if sess.run(train_op) == 3:
    ...             sv.request_stop()
    """

    USE_DEFAULT = 0

    def __init__(
        self,
        graph: Graph | None = None,
        ready_op: Any = USE_DEFAULT,
        ready_for_local_init_op: Any = USE_DEFAULT,
        is_chief: bool = True,
        init_op: Any = USE_DEFAULT,
        init_feed_dict: Any = None,
        local_init_op: Any = USE_DEFAULT,
        logdir: Any = None,
        summary_op: Any = USE_DEFAULT,
        saver: Any = USE_DEFAULT,
        global_step: Any = USE_DEFAULT,
        save_summaries_secs: float | None = 120,
        save_model_secs: float | None = 600,
        recovery_wait_secs: float = 30,
        stop_grace_secs: float = 120,
        checkpoint_basename: str = "model.ckpt",
        session_manager: SessionManager | None = None,
        summary_writer: Any = USE_DEFAULT,
        init_fn: Callable[[Any], Any] | None = None,
        local_init_run_options: Any = None,
    ):
        graph = graph or get_default_graph()
        self._graph = graph
        with graph.as_default():
            self._ready_op = self._or_made(ready_op, GraphKeys.READY_OP, variable_lists.report_uninitialized_variables)
            self._ready_for_local_init_op = self._or_made(
                ready_for_local_init_op, GraphKeys.READY_FOR_LOCAL_INIT_OP, lambda: None
            )
            self._init_op = self._or_made(init_op, GraphKeys.INIT_OP, variable_lists.global_variables_initializer)
            self._local_init_op = self._or_made(local_init_op, GraphKeys.LOCAL_INIT_OP, _local_init_op)
            self._saver = self._or_made(saver, GraphKeys.SAVERS, _saver)
            self._summary_op = self._or_made(summary_op, GraphKeys.SUMMARY_OP, summary.merge_all)
            self._global_step = self._or_made(global_step, GraphKeys.GLOBAL_STEP, _global_step)
        self._meta_graph_def = meta_graph.create_meta_graph_def(
            graph=graph,
            graph_def=graph.as_graph_def(add_shapes=True),
            saver_def=self._saver.saver_def if self._saver else None,
        )
        self._is_chief, self._init_feed_dict, self._init_fn = is_chief, init_feed_dict, init_fn
        self._coord = Coordinator()
        self._stop_grace_secs = stop_grace_secs
        # A worker that is not the chief writes nothing.
        self._logdir = os.fspath(logdir) if is_chief and logdir else None
        self._save_summaries_secs = save_summaries_secs if is_chief else None
        self._save_model_secs = save_model_secs if is_chief else None
        self._save_path = os.path.join(self._logdir, checkpoint_basename) if self._logdir else None
        self._summary_writer = None
        if is_chief:
            self._summary_writer = summary_writer
            if summary_writer is Supervisor.USE_DEFAULT:
                self._summary_writer = FileWriter(self._logdir) if self._logdir else None
        self._graph_added = False
        self._session_manager = session_manager or SessionManager(
            local_init_op=self._local_init_op,
            ready_op=self._ready_op,
            ready_for_local_init_op=self._ready_for_local_init_op,
            graph=graph,
            recovery_wait_secs=recovery_wait_secs,
            local_init_run_options=local_init_run_options,
        )
        if not is_chief:
            for op in graph.get_operations():
                if op.type in ("Variable", "VariableV2") and not op.device:
                    raise ValueError(f"When using replicas, all Variables must have their device set: {op}")
        graph.finalize()

    def _or_made(self, given: Any, key: str, make: Callable[[], Any]) -> Any:
        """What was given; else the first item of the collection; else what `make` gives, which joins the collection."""
        if given is not Supervisor.USE_DEFAULT:
            return given
        items = self._graph.get_collection(key)
        if len(items) > 1:
            log.info("Found %d %s operations. Returning the first one.", len(items), key)
        if items:
            return items[0]
        made = make()
        if made is not None:
            self._graph.add_to_collection(key, made)
        return made

    # -- what it has

    @property
    def is_chief(self) -> bool:
        return self._is_chief

    @property
    def session_manager(self) -> SessionManager:
        return self._session_manager

    @property
    def coord(self) -> Coordinator:
        return self._coord

    @property
    def init_op(self) -> Any:
        return self._init_op

    @property
    def init_feed_dict(self) -> Any:
        return self._init_feed_dict

    @property
    def ready_op(self) -> Any:
        return self._ready_op

    @property
    def ready_for_local_init_op(self) -> Any:
        return self._ready_for_local_init_op

    @property
    def summary_writer(self) -> Any:
        return self._summary_writer

    @property
    def summary_op(self) -> Any:
        return self._summary_op

    @property
    def save_summaries_secs(self) -> float | None:
        return self._save_summaries_secs

    @property
    def global_step(self) -> Any:
        return self._global_step

    @property
    def saver(self) -> Any:
        return self._saver

    @property
    def save_model_secs(self) -> float | None:
        return self._save_model_secs

    @property
    def save_path(self) -> str | None:
        return self._save_path

    # -- sessions

    def prepare_or_wait_for_session(
        self,
        master: str = "",
        config: Any = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        start_standard_services: bool = True,
    ) -> Any:
        """A session with a model that is ready; services and queue runners are started."""
        termination.check()
        self._coord.clear_stop()
        if self._summary_writer:
            self._summary_writer.reopen()
        if self._is_chief:
            sess = self._session_manager.prepare_session(
                master,
                init_op=self._init_op,
                saver=self._saver,
                checkpoint_dir=self._logdir,
                wait_for_checkpoint=wait_for_checkpoint,
                max_wait_secs=max_wait_secs,
                config=config,
                init_feed_dict=self._init_feed_dict,
                init_fn=self._init_fn,
            )
            self._write_graph()
            if start_standard_services:
                log.info("Starting standard services.")
                self.start_standard_services(sess)
        else:
            sess = self._session_manager.wait_for_session(master, config=config, max_wait_secs=max_wait_secs)
        if start_standard_services:
            log.info("Starting queue runners.")
            self.start_queue_runners(sess)
        return sess

    @contextlib.contextmanager
    def managed_session(
        self,
        master: str = "",
        config: Any = None,
        start_standard_services: bool = True,
        close_summary_writer: bool = True,
    ) -> Iterator[Any]:
        """A session in a `with` block, at whose end everything is stopped and closed.

        What is raised in the block, or in a thread, is raised at its end; that an input has ended is not.
        """
        sess: Any = None
        watch = termination.Watch()
        try:
            sess = self.prepare_or_wait_for_session(master, config, start_standard_services=start_standard_services)
            yield sess
        except Exception as error:
            self.request_stop(error)
        finally:
            try:
                self.stop(close_summary_writer=close_summary_writer)
                if sess is not None and termination.asked() and self._saver and self._save_path:
                    self._saver.save(sess, self._save_path, global_step=self._global_step)
            finally:
                watch.end()
                if sess is not None:
                    sess.close()

    def _write_graph(self) -> None:
        if self._logdir:
            graph_io.write_graph(self._graph.as_graph_def(add_shapes=True), self._logdir, "graph.pbtxt")
        if self._summary_writer and not self._graph_added:
            self._summary_writer.add_graph(self._graph)
            self._summary_writer.add_meta_graph(self._meta_graph_def)
            self._graph_added = True

    def start_standard_services(self, sess: Any) -> list[LooperThread] | None:
        """Start the threads that write summaries, the steps per second, and checkpoints. Raises RuntimeError on a
        worker.
        """
        if not self._is_chief:
            raise RuntimeError(
                "Only chief supervisor can start standard services. Because only chief supervisors can write events."
            )
        if not self._logdir:
            log.warning("Standard services need a 'logdir' passed to the SessionManager")
            return None
        if self._global_step is not None and self._summary_writer:
            step = value_of_step(sess, self._global_step)
            self._summary_writer.add_session_log(protos.SessionLog(status=protos.SessionLog.START), step)
        threads: list[LooperThread] = []
        if self._save_summaries_secs and self._summary_writer:
            if self._summary_op is not None:
                threads.append(SVSummaryThread(self, sess))
            if self._global_step is not None:
                threads.append(SVStepCounterThread(self, sess))
        if self._saver and self._save_model_secs:
            threads.append(SVTimerCheckpointThread(self, sess))
        for thread in threads:
            thread.start()
        return threads

    def start_queue_runners(self, sess: Any, queue_runners: Sequence[Any] | None = None) -> list[Any]:
        """Start the threads of the queue runners, all of the graph unless given."""
        runners = self._graph.get_collection(GraphKeys.QUEUE_RUNNERS) if queue_runners is None else queue_runners
        return [t for r in runners for t in r.create_threads(sess, coord=self._coord, daemon=True, start=True)]

    def loop(
        self, timer_interval_secs: float | None, target: Any, args: Any = None, kwargs: Any = None
    ) -> LooperThread:
        """Start a thread that calls `target` every so many seconds until the stop."""
        return LooperThread.loop(self._coord, timer_interval_secs, target, args, kwargs)

    # -- the end

    def stop(
        self,
        threads: Sequence[Any] | None = None,
        close_summary_writer: bool = True,
        ignore_live_threads: bool = False,
    ) -> None:
        """Stop all threads, wait for them, and raise what went wrong in one of them."""
        self._coord.request_stop()
        try:
            self._coord.join(
                threads, stop_grace_period_secs=self._stop_grace_secs, ignore_live_threads=ignore_live_threads
            )
        finally:
            if close_summary_writer and self._summary_writer:
                self._summary_writer.add_session_log(protos.SessionLog(status=protos.SessionLog.STOP))
                self._summary_writer.close()
                self._graph_added = False

    def request_stop(self, ex: Any = None) -> None:
        """Ask all threads to stop."""
        self._coord.request_stop(ex=ex)

    def should_stop(self) -> bool:
        """Whether a stop was requested, by SIGTERM too."""
        return self._coord.should_stop() or termination.asked()

    def stop_on_exception(self) -> contextlib.AbstractContextManager[None]:
        """An exception in the block requests a stop."""
        return self._coord.stop_on_exception()

    def wait_for_stop(self) -> None:
        """Wait until a stop is requested."""
        self._coord.wait_for_stop()

    def summary_computed(self, sess: Any, summary: Any, global_step: Any = None) -> None:
        """Write a summary that you have run yourself. Raises RuntimeError without a summary writer."""
        if not self._summary_writer:
            raise RuntimeError("Writing a summary requires a summary writer.")
        if global_step is None and self._global_step is not None:
            global_step = value_of_step(sess, self._global_step)
        self._summary_writer.add_summary(summary, global_step)

    # The names of 0.6.
    PrepareSession = prepare_or_wait_for_session
    StartQueueRunners = start_queue_runners
    StartStandardServices = start_standard_services
    Stop = stop
    RequestStop = request_stop
    Loop = loop
    ShouldStop = should_stop
    StopOnException = stop_on_exception
    WaitForStop = wait_for_stop
    SummaryComputed = summary_computed


def _local_init_op() -> Any:
    return basic.group(variable_lists.local_variables_initializer(), tables_initializer())


def _saver() -> Saver | None:
    return Saver() if variable_lists.global_variables() else None


def _global_step() -> Any:
    try:
        tensor = get_default_graph().get_tensor_by_name("global_step:0")
    except KeyError:
        return None
    if tensor.dtype.base_dtype in (dtypes.int32, dtypes.int64):
        return tensor
    log.warning("Found 'global_step' is not an int type: %s", tensor.dtype)
    return None


class SVSummaryThread(LooperThread):
    """Writes summaries every `save_summaries_secs`."""

    def __init__(self, sv: Supervisor, sess: Any):
        super().__init__(sv.coord, sv.save_summaries_secs)
        self._sv, self._sess = sv, sess

    def run_loop(self) -> None:
        step = None
        if self._sv.global_step is not None:
            values, step = self._sess.run([self._sv.summary_op, self._sv.global_step])
        else:
            values = self._sess.run(self._sv.summary_op)
        if self._sv.summary_writer:
            log.info("Recording summary at step %s.", step)
            self._sv.summary_writer.add_summary(values, step)


class SVStepCounterThread(LooperThread):
    """Writes the steps per second every `save_summaries_secs`."""

    def __init__(self, sv: Supervisor, sess: Any, step_counter: Any = None):
        super().__init__(sv.coord, sv.save_summaries_secs)
        self._sv, self._sess = sv, sess
        self._step_counter = sv.global_step if step_counter is None else step_counter
        self._summary_tag = f"{self._step_counter.op.name}/sec"

    def start_loop(self) -> None:
        self._last_time = time.time()
        self._last_step = value_of_step(self._sess, self._step_counter)

    def run_loop(self) -> None:
        step, now = value_of_step(self._sess, self._step_counter), time.time()
        seconds, steps = now - self._last_time, step - self._last_step
        self._last_time, self._last_step = now, step
        rate = steps / seconds if seconds > 0 else float("inf")
        if self._sv.summary_writer:
            value = protos.Summary()
            value.value.add(tag=self._summary_tag, simple_value=rate)
            self._sv.summary_writer.add_summary(value, step)
        log.log_first_n(log.INFO, "%s: %g", 10, self._summary_tag, rate)


class SVTimerCheckpointThread(LooperThread):
    """Saves a checkpoint every `save_model_secs`."""

    def __init__(self, sv: Supervisor, sess: Any):
        super().__init__(sv.coord, sv.save_model_secs)
        self._sv, self._sess = sv, sess

    def run_loop(self) -> None:
        sv = self._sv
        log.info("Saving checkpoint to path %s", sv.save_path)
        sv.saver.save(self._sess, sv.save_path, global_step=sv.global_step)
        if sv.summary_writer and sv.global_step is not None:
            sv.summary_writer.add_session_log(
                protos.SessionLog(status=protos.SessionLog.CHECKPOINT, checkpoint_path=sv.save_path),
                value_of_step(self._sess, sv.global_step),
            )
