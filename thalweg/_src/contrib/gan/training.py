"""Training steps of two networks that play against each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.contrib.gan.models import CycleGANModel, GANTrainOps, GANTrainSteps
from thalweg._src.contrib.slim import learning
from thalweg._src.contrib.training import training
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.scopes import get_collection, name_scope
from thalweg._src.lib.global_step import get_or_create_global_step
from thalweg._src.lib.hooks.hook import SessionRunHook
from thalweg._src.lib.optimizers.sync_replicas import SyncReplicasOptimizer
from thalweg._src.ops.stateful.initializers import zeros_initializer
from thalweg._src.ops.stateful.variable_scope import get_variable

Hooks = Callable[[GANTrainOps], list[SessionRunHook]]


def _update_ops(given: Any, model: Any, check: bool) -> tuple[list[Any], list[Any]]:
    """The update ops of each network's scope, of `given` or all. ValueError for others, if they are checked for."""
    every = get_collection(GraphKeys.UPDATE_OPS) if given is None else given
    wanted = list(dict.fromkeys(every))
    generator = get_collection(GraphKeys.UPDATE_OPS, model.generator_scope.name)
    discriminator = get_collection(GraphKeys.UPDATE_OPS, model.discriminator_scope.name)
    unused = [op for op in wanted if op not in generator and op not in discriminator]
    if check and unused:
        raise ValueError(f"There are unused update ops: {unused}")
    return [op for op in wanted if op in generator], [op for op in wanted if op in discriminator]


def gan_train_ops(
    model: Any,
    loss: Any,
    generator_optimizer: Any,
    discriminator_optimizer: Any,
    check_for_unused_update_ops: bool = True,
    is_chief: bool = True,
    **kwargs: Any,
) -> GANTrainOps:
    """The ops of a step; `kwargs` go to `create_train_op`. A CycleGANModel has a pair of each.

    Raises ValueError where an update op belongs to neither network, unless `check_for_unused_update_ops` is False.
    """
    if isinstance(model, CycleGANModel):
        common = (generator_optimizer, discriminator_optimizer, check_for_unused_update_ops, is_chief)
        with name_scope("cyclegan_x2y_train"):
            x2y = gan_train_ops(model.model_x2y, loss.loss_x2y, *common, **kwargs)
        with name_scope("cyclegan_y2x_train"):
            y2x = gan_train_ops(model.model_y2x, loss.loss_y2x, *common, **kwargs)
        return GANTrainOps(
            (x2y.generator_train_op, y2x.generator_train_op),
            (x2y.discriminator_train_op, y2x.discriminator_train_op),
            get_or_create_global_step().assign_add(1),
        )
    step = get_or_create_global_step()
    step_forward = step.assign_add(1)
    updates = _update_ops(kwargs.pop("update_ops", None), model, check_for_unused_update_ops)
    hooks: list[SessionRunHook] = []

    def train_op(kind: str, optimizer: Any, total: Any, variables: Any, updates: list[Any]) -> Any:
        own_step = None
        if isinstance(optimizer, SyncReplicasOptimizer):
            # It counts its own updates, so it must not count the step that the two networks share.
            own_step = get_variable(
                f"dummy_global_step_{kind}",
                shape=[],
                dtype=step.dtype.base_dtype,
                initializer=zeros_initializer(),
                trainable=False,
                collections=[GraphKeys.GLOBAL_VARIABLES],
            )
            updates = [*updates, own_step.assign(step)]
            hooks.append(optimizer.make_session_run_hook(is_chief))
        with name_scope(f"{kind}_train"):
            return training.create_train_op(
                total_loss=total,
                optimizer=optimizer,
                variables_to_train=variables,
                global_step=own_step,
                update_ops=updates,
                **kwargs,
            )

    return GANTrainOps(
        train_op("generator", generator_optimizer, loss.generator_loss, model.generator_variables, updates[0]),
        train_op(
            "discriminator", discriminator_optimizer, loss.discriminator_loss, model.discriminator_variables, updates[1]
        ),
        step_forward,
        hooks,
    )


