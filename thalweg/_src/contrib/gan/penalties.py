"""What is added to the losses of a GAN: gradient penalty, mutual information, a second loss in a fixed proportion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from thalweg._src.contrib.framework.variables import get_trainable_variables
from thalweg._src.contrib.gan.losses import LOSSES, MEAN, report
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.infer import constant_value
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib import losses
from thalweg._src.lib.summary import summary
from thalweg._src.ops import array, basic, math
from thalweg._src.ops.chance.random import random_uniform
from thalweg._src.ops.derivatives.gradients import gradients
from thalweg._src.ops.numeric.clip import global_norm
from thalweg._src.ops.stateful.variable_scope import variable_scope
from thalweg._src.ops.stateful.variable_store import AUTO_REUSE


def wasserstein_gradient_penalty(
    real_data: Any,
    generated_data: Any,
    generator_inputs: Any,
    discriminator_fn: Callable[..., Any],
    discriminator_scope: Any,
    epsilon: float = 1e-10,
    target: float = 1.0,
    one_sided: bool = False,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = LOSSES,
    reduction: str = MEAN,
    add_summaries: bool = False,
) -> Tensor:
    """(|dD/dx| / target - 1)² at random points between real and generated data (arXiv 1704.00028).

    `one_sided`: only slopes above the target count. Raises ValueError for data of unknown rank.
    """
    with name_scope(scope, "wasserstein_gradient_penalty", (real_data, generated_data)) as scope:
        real, generated = to_tensor(real_data), to_tensor(generated_data)
        for name, data in (("real_data", real), ("generated_data", generated)):
            if data.shape.ndims is None:
                raise ValueError(f"`{name}` can't have unknown rank.")
        differences = generated - real
        batch = differences.shape.as_list()[0] or array.shape(differences)[0]
        part = random_uniform(shape=[batch] + [1] * (differences.shape.ndims - 1))
        between = real + part * differences
        # The discriminator's operations belong to its own scope, wherever this is called.
        with name_scope(None), variable_scope(discriminator_scope, "gpenalty_dscope", reuse=AUTO_REUSE):
            outputs = discriminator_fn(between, generator_inputs)
        if isinstance(outputs, tuple):
            outputs = outputs[0]
        slopes = gradients(outputs, between)[0]
        squares = math.reduce_sum(math.square(slopes), axis=list(range(1, slopes.shape.ndims)))
        if isinstance(batch, int):
            squares.set_shape([batch] + squares.shape.as_list()[1:])
        excess = math.sqrt(squares + epsilon) / target - 1.0
        if one_sided:
            excess = math.maximum(0.0, excess)
        penalty = losses.compute_weighted_loss(math.square(excess), weights, scope, loss_collection, reduction)
        report(add_summaries, gradient_penalty_loss=penalty)
        return penalty


def mutual_information_penalty(
    structured_generator_inputs: Sequence[Any],
    predicted_distributions: Sequence[Any],
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = LOSSES,
    reduction: str = MEAN,
    add_summaries: bool = False,
) -> Tensor:
    """Minus the log probability of the structured noise under what the discriminator guesses (arXiv 1606.03657).

    Raises ValueError for what is no list of distributions, or one of another length.
    """
    if not isinstance(predicted_distributions, list | tuple):
        raise ValueError(f"`distributions` must be a list or tuple. Instead, found {type(predicted_distributions)}.")
    for guess in predicted_distributions:
        if not callable(getattr(guess, "log_prob", None)):
            raise ValueError(f"`distributions` must be a list of `Distributions`. Instead, found {type(guess)}.")
    if len(structured_generator_inputs) != len(predicted_distributions):
        raise ValueError(
            f"`structured_generator_inputs` length {len(structured_generator_inputs)} must be the same as "
            f"`predicted_distributions` length {len(predicted_distributions)}."
        )
    with name_scope(scope, "mutual_information_loss") as scope:
        pairs = zip(predicted_distributions, structured_generator_inputs, strict=True)
        likely = [math.reduce_mean(guess.log_prob(noise)) for guess, noise in pairs]
        loss = -1 * losses.compute_weighted_loss(array.stack(likely), weights, scope, loss_collection, reduction)
        report(add_summaries, mutual_information_penalty=loss)
    return loss


def _scaled_norm(tensors: Sequence[Tensor | None]) -> Any:
    """The global norm, computed of numbers up to 1 so that squares do not overflow; 0 where there is nothing."""
    present = [t for t in tensors if t is not None]
    if not present:
        return 0.0
    largest = math.reduce_max(array.stack([math.reduce_max(math.abs(t)) for t in present]))
    return largest * global_norm([t / largest for t in present])


def combine_adversarial_loss(
    main_loss: Tensor,
    adversarial_loss: Tensor,
    weight_factor: Any = None,
    gradient_ratio: Any = None,
    gradient_ratio_epsilon: float = 1e-6,
    variables: Sequence[Any] | None = None,
    scalar_summaries: bool = True,
    gradient_summaries: bool = True,
    scope: str | None = None,
) -> Tensor:
    """main + c · adversarial, where c is `weight_factor` or what makes the norms of the gradients have `gradient_ratio`.

    Raises ValueError for losses that are not scalars, and unless exactly one of the two numbers is given.
    """
    for loss in (main_loss, adversarial_loss):
        loss.shape.assert_is_compatible_with([])
    if (weight_factor is None) == (gradient_ratio is None):
        both = "be `None.`" if weight_factor is None else "be specified."
        raise ValueError(f"`weight_factor` and `gradient_ratio` cannot both {both}")
    if variables is None:
        variables = get_trainable_variables()
    with name_scope(scope, "adversarial_loss", [main_loss, adversarial_loss]):
        if gradient_summaries or gradient_ratio is not None:
            main_slope = _scaled_norm(gradients(main_loss, variables))
            adversarial_slope = _scaled_norm(gradients(adversarial_loss, variables))
        report(scalar_summaries, main_loss=main_loss, adversarial_loss=adversarial_loss)
        if gradient_summaries:
            report(True, main_loss_gradients=main_slope, adversarial_loss_gradients=adversarial_slope)
        wanted = to_tensor(gradient_ratio if weight_factor is None else weight_factor)
        # A weight that is always 0 leaves the adversarial loss out of the graph.
        if constant_value(wanted) == 0:
            return main_loss
        if weight_factor is not None:
            return main_loss + basic.stop_gradient(wanted) * adversarial_loss
        factor = main_slope / (adversarial_slope + gradient_ratio_epsilon) / gradient_ratio
        summary.scalar("adversarial_coefficient", factor)
        return main_loss + basic.stop_gradient(factor) * adversarial_loss
