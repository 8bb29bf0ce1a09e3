"""One pass of evaluation: a checkpoint, metrics that are updated step by step, and their values at the end."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.graph import get_default_graph
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib.hooks.basic import FinalOpsHook
from thalweg._src.lib.hooks.hook import SessionRunArgs, SessionRunHook
from thalweg._src.lib.monitored_session import ChiefSessionCreator, MonitoredSession
from thalweg._src.lib.platform import logging as log
from thalweg._src.ops import basic
from thalweg._src.ops.stateful import variable_scope
from thalweg._src.ops.stateful.initializers import zeros_initializer

EVAL_STEP = "eval_step"


def get_or_create_eval_step() -> Any:
    """The local variable that counts evaluated batches. Raises ValueError when there are several."""
    there = scopes.get_collection(EVAL_STEP)
    if len(there) == 1:
        return there[0]
    if len(there) > 1:
        raise ValueError("Multiple tensors added to tf.GraphKeys.EVAL_STEP")
    return variable_scope.get_variable(
        EVAL_STEP,
        shape=[],
        dtype=dtypes.int64,
        initializer=zeros_initializer(),
        trainable=False,
        collections=[GraphKeys.LOCAL_VARIABLES, EVAL_STEP],
    )


class StopAfterNEvalsHook(SessionRunHook):
    """Asks for the end after `num_evals` batches; None is never."""

    def __init__(self, num_evals: int | None, log_progress: bool = True):
        self._num_evals, self._log_progress = num_evals, log_progress
        self._evals_completed: Any = None
        self._every = 1 if num_evals is None or num_evals < 20 else math.floor(num_evals / 10)

    def _set_evals_completed_tensor(self, updated_eval_step: Any) -> None:
        self._evals_completed = updated_eval_step

    def before_run(self, run_context: Any) -> SessionRunArgs:
        return SessionRunArgs({"evals_completed": self._evals_completed})

    def after_run(self, run_context: Any, run_values: Any) -> None:
        done = run_values.results["evals_completed"]
        if self._log_progress:
            if self._num_evals is None:
                log.info("Evaluation [%d]", done)
            elif done % self._every == 0 or self._num_evals == done:
                log.info("Evaluation [%d/%d]", done, self._num_evals)
        if self._num_evals is not None and done >= self._num_evals:
            run_context.request_stop()


def counted(eval_ops: Any, hooks: Any) -> Any:
    """`eval_ops` with the op that counts evaluations, and the hooks told of the count."""
    step = get_or_create_eval_step()
    update = step.assign_add(1, use_locking=True)
    if isinstance(eval_ops, dict):
        eval_ops = {**eval_ops, "update_eval_step": update}
        running = list(eval_ops.values())
    else:
        running = eval_ops = [*(eval_ops if isinstance(eval_ops, list | tuple) else [eval_ops]), update]
    with get_default_graph().control_dependencies(running):
        count = basic.identity(step.read_value())
    for hook in hooks:
        if hasattr(hook, "_set_evals_completed_tensor"):
            hook._set_evals_completed_tensor(count)
    return eval_ops


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def evaluate_in(creator: Any, hooks: Any, eval_ops: Any, feed_dict: Any) -> None:
    """Run `eval_ops` in a session that `creator` makes, until a hook or the input ends it."""
    log.info("Starting evaluation at %s", _now())
    with MonitoredSession(session_creator=creator, hooks=hooks) as session:
        if eval_ops is not None:
            while not session.should_stop():
                session.run(eval_ops, feed_dict)
    log.info("Finished evaluation at %s", _now())


def evaluate_once(
    checkpoint_path: Any,
    master: str = "",
    scaffold: Any = None,
    eval_ops: Any = None,
    feed_dict: Any = None,
    final_ops: Any = None,
    final_ops_feed_dict: Any = None,
    hooks: Any = None,
    config: Any = None,
) -> Any:
    """Run `eval_ops` on a checkpoint until a hook or the input ends it, and give what `final_ops` are then."""
    hooks = list(hooks or [])
    get_or_create_eval_step()
    if eval_ops is not None:
        eval_ops = counted(eval_ops, hooks)
    creator = ChiefSessionCreator(
        scaffold=scaffold, checkpoint_filename_with_path=checkpoint_path, master=master, config=config
    )
    final = FinalOpsHook(final_ops, final_ops_feed_dict)
    evaluate_in(creator, [*hooks, final], eval_ops, feed_dict)
    return final.final_ops_values


def write_results(output_dir: str, results: dict[str, Any], step: Any, checkpoint_path: Any = None) -> None:
    """Results as summaries of `output_dir`: numbers, arrays, and serialized summaries; and which checkpoint they are of."""
    from google.protobuf.message import DecodeError

    from thalweg._src.core.tensor_protos import make_tensor_proto
    from thalweg._src.formats import protos
    from thalweg._src.lib.summary.writer import FileWriterCache

    told = ", ".join(f"{k} = {v}" for k, v in sorted(results.items()) if not isinstance(v, bytes))
    log.info("Saving dict for global step %d: %s", step, told)
    summary = protos.Summary()
    for key, value in results.items():
        if value is None or key == "global_step":
            continue
        if isinstance(value, float | np.floating | int | np.integer) and not isinstance(value, np.float16):
            summary.value.add(tag=key, simple_value=float(value))
        elif isinstance(value, bytes):
            try:
                inner = protos.Summary.FromString(value)
            except DecodeError:
                log.warning("Skipping summary for %s, cannot parse string to Summary.", key)
                continue
            for i, item in enumerate(inner.value):
                item.tag = f"{key}/{i}"
            summary.value.extend(inner.value)
        elif isinstance(value, np.ndarray):
            summary.value.add(tag=key, node_name=key).tensor.CopyFrom(make_tensor_proto(value))
        else:
            log.warning("Skipping summary for %s: it is no number, array or serialized Summary.", key)
    writer = FileWriterCache.get(output_dir)
    writer.add_summary(summary, step)
    if checkpoint_path:
        log.info("Saving 'checkpoint_path' summary for global step %d: %s", step, checkpoint_path)
        path = protos.Summary()
        name = checkpoint_path if isinstance(checkpoint_path, bytes) else str(checkpoint_path).encode()
        path.value.add(tag="checkpoint_path").tensor.CopyFrom(make_tensor_proto(np.array(name, object)))
        writer.add_summary(path, step)
    writer.flush()
