"""Networks from functions: each in a variable scope of its own, the discriminator twice with the same variables."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from thalweg._src.contrib.framework.variables import get_trainable_variables
from thalweg._src.contrib.gan.models import ACGANModel, CycleGANModel, GANModel, InfoGANModel, StarGANModel
from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.ops import array
from thalweg._src.ops.chance.random import random_uniform
from thalweg._src.ops.stateful.variable_scope import variable_scope


def tensors(values: Any) -> Any:
    """`values` as tensors: one, a list of them, or a dict of them."""
    if isinstance(values, list | tuple):
        return [to_tensor(x) for x in values]
    if isinstance(values, dict):
        return {key: to_tensor(x) for key, x in values.items()}
    return to_tensor(values)


def _check_shapes(generated: Any, real: Any) -> None:
    if not generated.shape.is_compatible_with(real.shape):
        raise ValueError(
            f"Generator output shape ({generated.shape}) must be the same shape as real data ({real.shape})."
        )


def gan_model(
    generator_fn: Callable[..., Any],
    discriminator_fn: Callable[..., Any],
    real_data: Any,
    generator_inputs: Any,
    generator_scope: Any = "Generator",
    discriminator_scope: Any = "Discriminator",
    check_shapes: bool = True,
) -> GANModel:
    """The two networks on one batch: `generator_fn(inputs)` and `discriminator_fn(data, inputs)`.

    Raises ValueError where generated data have another shape than the real ones, unless `check_shapes` is False.
    """
    with variable_scope(generator_scope) as generator:
        generator_inputs = tensors(generator_inputs)
        generated = generator_fn(generator_inputs)
    with variable_scope(discriminator_scope) as discriminator:
        on_generated = discriminator_fn(generated, generator_inputs)
    with variable_scope(discriminator, reuse=True):
        real_data = tensors(real_data)
        on_real = discriminator_fn(real_data, generator_inputs)
    if check_shapes:
        _check_shapes(generated, real_data)
    return GANModel(
        generator_inputs,
        generated,
        get_trainable_variables(generator),
        generator,
        generator_fn,
        real_data,
        on_real,
        on_generated,
        get_trainable_variables(discriminator),
        discriminator,
        discriminator_fn,
    )


def infogan_model(
    generator_fn: Callable[..., Any],
    discriminator_fn: Callable[..., Any],
    real_data: Any,
    unstructured_generator_inputs: Any,
    structured_generator_inputs: Any,
    generator_scope: Any = "Generator",
    discriminator_scope: Any = "Discriminator",
) -> InfoGANModel:
    """As `gan_model`; the discriminator gives (logits, a distribution for each structured input).

    Raises ValueError where the distributions are no list of that length, or shapes do not fit.
    """
    with variable_scope(generator_scope) as generator:
        structured = tensors(structured_generator_inputs)
        inputs = tensors(unstructured_generator_inputs) + structured
        generated = generator_fn(inputs)
    with variable_scope(discriminator_scope) as discriminator:
        on_generated, predicted = discriminator_fn(generated, inputs)
    if not isinstance(predicted, list | tuple):
        raise ValueError(f"`predicted_distributions` must be a list. Instead, found {type(predicted)}.")
    if len(predicted) != len(structured):
        raise ValueError(
            f"Length of `predicted_distributions` {len(predicted)} must be the same as the length of structured "
            f"noise {len(structured)}."
        )
    with variable_scope(discriminator, reuse=True):
        real_data = to_tensor(real_data)
        on_real, _ = discriminator_fn(real_data, inputs)
    _check_shapes(generated, real_data)
    return InfoGANModel(
        inputs,
        generated,
        get_trainable_variables(generator),
        generator,
        generator_fn,
        real_data,
        on_real,
        on_generated,
        get_trainable_variables(discriminator),
        discriminator,
        lambda data, conditions: discriminator_fn(data, conditions)[0],
        structured,
        predicted,
        discriminator_fn,
    )


def _logits_and_classes(outputs: Any) -> tuple[Any, Any]:
    """The two outputs of an ACGAN's discriminator."""
    try:
        logits, classes = outputs
    except (TypeError, ValueError):
        raise TypeError(
            "A discriminator function for ACGAN must output a tuple consisting of (discrimination logits, "
            "classification logits)."
        ) from None
    return logits, classes


