"""The whole loss of each network: adversarial, penalties, regularization."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.gan import losses as of_outputs
from thalweg._src.contrib.gan import penalties, tuple_losses
from thalweg._src.contrib.gan.models import (
    ACGANModel,
    CycleGANLoss,
    CycleGANModel,
    GANLoss,
    GANModel,
    InfoGANModel,
    StarGANModel,
)
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib import losses
from thalweg._src.lib.summary import summary
from thalweg._src.ops import basic, math
from thalweg._src.ops.reports.checks import assert_greater_equal
from thalweg._src.ops.stateful.variable_scope import variable_scope

Loss = Callable[..., Any]


def _checked_weight(weight: Any, name: str) -> Any:
    """`weight`, which is None or at least 0; a tensor is checked in the run. ValueError for a negative number."""
    if isinstance(weight, Tensor):
        weight.shape.assert_is_compatible_with([])
        with basic.control_dependencies([assert_greater_equal(weight, 0.0)]):
            return basic.identity(weight)
    if weight is not None and weight < 0:
        raise ValueError(f"`{name}` must be greater than 0. Instead, was {weight}")
    return weight


def _counts(weight: Any) -> bool:
    """Whether a loss of this weight is in the graph."""
    return weight is not None and (isinstance(weight, Tensor) or weight > 0)


def _pooled(model: Any, pool: Callable[[Any], Any]) -> Any:
    """`model` with the discriminator on samples from a pool of generated data. ValueError for a model of another kind."""
    if not isinstance(model, GANModel | ACGANModel | InfoGANModel):
        raise ValueError(f"Tensor pool does not support `model`: {type(model)}.")
    if isinstance(model, InfoGANModel):
        values = (model.generator_inputs, model.generated_data, model.structured_generator_inputs)
        inputs, data, structured = pool(values)
    else:
        inputs, data = pool((model.generator_inputs, model.generated_data))
    model = model._replace(generator_inputs=inputs, generated_data=data)
    with variable_scope(model.discriminator_scope, reuse=True):
        if isinstance(model, InfoGANModel):
            outputs, predicted = model.discriminator_and_aux_fn(data, inputs)
            return model._replace(
                structured_generator_inputs=structured,
                discriminator_gen_outputs=outputs,
                predicted_distributions=predicted,
            )
        outputs = model.discriminator_fn(data, inputs)
    if isinstance(model, ACGANModel):
        return model._replace(discriminator_gen_outputs=outputs[0], discriminator_gen_classification_logits=outputs[1])
    return model._replace(discriminator_gen_outputs=outputs)


def gan_loss(
    model: Any,
    generator_loss_fn: Loss = tuple_losses.wasserstein_generator_loss,
    discriminator_loss_fn: Loss = tuple_losses.wasserstein_discriminator_loss,
    gradient_penalty_weight: Any = None,
    gradient_penalty_epsilon: float = 1e-10,
    gradient_penalty_target: float = 1.0,
    gradient_penalty_one_sided: bool = False,
    mutual_information_penalty_weight: Any = None,
    aux_cond_generator_weight: Any = None,
    aux_cond_discriminator_weight: Any = None,
    tensor_pool_fn: Callable[[Any], Any] | None = None,
    add_summaries: bool = True,
) -> GANLoss:
    """The losses of `model`, with the penalties that have a weight, and each network's regularization.

    `tensor_pool_fn` (`tensor_pool`) lets the discriminator see older samples too. Raises ValueError for negative
    weights and for penalties that a model of this kind does not have.
    """
    penalty_weight = _checked_weight(gradient_penalty_weight, "gradient_penalty_weight")
    information_weight = _checked_weight(mutual_information_penalty_weight, "infogan_weight")
    generator_weight = _checked_weight(aux_cond_generator_weight, "aux_cond_generator_weight")
    discriminator_weight = _checked_weight(aux_cond_discriminator_weight, "aux_cond_discriminator_weight")
    if _counts(information_weight) and not isinstance(model, InfoGANModel):
        raise ValueError(
            "When `mutual_information_penalty_weight` is provided, `model` must be an `InfoGANModel`. Instead, was "
            f"{type(model)}."
        )
    if (_counts(generator_weight) or _counts(discriminator_weight)) and not isinstance(model, ACGANModel):
        raise ValueError(
            "When `aux_cond_generator_weight` or `aux_cond_discriminator_weight` is provided, `model` must be an "
            f"`ACGANModel`. Instead, was {type(model)}."
        )
    pooled = _pooled(model, tensor_pool_fn) if tensor_pool_fn else model
    generator_loss = generator_loss_fn(model, add_summaries=add_summaries)
    discriminator_loss = discriminator_loss_fn(pooled, add_summaries=add_summaries)
    if _counts(penalty_weight):
        discriminator_loss += penalty_weight * tuple_losses.wasserstein_gradient_penalty(
            pooled,
            epsilon=gradient_penalty_epsilon,
            target=gradient_penalty_target,
            one_sided=gradient_penalty_one_sided,
            add_summaries=add_summaries,
        )
    if _counts(information_weight):
        for_generator = for_discriminator = tuple_losses.mutual_information_penalty(model, add_summaries=add_summaries)
        if tensor_pool_fn:
            for_discriminator = tuple_losses.mutual_information_penalty(pooled, add_summaries=add_summaries)
        generator_loss += information_weight * for_generator
        discriminator_loss += information_weight * for_discriminator
    if _counts(generator_weight):
        generator_loss += generator_weight * tuple_losses.acgan_generator_loss(model, add_summaries=add_summaries)
    if _counts(discriminator_weight):
        classes = tuple_losses.acgan_discriminator_loss(pooled, add_summaries=add_summaries)
        discriminator_loss += discriminator_weight * classes

    def regularization(scope: Any) -> Any:
        return losses.get_regularization_loss(scope.name) if scope else 0

    return GANLoss(
        generator_loss + regularization(model.generator_scope),
        discriminator_loss + regularization(model.discriminator_scope),
    )


def cyclegan_loss(
    model: CycleGANModel,
    generator_loss_fn: Loss = tuple_losses.least_squares_generator_loss,
    discriminator_loss_fn: Loss = tuple_losses.least_squares_discriminator_loss,
    cycle_consistency_loss_fn: Loss = tuple_losses.cycle_consistency_loss,
    cycle_consistency_loss_weight: Any = 10.0,
    **kwargs: Any,
) -> CycleGANLoss:
    """`gan_loss(**kwargs)` of each direction, plus what is lost on the way there and back. ValueError for other models."""
    if not isinstance(model, CycleGANModel):
        raise ValueError(f"`model` must be a `CycleGANModel`. Instead, was {type(model)}.")
    lost = cycle_consistency_loss_fn(model, add_summaries=kwargs.get("add_summaries", True))
    lost = _checked_weight(cycle_consistency_loss_weight, "cycle_consistency_loss_weight") * lost

    def direction(scope: str, part: GANModel) -> GANLoss:
        with name_scope(scope):
            loss = gan_loss(
                part, generator_loss_fn=generator_loss_fn, discriminator_loss_fn=discriminator_loss_fn, **kwargs
            )
            return loss._replace(generator_loss=loss.generator_loss + lost)

    return CycleGANLoss(
        direction("cyclegan_loss_x2y", model.model_x2y), direction("cyclegan_loss_y2x", model.model_y2x)
    )


def stargan_loss(
    model: StarGANModel,
    generator_loss_fn: Loss = tuple_losses.stargan_generator_loss_wrapper(of_outputs.wasserstein_generator_loss),
    discriminator_loss_fn: Loss = tuple_losses.stargan_discriminator_loss_wrapper(
        of_outputs.wasserstein_discriminator_loss
    ),
    gradient_penalty_weight: Any = 10.0,
    gradient_penalty_epsilon: float = 1e-10,
    gradient_penalty_target: float = 1.0,
    gradient_penalty_one_sided: bool = False,
    reconstruction_loss_fn: Loss = losses.absolute_difference,
    reconstruction_loss_weight: Any = 10.0,
    classification_loss_fn: Loss = losses.softmax_cross_entropy,
    classification_loss_weight: Any = 1.0,
    classification_one_hot: bool = True,
    add_summaries: bool = True,
) -> GANLoss:
    """Adversarial loss, gradient penalty, what is lost there and back, and the domains' classification."""

    def classification(labels: Tensor, logits: Tensor, name: str) -> Tensor:
        with name_scope(name, None, (labels, logits)):
            loss = classification_loss_fn(onehot_labels=labels, logits=logits)
            if not classification_one_hot:
                loss = math.reduce_sum(loss, axis=1)
            loss = math.reduce_mean(loss)
            if add_summaries:
                summary.scalar(name, loss)
            return classification_loss_weight * loss

    model.input_data_domain_label.shape.assert_has_rank(2)
    model.input_data_domain_label.shape[1:].assert_is_fully_defined()
    generator_loss = generator_loss_fn(model, add_summaries=add_summaries)
    discriminator_loss = discriminator_loss_fn(model, add_summaries=add_summaries)
    if _counts(gradient_penalty_weight):
        penalty = tuple_losses.stargan_gradient_penalty_wrapper(penalties.wasserstein_gradient_penalty)
        discriminator_loss += gradient_penalty_weight * penalty(
            model,
            epsilon=gradient_penalty_epsilon,
            target=gradient_penalty_target,
            one_sided=gradient_penalty_one_sided,
            add_summaries=add_summaries,
        )
    lost = reconstruction_loss_fn(model.input_data, model.reconstructed_data)
    if add_summaries:
        summary.scalar("reconstruction_loss", lost)
    generator_loss += reconstruction_loss_weight * lost
    generator_loss += classification(
        model.generated_data_domain_target,
        model.discriminator_generated_data_domain_predication,
        "generator_classification_loss",
    )
    discriminator_loss += classification(
        model.input_data_domain_label,
        model.discriminator_input_data_domain_predication,
        "discriminator_classification_loss",
    )
    return GANLoss(generator_loss, discriminator_loss)
