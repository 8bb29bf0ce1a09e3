"""Estimators of GANs: GANEstimator, StarGANEstimator."""

from __future__ import annotations

import enum
import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.contrib.framework.variables import get_trainable_variables
from thalweg._src.contrib.gan import building, pictures, training
from thalweg._src.contrib.gan.models import GANLoss, GANModel, StarGANModel
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib.estimators.estimator import Estimator
from thalweg._src.lib.estimators.modes import ModeKeys
from thalweg._src.lib.estimators.spec import EstimatorSpec
from thalweg._src.lib.metrics.means import mean
from thalweg._src.ops.stateful.variable_scope import variable_scope

Function = Callable[..., Any]


class SummaryType(enum.IntEnum):
    """What summaries an estimator makes of its model."""

    NONE = 0
    VARIABLES = 1
    IMAGES = 2
    IMAGE_COMPARISON = 3


OF_GAN: dict[SummaryType, Function] = {
    SummaryType.VARIABLES: pictures.add_gan_model_summaries,
    SummaryType.IMAGES: pictures.add_gan_model_image_summaries,
    SummaryType.IMAGE_COMPARISON: pictures.add_image_comparison_summaries,
}
OF_STARGAN: dict[SummaryType, Function] = {
    SummaryType.VARIABLES: pictures.add_gan_model_summaries,
    SummaryType.IMAGES: pictures.add_stargan_image_summaries,
}


def _for_mode(function: Function, mode: str) -> Function:
    """`function` with its argument `mode` given, if it has one."""
    return functools.partial(function, mode=mode) if "mode" in inspect.signature(function).parameters else function


def _summarized(model: Any, wanted: Any, makers: dict[SummaryType, Function]) -> Any:
    """`model`, after the summaries that are wanted of it were made."""
    with name_scope(None):
        for kind in wanted if isinstance(wanted, list | tuple) else [wanted] if wanted else []:
            makers[kind](model)
    return model


def metrics_of(model: Any, loss: GANLoss, get_eval_metric_ops_fn: Function | None, name: str | None = None) -> Any:
    """The means of both losses, and what `get_eval_metric_ops_fn(model)` adds: TypeError if that is no dict."""
    with name_scope(None, "metrics", list(loss)):
        values = {
            f"{key}/{name}" if name else key: mean(value)
            for key, value in zip(("generator_loss", "discriminator_loss"), loss, strict=True)
        }
        if get_eval_metric_ops_fn is not None:
            more = get_eval_metric_ops_fn(model)
            if not isinstance(more, dict):
                raise TypeError(f"get_eval_metric_ops_fn must return a dict, received: {more}")
            values.update(more)
    return values


def _check(loss_functions: dict[str, Any], use_loss_summaries: Any, get_hooks_fn: Any) -> None:
    for name, function in loss_functions.items():
        if not callable(function):
            raise ValueError(f"{name} must be callable.")
    if use_loss_summaries not in (True, False, None):
        raise ValueError("use_loss_summaries must be True, False or None.")
    if get_hooks_fn is not None and not callable(get_hooks_fn):
        raise TypeError("get_hooks_fn must be callable.")


def _check_mode(mode: str) -> None:
    if mode not in (ModeKeys.TRAIN, ModeKeys.EVAL, ModeKeys.PREDICT):
        raise ValueError(f"Mode not recognized: {mode}")


def spec_of(
    mode: str,
    model: Any,
    loss_of: Callable[[Any], GANLoss],
    get_eval_metric_ops_fn: Function | None,
    optimizers: Sequence[Any],
    get_hooks_fn: Function | None,
    is_chief: bool = True,
) -> EstimatorSpec:
    """What an estimator does with `model`; `optimizers` (the generator's, the discriminator's) may be functions."""
    if mode == ModeKeys.PREDICT:
        return EstimatorSpec(mode=mode, predictions=model.generated_data)
    loss = loss_of(model)
    total = loss.generator_loss + loss.discriminator_loss
    if mode == ModeKeys.EVAL:
        metrics = metrics_of(model, loss, get_eval_metric_ops_fn)
        return EstimatorSpec(mode=mode, predictions=model.generated_data, loss=total, eval_metric_ops=metrics)
    generator, discriminator = (o() if callable(o) else o for o in optimizers)
    train_ops = training.gan_train_ops(model, loss, generator, discriminator, is_chief=is_chief)
    hooks = (get_hooks_fn or training.get_sequential_train_hooks())(train_ops)
    return EstimatorSpec(mode=mode, loss=total, train_op=train_ops.global_step_inc_op, training_hooks=hooks)


