"""The layers between a monitored session and the session itself, each of which may ask for the end: recovery, threads, hooks."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import Any

from thalweg._src.core import errors
from thalweg._src.core.graph import Graph
from thalweg._src.lib import termination
from thalweg._src.lib.coordinator import Coordinator
from thalweg._src.lib.hooks.hook import SessionRunArgs, SessionRunContext, SessionRunHook, SessionRunValues
from thalweg._src.lib.platform import logging as log

# A worker or server went away: the work starts anew from the last checkpoint.
_PREEMPTION = (errors.AbortedError, errors.UnavailableError)


class SessionCreator(abc.ABC):
    """Makes the session of a MonitoredSession, whenever it needs one."""

    @abc.abstractmethod
    def create_session(self) -> Any:
        """A session that is ready to run."""


class StepContext:
    """What a step function gets: the session itself, and `run` with hooks."""

    def __init__(self, session: Any, run_with_hooks_fn: Callable[..., Any]):
        self._session, self._run_with_hooks_fn = session, run_with_hooks_fn

    @property
    def session(self) -> Any:
        """The session; running it calls no hooks."""
        return self._session

    def run_with_hooks(self, *args: Any, **kwargs: Any) -> Any:
        """`run` of the monitored session, hooks included."""
        return self._run_with_hooks_fn(*args, **kwargs)

    def request_stop(self) -> None:
        """Leave the `with` block of the monitored session."""
        raise StopIteration("step_fn has requested the iterations to stop.")


class _WrappedSession:
    def __init__(self, sess: Any):
        self._sess = sess

    @property
    def graph(self) -> Graph:
        return self._sess.graph

    @property
    def sess_str(self) -> Any:
        return self._sess.sess_str

    def should_stop(self) -> bool:
        """Whether this layer or one below asks for the end."""
        if self._check_stop() or self._sess is None:
            return True
        return isinstance(self._sess, _WrappedSession) and self._sess.should_stop()

    def _check_stop(self) -> bool:
        return False

    def close(self) -> None:
        """Close the session below; that it is lost already is no error."""
        if self._sess is None:
            return
        try:
            self._sess.close()
        except _PREEMPTION as error:
            log.warning("The session could not be closed in order; a worker or server may have gone: %s", error)
        finally:
            self._sess = None

    def run(self, *args: Any, **kwargs: Any) -> Any:
        return self._sess.run(*args, **kwargs)

    def run_step_fn(self, step_fn: Any, raw_session: Any, run_with_hooks: Any) -> Any:
        return step_fn(StepContext(raw_session, run_with_hooks or self.run))


class RecoverableSession(_WrappedSession):
    """Makes a new session when the one below is lost."""

    def __init__(self, creator: SessionCreator):
        self._creator = creator
        super().__init__(self._create_session())

    def _create_session(self) -> Any:
        while True:
            try:
                return self._creator.create_session()
            except _PREEMPTION as error:
                log.info(
                    "A session could not be made; a worker or server may have gone. Trying again. Error: %s", error
                )

    def _check_stop(self) -> bool:
        try:
            return True if self._sess is None else self._sess._check_stop()
        except _PREEMPTION as error:
            self._lost(error)
            self._sess = self._create_session()
            return False
        except Exception:  # `run` will raise it
            return True

    def _lost(self, error: Exception) -> None:
        log.info("The session is lost; a worker or server may have gone. A new one will be made. Error: %s", error)
        self.close()
        self._sess = None

    def run(self, *args: Any, **kwargs: Any) -> Any:
        while True:
            try:
                if self._sess is None:
                    self._sess = self._create_session()
                return self._sess.run(*args, **kwargs)
            except _PREEMPTION as error:
                self._lost(error)

    def run_step_fn(self, step_fn: Any, raw_session: Any, run_with_hooks: Any) -> Any:
        while True:
            try:
                if self._sess is None:
                    self._sess = self._create_session()
                return self._sess.run_step_fn(step_fn, raw_session, self._sess.run)
            except _PREEMPTION as error:
                self._lost(error)


class CoordinatedSession(_WrappedSession):
    """Stops with its coordinator's threads, and raises what went wrong in them."""

    def __init__(self, sess: Any, coord: Coordinator, stop_grace_period_secs: float):
        super().__init__(sess)
        self._coord, self._grace = coord, stop_grace_period_secs

    def _check_stop(self) -> bool:
        self._coord.raise_requested_exception()
        return self._coord.should_stop()

    def close(self) -> None:
        self._coord.request_stop()
        try:
            self._coord.join(stop_grace_period_secs=self._grace, ignore_live_threads=True)
        finally:
            try:
                super().close()
            except Exception as error:  # what the join raised is more telling
                log.warning("The session was not closed in order: %s", error)

    def run(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self._sess.run(*args, **kwargs)
        except _PREEMPTION:
            raise
        except Exception as original:
            # A lost server often shows first as another error: what the threads report decides.
            try:
                self._coord.raise_requested_exception()
            except _PREEMPTION:
                raise
            except Exception:
                raise original from None
            raise


class HookedSession(_WrappedSession):
    """Calls the hooks before and after each run."""

    def __init__(self, sess: Any, hooks: list[SessionRunHook]):
        super().__init__(sess)
        self._hooks = hooks
        self._should_stop = False

    def _check_stop(self) -> bool:
        return self._should_stop

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        from thalweg._src.formats import protos

        if self.should_stop():
            raise RuntimeError("Run called even after should_stop requested.")
        wanted: dict[Any, Any] = {"caller": fetches}
        context = SessionRunContext(SessionRunArgs(fetches, feed_dict), self._sess)
        options = options or protos.RunOptions()
        feeds = self._before_run(context, wanted, feed_dict, options)
        run_metadata = run_metadata or protos.RunMetadata()
        values = super().run(fetches=wanted, feed_dict=feeds, options=options, run_metadata=run_metadata)
        for hook in self._hooks:
            hook.after_run(context, SessionRunValues(values.get(hook), options, run_metadata))
        self._should_stop = self._should_stop or context.stop_requested or termination.asked()
        return values["caller"]

    def _before_run(self, context: SessionRunContext, wanted: dict[Any, Any], user_feeds: Any, options: Any) -> Any:
        """Ask the hooks what they want; gives the feeds of all."""
        feeds: dict[Any, Any] = {}
        for hook in self._hooks:
            request = hook.before_run(context)
            if request is None:
                continue
            if request.fetches is not None:
                wanted[hook] = request.fetches
            if request.feed_dict:
                _check_disjoint(feeds, request.feed_dict, "Same tensor is fed by two hooks.")
                feeds.update(request.feed_dict)
            if request.options:
                _merge_options(options, request.options)
        if not feeds or not user_feeds:
            return feeds or user_feeds
        _check_disjoint(user_feeds, feeds, "Same tensor is fed by a SessionRunHook and user.")
        return feeds | user_feeds


def _check_disjoint(one: dict[Any, Any], other: dict[Any, Any], message: str) -> None:
    both = set(one) & set(other)
    if both:
        raise RuntimeError(f"{message} Conflict(s): {list(both)}")


def _merge_options(options: Any, more: Any) -> None:
    """RunOptions that fulfil both."""
    for field in (
        *("trace_level", "timeout_in_ms", "inter_op_thread_pool", "output_partition_graphs"),
        "report_tensor_allocations_upon_oom",
    ):
        setattr(options, field, max(getattr(options, field), getattr(more, field)))
    if more.HasField("debug_options"):
        debug, other = options.debug_options, more.debug_options
        debug.debug_tensor_watch_opts.extend(other.debug_tensor_watch_opts)
        debug.reset_disk_byte_usage = debug.reset_disk_byte_usage or other.reset_disk_byte_usage
