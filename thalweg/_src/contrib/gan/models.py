"""What the steps of TFGAN hand to one another: tuples of tensors, variables and functions."""

from __future__ import annotations

from collections import namedtuple
from typing import Any, NamedTuple


class GANModel(NamedTuple):
    """A generator and a discriminator, and what the two make of a batch."""

    generator_inputs: Any
    generated_data: Any
    generator_variables: Any
    generator_scope: Any
    generator_fn: Any
    real_data: Any
    discriminator_real_outputs: Any
    discriminator_gen_outputs: Any
    discriminator_variables: Any
    discriminator_scope: Any
    discriminator_fn: Any


class InfoGANModel(
    namedtuple(  # type: ignore[misc]
        "InfoGANModel",
        (*GANModel._fields, "structured_generator_inputs", "predicted_distributions", "discriminator_and_aux_fn"),
    )
):
    """A GANModel whose discriminator also guesses the structured part of the noise, as distributions."""

    __slots__ = ()


class ACGANModel(
    namedtuple(  # type: ignore[misc]
        "ACGANModel",
        (
            *GANModel._fields,
            "one_hot_labels",
            "discriminator_real_classification_logits",
            "discriminator_gen_classification_logits",
        ),
    )
):
    """A GANModel whose discriminator also classifies."""

    __slots__ = ()


class CycleGANModel(NamedTuple):
    """Two GANModels, from X to Y and back, and what comes back after both."""

    model_x2y: GANModel
    model_y2x: GANModel
    reconstructed_x: Any
    reconstructed_y: Any


class StarGANModel(NamedTuple):
    """One generator that moves a picture to any of several domains."""

    input_data: Any
    input_data_domain_label: Any
    generated_data: Any
    generated_data_domain_target: Any
    reconstructed_data: Any
    discriminator_input_data_source_predication: Any
    discriminator_generated_data_source_predication: Any
    discriminator_input_data_domain_predication: Any
    discriminator_generated_data_domain_predication: Any
    generator_variables: Any
    generator_scope: Any
    generator_fn: Any
    discriminator_variables: Any
    discriminator_scope: Any
    discriminator_fn: Any


class GANLoss(NamedTuple):
    """The two losses of a GANModel."""

    generator_loss: Any
    discriminator_loss: Any


class CycleGANLoss(NamedTuple):
    """The GANLoss of each direction."""

    loss_x2y: GANLoss
    loss_y2x: GANLoss


class GANTrainOps(NamedTuple):
    """What a step runs: an op for each network, one that counts the steps, and hooks that must come along."""

    generator_train_op: Any
    discriminator_train_op: Any
    global_step_inc_op: Any
    train_hooks: Any = ()


class GANTrainSteps(NamedTuple):
    """How often each network is trained in a step."""

    generator_train_steps: int
    discriminator_train_steps: int
