"""Many images as one, and summaries of a GAN's images, variables and regularization."""

from __future__ import annotations

import itertools
import math as numbers
from collections.abc import Sequence
from typing import Any

from thalweg._src.contrib.gan.models import CycleGANModel, StarGANModel
from thalweg._src.core import dtypes
from thalweg._src.core.graph import Tensor
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib.losses import get_regularization_loss
from thalweg._src.lib.summary import summary
from thalweg._src.ops import array, math
from thalweg._src.ops.control.higher_order import map_fn
from thalweg._src.ops.stateful.variable_scope import variable_scope


def image_grid(
    input_tensor: Tensor, grid_shape: Sequence[int], image_shape: Sequence[int] = (32, 32), num_channels: int = 3
) -> Tensor:
    """A batch of images, flat or not, in rows and columns: [1, height, width, channels]. ValueError where sizes differ."""
    rows, columns = grid_shape
    sizes = input_tensor.shape.as_list()
    if rows * columns != sizes[0]:
        raise ValueError(f"Grid shape {grid_shape} incompatible with minibatch size {sizes[0]}.")
    height, width = image_shape
    if len(sizes) not in (2, 4):
        raise ValueError("Unrecognized input tensor format.")
    if sizes[1:] not in ([height * width * num_channels], [height, width, num_channels]):
        raise ValueError("Image shape and number of channels incompatible with input tensor.")
    grid = array.reshape(input_tensor, (rows, columns, height, width, num_channels))
    return array.reshape(array.transpose(grid, [0, 2, 1, 3, 4]), [1, rows * height, columns * width, num_channels])


def image_reshaper(images: Any, num_cols: int | None = None) -> Tensor:
    """Images side by side, black where some are missing: [1, height, width, channels]; a square by default.

    Raises ValueError for images of unknown shape or of other than 1 or 3 channels.
    """
    if isinstance(images, Tensor):
        images = array.unstack(images)
    images = list(images)
    for image in images:
        image.shape.assert_has_rank(3)
        image.shape.assert_is_fully_defined()
        if image.shape.as_list()[-1] not in (1, 3):
            raise ValueError("image_reshaper only supports 1 or 3 channel images.")
    columns = num_cols or numbers.ceil(numbers.sqrt(len(images)))
    missing = -len(images) % columns
    images += [array.zeros_like(images[-1])] * missing
    rows = [array.concat(images[i : i + columns], 1) for i in range(0, len(images), columns)]
    return array.expand_dims(array.concat(rows, 0), 0)


def _check_images(*batches: Tensor) -> None:
    for batch in batches:
        batch.shape.assert_has_rank(4)
        batch.shape[1:].assert_is_fully_defined()


def add_gan_model_image_summaries(gan_model: Any, grid_size: int = 4, model_summaries: bool = True) -> None:
    """Grids of real and generated images, and the variables. ValueError for a CycleGANModel and where it is no images."""
    if isinstance(gan_model, CycleGANModel):
        raise ValueError(
            "`add_gan_model_image_summaries` does not take CycleGANModels. Please use `add_cyclegan_image_summaries` "
            "instead."
        )
    _check_images(gan_model.real_data, gan_model.generated_data)
    for name in ("real_data", "generated_data"):
        data = getattr(gan_model, name)
        height, width, channels = data.shape.as_list()[1:]
        grid = image_grid(data[: grid_size**2], (grid_size, grid_size), (height, width), channels)
        summary.image(name, grid, max_outputs=1)
    if model_summaries:
        add_gan_model_summaries(gan_model)


def add_image_comparison_summaries(gan_model: Any, num_comparisons: int = 2, display_diffs: bool = False) -> None:
    """Inputs over generated over real images, and over their differences."""
    inputs, generated, real = gan_model.generator_inputs, gan_model.generated_data, gan_model.real_data
    _check_images(inputs, generated, real)
    generated.shape.assert_is_compatible_with(inputs.shape)
    real.shape.assert_is_compatible_with(generated.shape)
    rows = [array.unstack(batch[:num_comparisons]) for batch in (inputs, generated, real)]
    if display_diffs:
        pairs = zip(rows[1], rows[2], strict=True)
        rows.append([math.abs(math.cast(g, dtypes.float32) - math.cast(r, dtypes.float32)) for g, r in pairs])
    summary.image("image_comparison", image_reshaper(itertools.chain(*rows), num_cols=num_comparisons), max_outputs=1)


def add_cyclegan_image_summaries(cyclegan_model: CycleGANModel) -> None:
    """For each direction an image, what it became, and what came back. ValueError for another model."""
    if not isinstance(cyclegan_model, CycleGANModel):
        raise ValueError(f"`cyclegan_model` was not a CycleGANModel. Instead, was {type(cyclegan_model)}")
    for direction, back in (("x2y", cyclegan_model.reconstructed_x), ("y2x", cyclegan_model.reconstructed_y)):
        model = getattr(cyclegan_model, f"model_{direction}")
        batches = (model.generator_inputs, model.generated_data, back)
        _check_images(*batches)
        with name_scope(f"{direction}_image_comparison_summaries"):
            images = [batch[0] for batch in batches]
            summary.image("image_comparison", image_reshaper(images, num_cols=len(images)), max_outputs=1)


def add_stargan_image_summaries(stargan_model: StarGANModel, num_images: int = 2, display_diffs: bool = False) -> None:
    """Images beside what each domain makes of them, and what that changes."""
    _check_images(stargan_model.input_data)
    labels = stargan_model.input_data_domain_label
    labels.shape.assert_has_rank(2)
    labels.shape[1:].assert_is_fully_defined()
    domains = labels.shape.as_list()[-1]

    def row(image: Tensor) -> Tensor:
        images = array.tile(array.expand_dims(image, axis=0), [domains, 1, 1, 1])
        with variable_scope(stargan_model.generator_scope, reuse=True):
            generated = stargan_model.generator_fn(images, array.one_hot(list(range(domains)), domains))
        shown = [image, *array.unstack(generated, domains)]
        if display_diffs:
            shown += [array.zeros_like(image), *array.unstack(generated - images, domains)]
        return array.squeeze(image_reshaper(shown, num_cols=domains + 1), axis=0)

    rows = map_fn(
        row, stargan_model.input_data[:num_images], parallel_iterations=num_images, back_prop=False, swap_memory=True
    )
    summary.image("stargan_image_generation", rows, max_outputs=num_images)


def add_gan_model_summaries(gan_model: Any) -> None:
    """Histograms of all variables."""
    if isinstance(gan_model, CycleGANModel):
        with name_scope("cyclegan_x2y_summaries"):
            add_gan_model_summaries(gan_model.model_x2y)
        with name_scope("cyclegan_y2x_summaries"):
            add_gan_model_summaries(gan_model.model_y2x)
        return
    for kind in ("generator_variables", "discriminator_variables"):
        with name_scope(kind):
            for variable in getattr(gan_model, kind):
                summary.histogram(variable.name, variable)


def add_regularization_loss_summaries(gan_model: Any) -> None:
    """The regularization loss of each network."""
    if isinstance(gan_model, CycleGANModel):
        with name_scope("cyclegan_x2y_regularization_loss_summaries"):
            add_regularization_loss_summaries(gan_model.model_x2y)
        with name_scope("cyclegan_y2x_regularization_loss_summaries"):
            add_regularization_loss_summaries(gan_model.model_y2x)
        return
    for kind in ("generator", "discriminator"):
        scope = getattr(gan_model, f"{kind}_scope")
        if scope:
            summary.scalar(f"{kind}_regularization_loss", get_regularization_loss(scope.name))
