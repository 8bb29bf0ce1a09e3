"""The losses of generators and discriminators, of the discriminator's outputs. Outputs may be [batch] or of any shape."""

from __future__ import annotations

from typing import Any

from thalweg._src.core import dtypes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.graph import Tensor
from thalweg._src.core.keys import GraphKeys
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib import losses
from thalweg._src.lib.losses import Reduction
from thalweg._src.lib.summary import summary
from thalweg._src.ops import array, math

LOSSES = GraphKeys.LOSSES
MEAN = Reduction.SUM_BY_NONZERO_WEIGHTS


def report(wanted: bool, **values: Tensor) -> None:
    """A scalar summary for each of `values`, under its name, if they are wanted."""
    if wanted:
        for name, value in values.items():
            summary.scalar(name, value)


def _float(x: Any) -> Tensor:
    return math.cast(to_tensor(x), dtypes.float32)


def wasserstein_generator_loss(
    discriminator_gen_outputs: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = LOSSES,
    reduction: str = MEAN,
    add_summaries: bool = False,
) -> Tensor:
    """-D(G(z)) (arXiv 1701.07875)."""
    with name_scope(scope, "generator_wasserstein_loss", (discriminator_gen_outputs, weights)) as scope:
        each = -_float(discriminator_gen_outputs)
        loss = losses.compute_weighted_loss(each, weights, scope, loss_collection, reduction)
        report(add_summaries, generator_wass_loss=loss)
    return loss


def wasserstein_discriminator_loss(
    discriminator_real_outputs: Any,
    discriminator_gen_outputs: Any,
    real_weights: Any = 1.0,
    generated_weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = LOSSES,
    reduction: str = MEAN,
    add_summaries: bool = False,
) -> Tensor:
    """D(G(z)) - D(x) (arXiv 1701.07875)."""
    values = (discriminator_real_outputs, discriminator_gen_outputs, real_weights, generated_weights)
    with name_scope(scope, "discriminator_wasserstein_loss", values) as scope:
        real, generated = _float(discriminator_real_outputs), _float(discriminator_gen_outputs)
        real.shape.assert_is_compatible_with(generated.shape)
        on_generated = losses.compute_weighted_loss(generated, generated_weights, scope, None, reduction)
        on_real = losses.compute_weighted_loss(real, real_weights, scope, None, reduction)
        loss = on_generated - on_real
        losses.add_loss(loss, loss_collection)
        report(
            add_summaries,
            discriminator_gen_wass_loss=on_generated,
            discriminator_real_wass_loss=on_real,
            discriminator_wass_loss=loss,
        )
    return loss


def acgan_discriminator_loss(
    discriminator_real_classification_logits: Any,
    discriminator_gen_classification_logits: Any,
    one_hot_labels: Any,
    label_smoothing: float = 0.0,
    real_weights: Any = 1.0,
    generated_weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = LOSSES,
    reduction: str = MEAN,
    add_summaries: bool = False,
) -> Tensor:
    """Cross-entropy of the classes of real and of generated data (arXiv 1610.09585)."""
    real, generated = discriminator_real_classification_logits, discriminator_gen_classification_logits
    with name_scope(scope, "acgan_discriminator_loss", (real, generated, one_hot_labels)) as scope:
        on_generated = losses.softmax_cross_entropy(
            one_hot_labels, generated, weights=generated_weights, scope=scope, loss_collection=None, reduction=reduction
        )
        on_real = losses.softmax_cross_entropy(
            one_hot_labels,
            real,
            weights=real_weights,
            label_smoothing=label_smoothing,
            scope=scope,
            loss_collection=None,
            reduction=reduction,
        )
        loss = on_generated + on_real
        losses.add_loss(loss, loss_collection)
        report(
            add_summaries,
            discriminator_gen_ac_loss=on_generated,
            discriminator_real_ac_loss=on_real,
            discriminator_ac_loss=loss,
        )
    return loss


def acgan_generator_loss(
    discriminator_gen_classification_logits: Any,
    one_hot_labels: Any,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = LOSSES,
    reduction: str = MEAN,
    add_summaries: bool = False,
) -> Tensor:
    """Cross-entropy of the classes of generated data (arXiv 1610.09585)."""
    generated = discriminator_gen_classification_logits
    with name_scope(scope, "acgan_generator_loss", (generated, one_hot_labels)) as scope:
        loss = losses.softmax_cross_entropy(
            one_hot_labels,
            generated,
            weights=weights,
            scope=scope,
            loss_collection=loss_collection,
            reduction=reduction,
        )
        report(add_summaries, generator_ac_loss=loss)
    return loss


def minimax_discriminator_loss(
    discriminator_real_outputs: Any,
    discriminator_gen_outputs: Any,
    label_smoothing: float = 0.25,
    real_weights: Any = 1.0,
    generated_weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = LOSSES,
    reduction: str = MEAN,
    add_summaries: bool = False,
) -> Tensor:
    """-log s(D(x)) - log(1 - s(D(G(z)))), s the logistic function (arXiv 1406.2661); real labels may be smoothed."""
    real, generated = discriminator_real_outputs, discriminator_gen_outputs
    values = (real, generated, real_weights, generated_weights, label_smoothing)
    with name_scope(scope, "discriminator_minimax_loss", values) as scope:
        on_real = losses.sigmoid_cross_entropy(
            array.ones_like(real), real, real_weights, label_smoothing, scope, loss_collection=None, reduction=reduction
        )
        on_generated = losses.sigmoid_cross_entropy(
            array.zeros_like(generated),
            generated,
            generated_weights,
            scope=scope,
            loss_collection=None,
            reduction=reduction,
        )
        loss = on_real + on_generated
        losses.add_loss(loss, loss_collection)
        report(
            add_summaries,
            discriminator_gen_minimax_loss=on_generated,
            discriminator_real_minimax_loss=on_real,
            discriminator_minimax_loss=loss,
        )
    return loss


