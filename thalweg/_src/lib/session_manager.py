"""Sessions with a model in them: from a checkpoint, from initializers, or from another process."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import numpy as np

from thalweg._src.core import errors
from thalweg._src.core.graph import Graph, get_default_graph
from thalweg._src.lib import checkpoint_management
from thalweg._src.lib.platform import logging as log
from thalweg._src.runtime.session import Session


class SessionManager:
    """Makes sessions whose variables have values.

    `ready_op` gives the names of variables that have none (the model is ready when it is empty); `local_init_op`
    runs after every restore or initialization, once `ready_for_local_init_op` is empty. Raises ValueError for the
    latter alone.
    """

    def __init__(
        self,
        local_init_op: Any = None,
        ready_op: Any = None,
        ready_for_local_init_op: Any = None,
        graph: Graph | None = None,
        recovery_wait_secs: float = 30,
        local_init_run_options: Any = None,
    ):
        if ready_for_local_init_op is not None and local_init_op is None:
            raise ValueError(
                "If you pass a ready_for_local_init_op you must also pass a local_init_op , "
                f"ready_for_local_init_op [{ready_for_local_init_op}]"
            )
        self._local_init_op, self._ready_op = local_init_op, ready_op
        self._ready_for_local_init_op = ready_for_local_init_op
        self._graph = graph or get_default_graph()
        self._recovery_wait_secs, self._local_init_run_options = recovery_wait_secs, local_init_run_options

    def prepare_session(
        self,
        master: str,
        init_op: Any = None,
        saver: Any = None,
        checkpoint_dir: Any = None,
        checkpoint_filename_with_path: Any = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        config: Any = None,
        init_feed_dict: Any = None,
        init_fn: Any = None,
    ) -> Session:
        """A session with the model of the latest checkpoint in `checkpoint_dir`, or else initialized by `init_op` and
        `init_fn(session)`. Raises RuntimeError where the model is not ready after that.
        """
        sess, restored = self._restore(
            master, saver, checkpoint_dir, checkpoint_filename_with_path, wait_for_checkpoint, max_wait_secs, config
        )
        if not restored:
            if init_op is None and not init_fn and self._local_init_op is None:
                raise RuntimeError("Model is not initialized and no init_op or init_fn or local_init_op was given")
            if init_op is not None:
                sess.run(init_op, feed_dict=init_feed_dict)
            if init_fn:
                init_fn(sess)
        name = getattr(init_op, "name", init_op)
        ok, why = self._run_local_init(sess)
        if not ok:
            raise RuntimeError(
                f"Init operations did not make model ready for local_init.  Init op: {name}, init fn: {init_fn}, "
                f"error: {why}"
            )
        ok, why = self._model_ready(sess)
        if not ok:
            raise RuntimeError(
                f"Init operations did not make model ready.  Init op: {name}, init fn: {init_fn}, "
                f"local_init_op: {self._local_init_op}, error: {why}"
            )
        return sess

    def recover_session(
        self,
        master: str,
        saver: Any = None,
        checkpoint_dir: Any = None,
        checkpoint_filename_with_path: Any = None,
        wait_for_checkpoint: bool = False,
        max_wait_secs: float = 7200,
        config: Any = None,
    ) -> tuple[Session, bool]:
        """A session, and whether a checkpoint made its model ready."""
        sess, restored = self._restore(
            master, saver, checkpoint_dir, checkpoint_filename_with_path, wait_for_checkpoint, max_wait_secs, config
        )
        ok, why = self._run_local_init(sess)
        if not restored:
            return sess, False
        place = checkpoint_dir or checkpoint_filename_with_path
        if not ok:
            log.info("Restoring model from %s did not make model ready for local init: %s", place, why)
            return sess, False
        ok, why = self._model_ready(sess)
        if not ok:
            log.info("Restoring model from %s did not make model ready: %s", place, why)
            return sess, False
        log.info("Restored model from %s", place)
        return sess, True

    def wait_for_session(self, master: str, config: Any = None, max_wait_secs: float | None = float("inf")) -> Session:
        """A session on a model that another process makes ready. Raises DeadlineExceededError after `max_wait_secs`."""
        limit = float("inf") if max_wait_secs is None else max_wait_secs
        deadline = time.time() + limit
        while True:
            sess = Session(master, graph=self._graph, config=config)
            why_not_local = why = None
            ok, why_not_local = self._run_local_init(sess)
            if ok:
                ok, why = self._model_ready(sess)
                if ok:
                    return sess
            with contextlib.suppress(Exception):
                sess.close()
            if max(0.0, deadline - time.time()) < self._recovery_wait_secs:
                raise errors.DeadlineExceededError(None, None, f"Session was not ready after waiting {limit:g} secs.")
            log.info("Waiting for model to be ready.  Ready_for_local_init_op:  %s, ready: %s", why_not_local, why)
            time.sleep(self._recovery_wait_secs)

    def _restore(
        self,
        master: str,
        saver: Any,
        checkpoint_dir: Any,
        filename: Any,
        wait_for_checkpoint: bool,
        max_wait_secs: float,
        config: Any,
    ) -> tuple[Session, bool]:
        sess = Session(master, graph=self._graph, config=config)
        if checkpoint_dir and filename:
            raise ValueError("Can not provide both checkpoint_dir and checkpoint_filename_with_path.")
        if not saver or not (checkpoint_dir or filename):
            return sess, False
        if filename:
            saver.restore(sess, filename)
            return sess, True
        waited = 0.0
        state = checkpoint_management.get_checkpoint_state(checkpoint_dir)
        while state is None or not state.model_checkpoint_path:
            if not wait_for_checkpoint or waited >= max_wait_secs:
                return sess, False
            log.info("Waiting for checkpoint to be available.")
            time.sleep(self._recovery_wait_secs)
            waited += self._recovery_wait_secs
            state = checkpoint_management.get_checkpoint_state(checkpoint_dir)
        saver.restore(sess, state.model_checkpoint_path)
        saver.recover_last_checkpoints(list(state.all_model_checkpoint_paths))
        return sess, True

    def _model_ready(self, sess: Session) -> tuple[bool, str | None]:
        return readiness(self._ready_op, sess, "Model not ready")

    def _run_local_init(self, sess: Session) -> tuple[bool, str | None]:
        if self._local_init_op is None:
            return True, None
        ok, why = readiness(self._ready_for_local_init_op, sess, "Model not ready for local init")
        if not ok:
            return False, why
        log.info("Running local_init_op.")
        sess.run(self._local_init_op, options=self._local_init_run_options)
        log.info("Done running local_init_op.")
        return True, None


def readiness(op: Any, sess: Session, what: str) -> tuple[bool, str | None]:
    """Whether `op` gives no names, or why not."""
    if op is None:
        return True, None
    try:
        missing = sess.run(op)
    except errors.FailedPreconditionError as error:
        if "uninitialized" not in str(error):
            log.warning("%s : error [%s]", what, error)
            raise
        return False, str(error)
    # What `assert_variables_initialized` gives are ranks; programs of 0.x pass it as their ready_op.
    if missing is None or missing.dtype == np.int32 or missing.size == 0:
        return True, None
    return False, "Variables not initialized: " + ", ".join(name.decode() for name in missing)
