"""GANHead: what GANEstimator was built around before TensorFlow 1.12."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.gan import training
from thalweg._src.contrib.gan.estimators import metrics_of
from thalweg._src.contrib.gan.models import GANLoss, GANModel
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib.estimators.export_outputs import PredictOutput
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.estimators.spec import EstimatorSpec

Function = Callable[..., Any]


class GANHead:
    """A head whose logits are a GANModel. Raises TypeError or ValueError for arguments of the wrong kind."""

    def __init__(
        self,
        generator_loss_fn: Function,
        discriminator_loss_fn: Function,
        generator_optimizer: Any,
        discriminator_optimizer: Any,
        use_loss_summaries: bool | None = True,
        get_hooks_fn: Function | None = None,
        get_eval_metric_ops_fn: Function | None = None,
        name: str | None = None,
    ) -> None:
        losses = {"generator_loss_fn": generator_loss_fn, "discriminator_loss_fn": discriminator_loss_fn}
        for argument, function in losses.items():
            if not callable(function):
                raise TypeError(f"{argument} must be callable.")
        if use_loss_summaries not in (True, False, None):
            raise ValueError("use_loss_summaries must be True, False or None.")
        if get_hooks_fn is not None and not callable(get_hooks_fn):
            raise TypeError("get_hooks_fn must be callable.")
        if name is not None and not isinstance(name, str):
            raise TypeError("name must be string.")
        summaries = {} if use_loss_summaries is None else {"add_summaries": use_loss_summaries}
        self._losses = [functools.partial(function, **summaries) for function in losses.values()]
        self._optimizers = (generator_optimizer, discriminator_optimizer)
        self._get_hooks_fn = get_hooks_fn or training.get_sequential_train_hooks()
        self._get_eval_metric_ops_fn = get_eval_metric_ops_fn
        self._name = name

    @property
    def name(self) -> str | None:
        return self._name

    @property
    def logits_dimension(self) -> None:
        return None

    def create_loss(self, features: Any, mode: str, logits: Any, labels: Any) -> GANLoss:
        """The losses of the model `logits`. ValueError where that is none, or `labels` is something."""
        _check_inputs(logits, labels)
        return GANLoss(*(loss(logits) for loss in self._losses))

    def create_estimator_spec(
        self, features: Any, mode: str, logits: Any, labels: Any = None, train_op_fn: Any = training.gan_train_ops
    ) -> EstimatorSpec:
        """The EstimatorSpec for `mode`. Raises ValueError for features, labels, other logits or an unknown mode."""
        _check_inputs(logits, labels)
        if features is not None:
            raise ValueError(f"`features` should be `None`. Instead, found: {features}")
        generated = logits.generated_data
        with name_scope("GANHead"):
            if mode == ModeKeys.PREDICT:
                return EstimatorSpec(mode, generated, export_outputs={"predict": PredictOutput(generated)})
            if mode not in (ModeKeys.EVAL, ModeKeys.TRAIN):
                raise ValueError(f"Mode not recognized: {mode}")
            if mode == ModeKeys.TRAIN and train_op_fn is None:
                raise ValueError("train_op_fn can not be None.")
            loss = self.create_loss(None, mode, logits, None)
            total = loss.generator_loss + loss.discriminator_loss
            if mode == ModeKeys.EVAL:
                metrics = metrics_of(logits, loss, self._get_eval_metric_ops_fn, self._name)
                return EstimatorSpec(mode, generated, total, eval_metric_ops=metrics)
            train_ops = train_op_fn(logits, loss, *self._optimizers)
            hooks = self._get_hooks_fn(train_ops)
            return EstimatorSpec(mode, loss=total, train_op=train_ops.global_step_inc_op, training_hooks=hooks)


def _check_inputs(logits: Any, labels: Any) -> None:
    if labels is not None:
        raise ValueError(f"`GANHead`'s `create_estimator_spec` input `labels` must be `None`. Instead, found: {labels}")
    if not isinstance(logits, GANModel):
        raise ValueError(
            f"`GANHead`'s `create_estimator_spec` input `logits` must be an instance of a `GANModel`. Instead, found: {logits}"
        )


def gan_head(
    generator_loss_fn: Function,
    discriminator_loss_fn: Function,
    generator_optimizer: Any,
    discriminator_optimizer: Any,
    use_loss_summaries: bool | None = True,
    get_hooks_fn: Function = training.get_sequential_train_hooks(),
    get_eval_metric_ops_fn: Function | None = None,
    name: str | None = None,
) -> GANHead:
    """A `GANHead` of the same arguments."""
    return GANHead(
        generator_loss_fn,
        discriminator_loss_fn,
        generator_optimizer,
        discriminator_optimizer,
        use_loss_summaries,
        get_hooks_fn,
        get_eval_metric_ops_fn,
        name,
    )