class GANEstimator(Estimator):
    """An estimator whose features are the generator's inputs and whose labels are the real data; predictions are generated.

    The functions of the networks may take the argument `mode`. Raises ValueError or TypeError for what is not callable.
    """

    def __init__(
        self,
        model_dir: str | None = None,
        generator_fn: Function | None = None,
        discriminator_fn: Function | None = None,
        generator_loss_fn: Function | None = None,
        discriminator_loss_fn: Function | None = None,
        generator_optimizer: Any = None,
        discriminator_optimizer: Any = None,
        get_hooks_fn: Function | None = None,
        get_eval_metric_ops_fn: Function | None = None,
        add_summaries: Any = None,
        use_loss_summaries: bool | None = True,
        config: Any = None,
        warm_start_from: Any = None,
        is_chief: bool = True,
    ) -> None:
        losses = {"generator_loss_fn": generator_loss_fn, "discriminator_loss_fn": discriminator_loss_fn}
        _check(losses, use_loss_summaries, get_hooks_fn)

        def loss_of(model: Any) -> GANLoss:
            return GANLoss(*(function(model, add_summaries=use_loss_summaries) for function in losses.values()))

        def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
            _check_mode(mode)
            model = gan_model_of(mode, generator_fn, discriminator_fn, labels, features, add_summaries)
            optimizers = (generator_optimizer, discriminator_optimizer)
            return spec_of(mode, model, loss_of, get_eval_metric_ops_fn, optimizers, get_hooks_fn, is_chief)

        super().__init__(model_fn=model_fn, model_dir=model_dir, config=config, warm_start_from=warm_start_from)


def gan_model_of(
    mode: str, generator_fn: Any, discriminator_fn: Any, real_data: Any, generator_inputs: Any, add_summaries: Any
) -> GANModel:
    """A GANModel for `mode`; for predictions the generator alone, and ValueError if there are real data then."""
    generator_fn = _for_mode(generator_fn, mode)
    if mode != ModeKeys.PREDICT:
        discriminator_fn = _for_mode(discriminator_fn, mode)
        model = building.gan_model(
            generator_fn, discriminator_fn, real_data, generator_inputs, generator_scope="Generator", check_shapes=False
        )
        return _summarized(model, add_summaries, OF_GAN)
    if real_data is not None:
        raise ValueError(f"`labels` must be `None` when mode is `predict`. Instead, found {real_data}")
    with variable_scope("Generator") as scope:
        inputs = building.tensors(generator_inputs)
        generated = generator_fn(inputs)
    alone = (inputs, generated, get_trainable_variables(scope), scope, generator_fn)
    return GANModel(*alone, *[None] * (len(GANModel._fields) - len(alone)))


class StarGANEstimator(Estimator):
    """An estimator of images (features) and their domains (labels); to predict, features are images and wanted domains."""

    def __init__(
        self,
        model_dir: str | None = None,
        generator_fn: Function | None = None,
        discriminator_fn: Function | None = None,
        loss_fn: Function | None = None,
        generator_optimizer: Any = None,
        discriminator_optimizer: Any = None,
        get_hooks_fn: Function | None = None,
        get_eval_metric_ops_fn: Function | None = None,
        add_summaries: Any = None,
        use_loss_summaries: bool | None = True,
        config: Any = None,
    ) -> None:
        _check({"loss_fn": loss_fn}, use_loss_summaries, get_hooks_fn)

        def model_fn(features: Any, labels: Any, mode: str) -> EstimatorSpec:
            _check_mode(mode)
            data, domains = features if mode == ModeKeys.PREDICT else (features, labels)
            model = stargan_model_of(mode, generator_fn, discriminator_fn, data, domains, add_summaries)
            optimizers = (generator_optimizer, discriminator_optimizer)
            return spec_of(mode, model, loss_fn, get_eval_metric_ops_fn, optimizers, get_hooks_fn)

        super().__init__(model_fn=model_fn, model_dir=model_dir, config=config)


def stargan_model_of(
    mode: str, generator_fn: Any, discriminator_fn: Any, input_data: Any, domains: Any, add_summaries: Any
) -> StarGANModel:
    """A StarGANModel for `mode`; for predictions the generator alone, to the domains given."""
    generator_fn = _for_mode(generator_fn, mode)
    if mode != ModeKeys.PREDICT:
        discriminator_fn = _for_mode(discriminator_fn, mode)
        model = building.stargan_model(generator_fn, discriminator_fn, input_data, domains)
        return _summarized(model, add_summaries, OF_STARGAN)
    with variable_scope("Generator") as scope:
        data, target = building.tensors(input_data), building.tensors(domains)
        generated = generator_fn(data, target)
    nothing: dict[str, Any] = dict.fromkeys(StarGANModel._fields)
    return StarGANModel(**nothing)._replace(
        input_data=data,
        generated_data=generated,
        generated_data_domain_target=target,
        generator_variables=get_trainable_variables(scope),
        generator_scope=scope,
        generator_fn=generator_fn,
    )


def stargan_prediction_input_fn_wrapper(fn: Callable[[], Any]) -> Callable[[], tuple[Any, Tensor | None]]:
    """An input function that gives what `fn` gives as features, and no labels."""
    return lambda: (fn(), None)
