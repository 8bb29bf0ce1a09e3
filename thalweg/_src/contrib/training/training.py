"""Training ops: gradients transformed on their way, update ops run first, one op that is a step; and the loop around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.core import scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.lib import global_step as steps
from thalweg._src.lib.monitored_session import MonitoredTrainingSession
from thalweg._src.lib.optimizers.optimizer import Optimizer
from thalweg._src.lib.platform import logging as log
from thalweg._src.lib.summary import summary
from thalweg._src.ops import basic
from thalweg._src.ops.numeric import clip
from thalweg._src.ops.reports.numerics import check_numerics as checked
from thalweg._src.ops.sparse_tensors.indexed_slices import IndexedSlices

USE_GLOBAL_STEP = 0  # the default of `global_step`: the graph's own; None is for none


def add_gradients_summaries(grads_and_vars: Any, separator: str = "_") -> list[Any]:
    """A histogram of each gradient, and its norm."""
    summaries = []
    for grad, var in grads_and_vars:
        if grad is None:
            log.info("Var %s has no gradient", var.op.name)
            continue
        values = grad.values if isinstance(grad, IndexedSlices) else grad
        summaries.append(summary.histogram(f"{var.op.name}{separator}gradient", values))
        summaries.append(summary.scalar(f"{var.op.name}{separator}gradient_norm", clip.global_norm([values])))
    return summaries


def _of_values(grad: Any, change: Callable[[Any], Any]) -> Any:
    if isinstance(grad, IndexedSlices):
        return IndexedSlices(change(grad.values), grad.indices, grad.dense_shape)
    return change(grad)


def clip_gradient_norms(gradients_to_variables: Any, max_norm: Any) -> list[Any]:
    """Each gradient by itself, no longer than `max_norm`."""
    return [
        (None if g is None else _of_values(g, lambda x: clip.clip_by_norm(x, max_norm)), v)
        for g, v in gradients_to_variables
    ]


def clip_gradient_norms_fn(max_norm: Any) -> Callable[[Any], list[Any]]:
    """`clip_gradient_norms` as a function of the pairs."""
    return lambda pairs: clip_gradient_norms(pairs, max_norm)


def multiply_gradients(grads_and_vars: Any, gradient_multipliers: Any) -> list[Any]:
    """Some of the gradients multiplied: by variable, or by its name. Raises ValueError where one of them is None."""
    if not isinstance(grads_and_vars, list):
        raise ValueError("`grads_and_vars` must be a list.")
    if not gradient_multipliers:
        raise ValueError("`gradient_multipliers` is empty.")
    if not isinstance(gradient_multipliers, dict):
        raise ValueError("`gradient_multipliers` must be a dict.")
    out = []
    for grad, var in grads_and_vars:
        key = var if var in gradient_multipliers else var.op.name
        if key in gradient_multipliers:
            if grad is None:
                raise ValueError("Requested multiple of `None` gradient.")
            by = to_tensor(gradient_multipliers[key], grad.dtype)
            grad = _of_values(grad, lambda x, by=by: x * by)
        out.append((grad, var))
    return out


def create_train_op(
    total_loss: Any,
    optimizer: Any,
    global_step: Any = USE_GLOBAL_STEP,
    update_ops: Any = None,
    variables_to_train: Any = None,
    transform_grads_fn: Any = None,
    summarize_gradients: bool = False,
    gate_gradients: Any = Optimizer.GATE_OP,
    aggregation_method: Any = None,
    colocate_gradients_with_ops: bool = False,
    check_numerics: bool = True,
) -> Any:
    """The loss, once the variables have moved: one run of it is a step of training.

    Update ops (of UPDATE_OPS by default) run before the loss; with `check_numerics` a loss that is no number is an error.
    """
    if global_step is USE_GLOBAL_STEP:
        global_step = steps.get_or_create_global_step()
    known = list(dict.fromkeys(scopes.get_collection(GraphKeys.UPDATE_OPS)))
    updates = known if update_ops is None else list(dict.fromkeys(update_ops))
    if not set(known) <= set(updates):
        log.warning("update_ops in create_train_op does not contain all the update_ops in GraphKeys.UPDATE_OPS")
    if updates:
        with basic.control_dependencies(updates):
            barrier = basic.no_op(name="update_barrier")
        total_loss = basic.with_dependencies([barrier], total_loss)
    trainable = scopes.get_collection(GraphKeys.TRAINABLE_VARIABLES)
    if variables_to_train is None:
        variables_to_train = trainable
    else:
        for v in variables_to_train:
            assert v.trainable or any(v is t for t in trainable)
    assert variables_to_train
    grads = optimizer.compute_gradients(
        total_loss,
        variables_to_train,
        gate_gradients=gate_gradients,
        aggregation_method=aggregation_method,
        colocate_gradients_with_ops=colocate_gradients_with_ops,
    )
    if transform_grads_fn:
        grads = transform_grads_fn(grads)
    if summarize_gradients:
        with scopes.name_scope("summarize_grads"):
            add_gradients_summaries(grads)
    moved = optimizer.apply_gradients(grads, global_step=global_step)
    with scopes.name_scope("train_op"):
        if check_numerics:
            total_loss = checked(total_loss, "LossTensor is inf or nan")
        train_op = basic.with_dependencies([moved], total_loss)
    there = scopes.get_collection_ref(GraphKeys.TRAIN_OP)
    if not any(train_op is t for t in there):
        there.append(train_op)
    return train_op


def train(
    train_op: Any,
    logdir: str | None,
    master: str = "",
    is_chief: bool = True,
    scaffold: Any = None,
    hooks: Any = None,
    chief_only_hooks: Any = None,
    save_checkpoint_secs: Any = 600,
    save_summaries_steps: Any = 100,
    config: Any = None,
    max_wait_secs: int = 7200,
    run_metadata: Any = None,
) -> Any:
    """Run `train_op` until a hook stops it; its last value. Raises ValueError without a directory for what is to be saved."""
    if logdir is None and is_chief:
        if save_summaries_steps:
            raise ValueError("logdir cannot be None when save_summaries_steps is not None")
        if save_checkpoint_secs:
            raise ValueError("logdir cannot be None when save_checkpoint_secs is not None")
    with MonitoredTrainingSession(
        master=master,
        is_chief=is_chief,
        checkpoint_dir=logdir,
        scaffold=scaffold,
        hooks=hooks,
        chief_only_hooks=chief_only_hooks,
        save_checkpoint_secs=save_checkpoint_secs,
        save_summaries_steps=save_summaries_steps,
        config=config,
        max_wait_secs=max_wait_secs,
    ) as session:
        loss = None
        while not session.should_stop():
            loss = session.run(train_op, run_metadata=run_metadata)
    return loss
