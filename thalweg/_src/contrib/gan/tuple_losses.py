"""The losses of `losses` and `penalties` with a model in the place of its parts."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.gan import losses, penalties
from thalweg._src.contrib.gan.models import CycleGANModel, GANLoss
from thalweg._src.core.graph import Tensor

Loss = Callable[..., Tensor]


def _named_after(loss: Loss, kind: str) -> Callable[[Loss], Loss]:
    """A decorator: the function gets the name of `loss`, and says of which one it is the version for `kind`."""

    def named(function: Loss) -> Loss:
        function.__name__, function.__module__ = loss.__name__, loss.__module__
        function.__doc__ = f"The version of {loss.__name__} that takes a {kind}."
        return function

    return named


def _of_model(loss: Loss) -> Loss:
    """`loss` with a model first, from which its arguments are taken by their names; the others are given by keyword.

    Raises ValueError for an argument that neither has, or that both have.
    """
    parameters = inspect.signature(loss).parameters

    @_named_after(loss, "GANModel")
    def of_model(gan_model: Any, **kwargs: Any) -> Tensor:
        held = set(gan_model._fields)
        for name, parameter in parameters.items():
            if parameter.default is parameter.empty and name not in held and name not in kwargs:
                raise ValueError(f"`{name}` must be supplied to {loss.__name__} loss function.")
        twice = held & set(kwargs)
        if twice:
            raise ValueError(
                f"The following args are present in both the tuple and keyword args for {loss.__name__}: {twice}"
            )
        for name in held & set(parameters):
            value = getattr(gan_model, name)
            if value is not None or parameters[name].default is inspect.Parameter.empty:
                kwargs[name] = value
        return loss(**kwargs)

    return of_model


wasserstein_generator_loss = _of_model(losses.wasserstein_generator_loss)
wasserstein_discriminator_loss = _of_model(losses.wasserstein_discriminator_loss)
wasserstein_gradient_penalty = _of_model(penalties.wasserstein_gradient_penalty)
acgan_discriminator_loss = _of_model(losses.acgan_discriminator_loss)
acgan_generator_loss = _of_model(losses.acgan_generator_loss)
minimax_discriminator_loss = _of_model(losses.minimax_discriminator_loss)
minimax_generator_loss = _of_model(losses.minimax_generator_loss)
modified_discriminator_loss = _of_model(losses.modified_discriminator_loss)
modified_generator_loss = _of_model(losses.modified_generator_loss)
least_squares_generator_loss = _of_model(losses.least_squares_generator_loss)
least_squares_discriminator_loss = _of_model(losses.least_squares_discriminator_loss)
mutual_information_penalty = _of_model(penalties.mutual_information_penalty)


def combine_adversarial_loss(
    gan_loss: GANLoss,
    gan_model: Any,
    non_adversarial_loss: Tensor,
    weight_factor: Any = None,
    gradient_ratio: Any = None,
    gradient_ratio_epsilon: float = 1e-6,
    scalar_summaries: bool = True,
    gradient_summaries: bool = True,
) -> GANLoss:
    """`gan_loss` whose generator's loss is combined with another one (`penalties.combine_adversarial_loss`)."""
    combined = penalties.combine_adversarial_loss(
        non_adversarial_loss,
        gan_loss.generator_loss,
        weight_factor,
        gradient_ratio,
        gradient_ratio_epsilon,
        gan_model.generator_variables,
        scalar_summaries,
        gradient_summaries,
    )
    return gan_loss._replace(generator_loss=combined)


def cycle_consistency_loss(
    cyclegan_model: CycleGANModel, scope: str | None = None, add_summaries: bool = False
) -> Tensor:
    """`losses.cycle_consistency_loss` of a CycleGANModel; ValueError for anything else."""
    if not isinstance(cyclegan_model, CycleGANModel):
        raise ValueError(f"`cyclegan_model` must be a `CycleGANModel`. Instead, was {type(cyclegan_model)}.")
    return losses.cycle_consistency_loss(
        cyclegan_model.model_x2y.generator_inputs,
        cyclegan_model.reconstructed_x,
        cyclegan_model.model_y2x.generator_inputs,
        cyclegan_model.reconstructed_y,
        scope,
        add_summaries,
    )


def stargan_generator_loss_wrapper(loss_fn: Loss) -> Loss:
    """`loss_fn(outputs on generated data)` for a StarGANModel."""

    @_named_after(loss_fn, "StarGANModel")
    def of_model(stargan_model: Any, **kwargs: Any) -> Tensor:
        return loss_fn(stargan_model.discriminator_generated_data_source_predication, **kwargs)

    return of_model


def stargan_discriminator_loss_wrapper(loss_fn: Loss) -> Loss:
    """`loss_fn(outputs on real data, outputs on generated data)` for a StarGANModel."""

    @_named_after(loss_fn, "StarGANModel")
    def of_model(stargan_model: Any, **kwargs: Any) -> Tensor:
        return loss_fn(
            stargan_model.discriminator_input_data_source_predication,
            stargan_model.discriminator_generated_data_source_predication,
            **kwargs,
        )

    return of_model


def stargan_gradient_penalty_wrapper(loss_fn: Loss) -> Loss:
    """A gradient penalty for a StarGANModel, whose discriminator takes the number of domains."""

    @_named_after(loss_fn, "StarGANModel")
    def of_model(stargan_model: Any, **kwargs: Any) -> Tensor:
        return loss_fn(
            real_data=stargan_model.input_data,
            generated_data=stargan_model.generated_data,
            generator_inputs=stargan_model.input_data_domain_label.shape.as_list()[-1],
            discriminator_fn=stargan_model.discriminator_fn,
            discriminator_scope=stargan_model.discriminator_scope,
            **kwargs,
        )

    return of_model