class RunTrainOpsHook(SessionRunHook):
    """Runs `train_ops` a number of times before each step."""

    def __init__(self, train_ops: Any, train_steps: int) -> None:
        self._train_ops = train_ops if isinstance(train_ops, list | tuple) else [train_ops]
        self._train_steps = train_steps

    def before_run(self, run_context: Any) -> None:
        for _ in range(self._train_steps):
            run_context.session.run(self._train_ops)


def get_sequential_train_hooks(train_steps: GANTrainSteps = GANTrainSteps(1, 1)) -> Hooks:
    """Of train ops, the hooks that train the generator and then the discriminator."""

    def hooks(train_ops: GANTrainOps) -> list[SessionRunHook]:
        generator = RunTrainOpsHook(train_ops.generator_train_op, train_steps.generator_train_steps)
        discriminator = RunTrainOpsHook(train_ops.discriminator_train_op, train_steps.discriminator_train_steps)
        return [generator, discriminator, *train_ops.train_hooks]

    return hooks


def get_joint_train_hooks(train_steps: GANTrainSteps = GANTrainSteps(1, 1)) -> Hooks:
    """Of train ops, the hooks that train both in one run as often as both are due, and then the one that is left."""
    generator_steps, discriminator_steps = train_steps
    both = min(generator_steps, discriminator_steps)

    def hooks(train_ops: GANTrainOps) -> list[SessionRunHook]:
        generator, discriminator = train_ops.generator_train_op, train_ops.discriminator_train_op
        return [
            RunTrainOpsHook([generator, discriminator], both),
            RunTrainOpsHook(generator, generator_steps - both),
            RunTrainOpsHook(discriminator, discriminator_steps - both),
            *train_ops.train_hooks,
        ]

    return hooks


def gan_train(
    train_ops: GANTrainOps,
    logdir: str,
    get_hooks_fn: Hooks = get_sequential_train_hooks(),
    master: str = "",
    is_chief: bool = True,
    scaffold: Any = None,
    hooks: Sequence[SessionRunHook] | None = None,
    chief_only_hooks: Sequence[SessionRunHook] | None = None,
    save_checkpoint_secs: int | None = 600,
    save_summaries_steps: int | None = 100,
    config: Any = None,
) -> Any:
    """`tf.contrib.training.train` with the hooks of `get_hooks_fn`, until a hook stops it. Gives the last global step."""
    return training.train(
        train_ops.global_step_inc_op,
        logdir,
        master=master,
        is_chief=is_chief,
        scaffold=scaffold,
        hooks=[*(hooks or []), *get_hooks_fn(train_ops)],
        chief_only_hooks=chief_only_hooks,
        save_checkpoint_secs=save_checkpoint_secs,
        save_summaries_steps=save_summaries_steps,
        config=config,
    )


def get_sequential_train_steps(train_steps: GANTrainSteps = GANTrainSteps(1, 1)) -> Callable[..., tuple[Any, bool]]:
    """A `train_step_fn` for `slim.learning.train`: the generator's steps, then the discriminator's, then the count."""

    def train_step(
        session: Any, train_ops: GANTrainOps, global_step: Any, train_step_kwargs: dict[str, Any]
    ) -> tuple[Any, bool]:
        # Whether to stop is asked once the step has been counted.
        rest = {key: value for key, value in train_step_kwargs.items() if key != "should_stop"}
        total = 0
        for op, times in (
            (train_ops.generator_train_op, train_steps.generator_train_steps),
            (train_ops.discriminator_train_op, train_steps.discriminator_train_steps),
        ):
            for _ in range(times):
                total += learning.train_step(session, op, global_step, rest)[0]
        session.run(train_ops.global_step_inc_op)
        should_stop = train_step_kwargs.get("should_stop")
        return total, False if should_stop is None else session.run(should_stop)

    return train_step
