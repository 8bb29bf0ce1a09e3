"""Sessions that survive: hooks around every run, checkpoints, and a new session where the old one was lost."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.core import errors, scopes
from thalweg._src.core.graph import Graph, get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib import termination
from thalweg._src.lib.coordinator import Coordinator
from thalweg._src.lib.hooks.hook import SessionRunHook
from thalweg._src.lib.hooks.saving import CheckpointSaverHook, StepCounterHook, SummarySaverHook
from thalweg._src.lib.scaffold import Scaffold
from thalweg._src.lib.session_layers import (
    CoordinatedSession,
    HookedSession,
    RecoverableSession,
    SessionCreator,
    StepContext,
)
from thalweg._src.lib.session_manager import SessionManager

_DEFAULT: Any = object()


class _ByManager(SessionCreator):
    def __init__(self, scaffold: Scaffold | None, master: str, config: Any):
        self._scaffold, self._master, self._config = scaffold or Scaffold(), master, config
        self._manager: SessionManager | None = None

    def _get_session_manager(self) -> SessionManager:
        if self._manager is None:
            self._manager = SessionManager(
                local_init_op=self._scaffold.local_init_op,
                ready_op=self._scaffold.ready_op,
                ready_for_local_init_op=self._scaffold.ready_for_local_init_op,
                graph=get_default_graph(),
            )
        return self._manager


class ChiefSessionCreator(_ByManager):
    """Restores the latest checkpoint of `checkpoint_dir`, or the one given, or else initializes the model."""

    def __init__(
        self,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Any = None,
        checkpoint_dir: Any = None,
        checkpoint_filename_with_path: Any = None,
    ):
        super().__init__(scaffold, master, config)
        self._checkpoint_dir, self._filename = checkpoint_dir, checkpoint_filename_with_path

    def create_session(self) -> Any:
        self._scaffold.finalize()
        return self._get_session_manager().prepare_session(
            self._master,
            saver=self._scaffold.saver,
            checkpoint_dir=self._checkpoint_dir,
            checkpoint_filename_with_path=self._filename,
            config=self._config,
            init_op=self._scaffold.init_op,
            init_feed_dict=self._scaffold.init_feed_dict,
            init_fn=self._scaffold.init_fn,
        )


class WorkerSessionCreator(_ByManager):
    """Waits until the chief has made the model ready."""

    def __init__(
        self, scaffold: Scaffold | None = None, master: str = "", config: Any = None, max_wait_secs: float = 30 * 60
    ):
        super().__init__(scaffold, master, config)
        self._max_wait_secs = max_wait_secs

    def create_session(self) -> Any:
        self._scaffold.finalize()
        return self._get_session_manager().wait_for_session(
            self._master, config=self._config, max_wait_secs=self._max_wait_secs
        )


class _Monitored:
    """Hooks, a coordinator, and the session that they surround."""

    StepContext = StepContext

    def __init__(
        self,
        session_creator: SessionCreator | None,
        hooks: Sequence[SessionRunHook] | None,
        should_recover: bool,
        stop_grace_period_secs: float = 120,
    ):
        termination.check()
        self._graph_was_finalized = get_default_graph().finalized
        self._hooks = list(hooks or [])
        for hook in self._hooks:
            hook.begin()
        self._coordinated_creator = _CoordinatedCreator(
            session_creator or ChiefSessionCreator(), self._hooks, stop_grace_period_secs
        )
        self._sess: Any = (
            RecoverableSession(self._coordinated_creator)
            if should_recover
            else self._coordinated_creator.create_session()
        )
        self._watch = termination.Watch()

    @property
    def graph(self) -> Graph | None:
        """The graph, or None once the session is closed."""
        session = self._tf_sess()
        return None if session is None else session.graph

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """`Session.run`, with the hooks around it."""
        self._end_if_terminated()
        return self._sess.run(fetches, feed_dict=feed_dict, options=options, run_metadata=run_metadata)

    def run_step_fn(self, step_fn: Callable[..., Any]) -> Any:
        """Call `step_fn(step_context)`, which may run the session as often as it likes.

        Raises ValueError for a function with other arguments.
        """
        self._end_if_terminated()
        names = tuple(inspect.signature(step_fn).parameters)
        if names not in (("step_context",), ("self", "step_context")):
            raise ValueError(
                "`step_fn` may either have one `step_context` argument, or `self` and `step_context` arguments if "
                "it's an "
                f"instance method. Got {names} instead."
            )
        return self._sess.run_step_fn(step_fn, self._tf_sess(), run_with_hooks=None)

    def _end_if_terminated(self) -> None:
        """Where a program goes on after SIGTERM: save and close as at the end of a loop, then raise Terminated."""
        if termination.asked() and self.should_stop():
            self._close()
            termination.check()

    def should_stop(self) -> bool:
        """Whether a hook, a thread, or SIGTERM has asked for the end."""
        return self._sess is None or self._sess.should_stop()

    def close(self) -> None:
        """Let the hooks end, stop the threads, close the session."""
        self._close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, exception_type: Any, exception_value: Any, traceback: Any) -> bool:
        # That an input has ended is a way to end a training.
        if exception_type in (errors.OutOfRangeError, StopIteration):
            exception_type = None
        if exception_type is termination.Terminated and self._sess is None:
            return False
        self._close(exception_type)
        return exception_type is None

    def _close(self, exception_type: Any = None) -> None:
        try:
            if not exception_type:
                for hook in self._hooks:
                    hook.end(self._coordinated_creator.tf_sess)
        finally:
            try:
                if self._sess is None:
                    raise RuntimeError("Session is already closed.")
                self._sess.close()
            finally:
                self._sess = None
                self._watch.end()
                self._coordinated_creator.tf_sess = self._coordinated_creator.coord = None
                if not self._graph_was_finalized:
                    get_default_graph()._unsafe_unfinalize()

    def _is_closed(self) -> bool:
        return self._coordinated_creator.tf_sess is None

    def _tf_sess(self) -> Any:
        return self._coordinated_creator.tf_sess


class _CoordinatedCreator(SessionCreator):
    """Makes sessions with a coordinator, queue runners and hooks."""

    def __init__(self, creator: SessionCreator, hooks: list[SessionRunHook], stop_grace_period_secs: float):
        self._creator, self._hooks, self._grace = creator, hooks, stop_grace_period_secs
        self.coord: Coordinator | None = None
        self.tf_sess: Any = None

    def create_session(self) -> Any:
        self.tf_sess = self._creator.create_session()
        # An input that ends is for the `with` block to notice, so it is no clean stop here.
        self.coord = Coordinator(clean_stop_exception_types=[])
        for runner in scopes.get_collection(GraphKeys.QUEUE_RUNNERS):
            runner.create_threads(self.tf_sess, coord=self.coord, daemon=True, start=True)
        for hook in self._hooks:
            hook.after_create_session(self.tf_sess, self.coord)
        return CoordinatedSession(HookedSession(self.tf_sess, self._hooks), self.coord, self._grace)


class MonitoredSession(_Monitored):
    """A session with hooks that makes itself anew, from the last checkpoint, when a worker or server is lost.

    >>> step = tf.train.get_or_create_global_step()
    >>> train_op = tf.assign_add(step, 1)
    >>> with tf.train.MonitoredSession(hooks=[tf.train.StopAtStepHook(num_steps=3)]) as sess:
    ...     while not sess.should_stop():
    ...         print(sess.run(train_op))
    1
    2
    3
    """

    def __init__(
        self,
        session_creator: SessionCreator | None = None,
        hooks: Sequence[SessionRunHook] | None = None,
        stop_grace_period_secs: float = 120,
    ):
        super().__init__(session_creator, hooks, should_recover=True, stop_grace_period_secs=stop_grace_period_secs)


class SingularMonitoredSession(_Monitored):
    """As MonitoredSession, without recovery; `raw_session` gives the session itself."""

    def __init__(
        self,
        hooks: Sequence[SessionRunHook] | None = None,
        scaffold: Scaffold | None = None,
        master: str = "",
        config: Any = None,
        checkpoint_dir: Any = None,
        stop_grace_period_secs: float = 120,
        checkpoint_filename_with_path: Any = None,
    ):
        creator = ChiefSessionCreator(scaffold, master, config, checkpoint_dir, checkpoint_filename_with_path)
        super().__init__(creator, hooks, should_recover=False, stop_grace_period_secs=stop_grace_period_secs)

    def raw_session(self) -> Any:
        """The session; running it calls no hooks."""
        return self._tf_sess()


def MonitoredTrainingSession(
    master: str = "",
    is_chief: bool = True,
    checkpoint_dir: Any = None,
    scaffold: Scaffold | None = None,
    hooks: Sequence[SessionRunHook] | None = None,
    chief_only_hooks: Sequence[SessionRunHook] | None = None,
    save_checkpoint_secs: Any = _DEFAULT,
    save_summaries_steps: Any = _DEFAULT,
    save_summaries_secs: Any = _DEFAULT,
    config: Any = None,
    stop_grace_period_secs: float = 120,
    log_step_count_steps: int | None = 100,
    max_wait_secs: float = 7200,
    save_checkpoint_steps: Any = _DEFAULT,
    summary_dir: Any = None,
) -> MonitoredSession:
    """A MonitoredSession for training: it restores from `checkpoint_dir`, saves there every ten minutes (or as
    told), and writes summaries every 100 steps and the steps per second. A worker (`is_chief=False`) waits for its
    chief instead.
    """
    summaries = _one_of(save_summaries_steps, save_summaries_secs, (100, None))
    checkpoints = _one_of(save_checkpoint_steps, save_checkpoint_secs, (None, 600))
    scaffold = scaffold or Scaffold()
    if not is_chief:
        worker = WorkerSessionCreator(scaffold, master, config, max_wait_secs)
        return MonitoredSession(worker, hooks or [], stop_grace_period_secs)
    everything: list[SessionRunHook] = list(chief_only_hooks or [])
    creator = ChiefSessionCreator(scaffold, master, config, checkpoint_dir)
    summary_dir = summary_dir or checkpoint_dir
    if summary_dir:
        if log_step_count_steps and log_step_count_steps > 0:
            everything.append(StepCounterHook(output_dir=summary_dir, every_n_steps=log_step_count_steps))
        if _wanted(summaries):
            everything.append(
                SummarySaverHook(
                    scaffold=scaffold, save_steps=summaries[0], save_secs=summaries[1], output_dir=summary_dir
                )
            )
    if checkpoint_dir and _wanted(checkpoints):
        everything.append(
            CheckpointSaverHook(checkpoint_dir, save_steps=checkpoints[0], save_secs=checkpoints[1], scaffold=scaffold)
        )
    return MonitoredSession(creator, everything + list(hooks or []), stop_grace_period_secs)


def _one_of(steps: Any, seconds: Any, default: tuple[Any, Any]) -> tuple[Any, Any]:
    """Steps and seconds; what is not said is None, and `default` is taken where neither is."""
    if steps is _DEFAULT and seconds is _DEFAULT:
        return default
    return (None if steps is _DEFAULT else steps), (None if seconds is _DEFAULT else seconds)


def _wanted(pace: tuple[Any, Any]) -> bool:
    return any(x and x > 0 for x in pace)