def minimax_generator_loss(
    discriminator_gen_outputs: Any,
    label_smoothing: float = 0.0,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = LOSSES,
    reduction: str = MEAN,
    add_summaries: bool = False,
) -> Tensor:
    """Minus the discriminator's loss, whose part on real data is a constant here."""
    with name_scope(scope, "generator_minimax_loss") as scope:
        ones = array.ones_like(discriminator_gen_outputs)
        loss = -minimax_discriminator_loss(
            ones, discriminator_gen_outputs, label_smoothing, weights, weights, scope, loss_collection, reduction
        )
    report(add_summaries, generator_minimax_loss=loss)
    return loss


def modified_discriminator_loss(
    discriminator_real_outputs: Any,
    discriminator_gen_outputs: Any,
    label_smoothing: float = 0.25,
    real_weights: Any = 1.0,
    generated_weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = LOSSES,
    reduction: str = MEAN,
    add_summaries: bool = False,
) -> Tensor:
    """`minimax_discriminator_loss`, under another name."""
    return minimax_discriminator_loss(
        discriminator_real_outputs,
        discriminator_gen_outputs,
        label_smoothing,
        real_weights,
        generated_weights,
        scope or "discriminator_modified_loss",
        loss_collection,
        reduction,
        add_summaries,
    )


def modified_generator_loss(
    discriminator_gen_outputs: Any,
    label_smoothing: float = 0.0,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = LOSSES,
    reduction: str = MEAN,
    add_summaries: bool = False,
) -> Tensor:
    """-log s(D(G(z))): steeper than the minimax loss where the discriminator is sure (arXiv 1406.2661)."""
    outputs = discriminator_gen_outputs
    with name_scope(scope, "generator_modified_loss", [outputs]) as scope:
        loss = losses.sigmoid_cross_entropy(
            array.ones_like(outputs), outputs, weights, label_smoothing, scope, loss_collection, reduction
        )
        report(add_summaries, generator_modified_loss=loss)
    return loss


def least_squares_generator_loss(
    discriminator_gen_outputs: Any,
    real_label: float = 1,
    weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = LOSSES,
    reduction: str = MEAN,
    add_summaries: bool = False,
) -> Tensor:
    """(D(G(z)) - real_label)² / 2 (arXiv 1611.04076)."""
    with name_scope(scope, "lsq_generator_loss", (discriminator_gen_outputs, real_label)) as scope:
        each = math.squared_difference(_float(discriminator_gen_outputs), real_label) / 2.0
        loss = losses.compute_weighted_loss(each, weights, scope, loss_collection, reduction)
    report(add_summaries, generator_lsq_loss=loss)
    return loss


def least_squares_discriminator_loss(
    discriminator_real_outputs: Any,
    discriminator_gen_outputs: Any,
    real_label: float = 1,
    fake_label: float = 0,
    real_weights: Any = 1.0,
    generated_weights: Any = 1.0,
    scope: str | None = None,
    loss_collection: str | None = LOSSES,
    reduction: str = MEAN,
    add_summaries: bool = False,
) -> Tensor:
    """(D(x) - real_label)² / 2 + (D(G(z)) - fake_label)² / 2 (arXiv 1611.04076)."""
    with name_scope(scope, "lsq_discriminator_loss", (discriminator_gen_outputs, real_label)) as scope:
        real, generated = _float(discriminator_real_outputs), _float(discriminator_gen_outputs)
        real.shape.assert_is_compatible_with(generated.shape)
        off_real = math.squared_difference(real, real_label) / 2.0
        off_fake = math.squared_difference(generated, fake_label) / 2.0
        on_real = losses.compute_weighted_loss(off_real, real_weights, scope, None, reduction)
        on_generated = losses.compute_weighted_loss(off_fake, generated_weights, scope, None, reduction)
        loss = on_real + on_generated
        losses.add_loss(loss, loss_collection)
    report(
        add_summaries,
        discriminator_gen_lsq_loss=on_generated,
        discriminator_real_lsq_loss=on_real,
        discriminator_lsq_loss=loss,
    )
    return loss


def cycle_consistency_loss(
    data_x: Any,
    reconstructed_data_x: Any,
    data_y: Any,
    reconstructed_data_y: Any,
    scope: str | None = None,
    add_summaries: bool = False,
) -> Tensor:
    """The mean distance of what came back from what was sent, of both kinds of data (arXiv 1703.10593)."""
    values = [data_x, reconstructed_data_x, data_y, reconstructed_data_y]
    with name_scope(scope, "cycle_consistency_loss", values):
        off_x = losses.absolute_difference(data_x, reconstructed_data_x)
        off_y = losses.absolute_difference(data_y, reconstructed_data_y)
        loss = (off_x + off_y) / 2.0
        report(
            add_summaries,
            cycle_consistency_loss_x2x=off_x,
            cycle_consistency_loss_y2y=off_y,
            cycle_consistency_loss=loss,
        )
    return loss
