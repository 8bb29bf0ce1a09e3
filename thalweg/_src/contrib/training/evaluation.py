"""Evaluation of checkpoints: once, or again and again as they appear."""

from __future__ import annotations

from typing import Any

from thalweg._src.lib import global_step as steps
from thalweg._src.lib.checkpoints import checkpoints_iterator
from thalweg._src.lib.estimators.evaluating import StopAfterNEvalsHook as StopAfterNEvalsHook
from thalweg._src.lib.estimators.evaluating import counted, evaluate_in
from thalweg._src.lib.estimators.evaluating import evaluate_once as evaluate_once
from thalweg._src.lib.estimators.evaluating import get_or_create_eval_step as get_or_create_eval_step
from thalweg._src.lib.hooks.basic import FinalOpsHook
from thalweg._src.lib.hooks.hook import SessionRunHook
from thalweg._src.lib.monitored_session import ChiefSessionCreator
from thalweg._src.lib.summary import summary
from thalweg._src.lib.summary.writer import FileWriterCache


class SummaryAtEndHook(SessionRunHook):
    """Writes summaries (all of them by default) once, at the end. Raises ValueError without a directory and a writer."""

    def __init__(
        self, log_dir: str | None = None, summary_writer: Any = None, summary_op: Any = None, feed_dict: Any = None
    ):
        if log_dir is None and summary_writer is None:
            raise ValueError("One of log_dir or summary_writer should be used.")
        self._log_dir, self._summary_writer = log_dir, summary_writer
        self._summary_op, self._replace_summary_op = summary_op, summary_op is None
        self._feed_dict = feed_dict

    def begin(self) -> None:
        if self._replace_summary_op:
            self._summary_op = summary.merge_all()
        self._global_step = steps.get_or_create_global_step()

    def after_create_session(self, session: Any, coord: Any) -> None:
        if self._summary_writer is None and self._log_dir:
            self._summary_writer = FileWriterCache.get(self._log_dir)

    def end(self, session: Any) -> None:
        if self._summary_op is not None:
            step = steps.global_step(session, self._global_step)
            written = session.run(self._summary_op, self._feed_dict)
            if self._summary_writer:
                self._summary_writer.add_summary(written, step)
        if self._summary_writer:
            self._summary_writer.flush()


def evaluate_repeatedly(
    checkpoint_dir: str,
    master: str = "",
    scaffold: Any = None,
    eval_ops: Any = None,
    feed_dict: Any = None,
    final_ops: Any = None,
    final_ops_feed_dict: Any = None,
    eval_interval_secs: float = 60,
    hooks: Any = None,
    config: Any = None,
    max_number_of_evaluations: int | None = None,
    timeout: float | None = None,
    timeout_fn: Any = None,
) -> Any:
    """`evaluate_once` of each checkpoint that appears in a directory; the last values of `final_ops`."""
    get_or_create_eval_step()
    hooks = list(hooks or [])
    if eval_ops is not None:
        eval_ops = counted(eval_ops, hooks)
    final = FinalOpsHook(final_ops, final_ops_feed_dict)
    paths = checkpoints_iterator(
        checkpoint_dir, min_interval_secs=eval_interval_secs, timeout=timeout, timeout_fn=timeout_fn
    )
    for done, path in enumerate(paths, 1):
        creator = ChiefSessionCreator(
            scaffold=scaffold, checkpoint_filename_with_path=path, master=master, config=config
        )
        evaluate_in(creator, [*hooks, final], eval_ops, feed_dict)
        if max_number_of_evaluations is not None and done >= max_number_of_evaluations:
            break
    return final.final_ops_values
