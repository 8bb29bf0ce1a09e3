"""tf.contrib.gan.losses: losses of a GANModel."""

from thalweg._src.contrib.gan.tuple_losses import acgan_discriminator_loss as acgan_discriminator_loss
from thalweg._src.contrib.gan.tuple_losses import acgan_generator_loss as acgan_generator_loss
from thalweg._src.contrib.gan.tuple_losses import combine_adversarial_loss as combine_adversarial_loss
from thalweg._src.contrib.gan.tuple_losses import cycle_consistency_loss as cycle_consistency_loss
from thalweg._src.contrib.gan.tuple_losses import least_squares_discriminator_loss as least_squares_discriminator_loss
from thalweg._src.contrib.gan.tuple_losses import least_squares_generator_loss as least_squares_generator_loss
from thalweg._src.contrib.gan.tuple_losses import minimax_discriminator_loss as minimax_discriminator_loss
from thalweg._src.contrib.gan.tuple_losses import minimax_generator_loss as minimax_generator_loss
from thalweg._src.contrib.gan.tuple_losses import modified_discriminator_loss as modified_discriminator_loss
from thalweg._src.contrib.gan.tuple_losses import modified_generator_loss as modified_generator_loss
from thalweg._src.contrib.gan.tuple_losses import mutual_information_penalty as mutual_information_penalty
from thalweg._src.contrib.gan.tuple_losses import (
    stargan_discriminator_loss_wrapper as stargan_discriminator_loss_wrapper,
)
from thalweg._src.contrib.gan.tuple_losses import stargan_generator_loss_wrapper as stargan_generator_loss_wrapper
from thalweg._src.contrib.gan.tuple_losses import stargan_gradient_penalty_wrapper as stargan_gradient_penalty_wrapper
from thalweg._src.contrib.gan.tuple_losses import wasserstein_discriminator_loss as wasserstein_discriminator_loss
from thalweg._src.contrib.gan.tuple_losses import wasserstein_generator_loss as wasserstein_generator_loss
from thalweg._src.contrib.gan.tuple_losses import wasserstein_gradient_penalty as wasserstein_gradient_penalty
from thalweg.contrib.gan.losses import wargs as wargs