def acgan_model(
    generator_fn: Callable[..., Any],
    discriminator_fn: Callable[..., Any],
    real_data: Any,
    generator_inputs: Any,
    one_hot_labels: Any,
    generator_scope: Any = "Generator",
    discriminator_scope: Any = "Discriminator",
    check_shapes: bool = True,
) -> ACGANModel:
    """As `gan_model`; the discriminator gives (logits, logits of classes)."""
    with variable_scope(generator_scope) as generator:
        generator_inputs = tensors(generator_inputs)
        generated = generator_fn(generator_inputs)
    with variable_scope(discriminator_scope) as discriminator, name_scope(discriminator.name + "/generated/"):
        on_generated, classes_generated = _logits_and_classes(discriminator_fn(generated, generator_inputs))
    with variable_scope(discriminator, reuse=True), name_scope(discriminator.name + "/real/"):
        real_data = to_tensor(real_data)
        on_real, classes_real = _logits_and_classes(discriminator_fn(real_data, generator_inputs))
    if check_shapes:
        _check_shapes(generated, real_data)
    return ACGANModel(
        generator_inputs,
        generated,
        get_trainable_variables(generator),
        generator,
        generator_fn,
        real_data,
        on_real,
        on_generated,
        get_trainable_variables(discriminator),
        discriminator,
        discriminator_fn,
        one_hot_labels,
        classes_real,
        classes_generated,
    )


def cyclegan_model(
    generator_fn: Callable[..., Any],
    discriminator_fn: Callable[..., Any],
    data_x: Any,
    data_y: Any,
    generator_scope: Any = "Generator",
    discriminator_scope: Any = "Discriminator",
    model_x2y_scope: Any = "ModelX2Y",
    model_y2x_scope: Any = "ModelY2X",
    check_shapes: bool = True,
) -> CycleGANModel:
    """A `gan_model` from X to Y, one from Y to X, and each generator on what the other one made."""

    def direction(scope: Any, source: Any, target: Any) -> GANModel:
        with variable_scope(scope):
            return gan_model(
                generator_fn, discriminator_fn, target, source, generator_scope, discriminator_scope, check_shapes
            )

    x2y, y2x = direction(model_x2y_scope, data_x, data_y), direction(model_y2x_scope, data_y, data_x)
    with variable_scope(y2x.generator_scope, reuse=True):
        back_x = y2x.generator_fn(x2y.generated_data)
    with variable_scope(x2y.generator_scope, reuse=True):
        back_y = x2y.generator_fn(y2x.generated_data)
    return CycleGANModel(x2y, y2x, back_x, back_y)


def stargan_model(
    generator_fn: Callable[..., Any],
    discriminator_fn: Callable[..., Any],
    input_data: Any,
    input_data_domain_label: Any,
    generator_scope: Any = "Generator",
    discriminator_scope: Any = "Discriminator",
) -> StarGANModel:
    """`generator_fn(data, domain)` to a random domain and back; `discriminator_fn(data, number of domains)` gives two outputs.

    Lists of data (one per domain) are joined. Raises ValueError for labels that are not a matrix of known shape.
    """

    def joined(values: Any) -> Any:
        values = tensors(values)
        return array.concat(values, 0) if isinstance(values, list) else values

    input_data, labels = joined(input_data), joined(input_data_domain_label)
    labels.shape.assert_has_rank(2)
    labels.shape.assert_is_fully_defined()
    batch, domains = labels.shape.as_list()
    with variable_scope(generator_scope) as generator:
        chosen = random_uniform([batch], minval=0, maxval=domains, dtype=dtypes.int32)
        target = array.one_hot(chosen, domains)
        generated = generator_fn(input_data, target)
    with variable_scope(generator, reuse=True):
        back = generator_fn(generated, labels)
    with variable_scope(discriminator_scope) as discriminator:
        source_generated, domain_generated = discriminator_fn(generated, domains)
    with variable_scope(discriminator, reuse=True):
        source_input, domain_input = discriminator_fn(input_data, domains)
    return StarGANModel(
        input_data=input_data,
        input_data_domain_label=labels,
        generated_data=generated,
        generated_data_domain_target=target,
        reconstructed_data=back,
        discriminator_input_data_source_predication=source_input,
        discriminator_generated_data_source_predication=source_generated,
        discriminator_input_data_domain_predication=domain_input,
        discriminator_generated_data_domain_predication=domain_generated,
        generator_variables=get_trainable_variables(generator),
        generator_scope=generator,
        generator_fn=generator_fn,
        discriminator_variables=get_trainable_variables(discriminator),
        discriminator_scope=discriminator,
        discriminator_fn=discriminator_fn,
    )
