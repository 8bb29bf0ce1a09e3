"""tf.contrib.gan.losses.wargs: losses of what a discriminator gives."""

from thalweg._src.contrib.gan.losses import acgan_discriminator_loss as acgan_discriminator_loss
from thalweg._src.contrib.gan.losses import acgan_generator_loss as acgan_generator_loss
from thalweg._src.contrib.gan.losses import cycle_consistency_loss as cycle_consistency_loss
from thalweg._src.contrib.gan.losses import least_squares_discriminator_loss as least_squares_discriminator_loss
from thalweg._src.contrib.gan.losses import least_squares_generator_loss as least_squares_generator_loss
from thalweg._src.contrib.gan.losses import minimax_discriminator_loss as minimax_discriminator_loss
from thalweg._src.contrib.gan.losses import minimax_generator_loss as minimax_generator_loss
from thalweg._src.contrib.gan.losses import modified_discriminator_loss as modified_discriminator_loss
from thalweg._src.contrib.gan.losses import modified_generator_loss as modified_generator_loss
from thalweg._src.contrib.gan.losses import wasserstein_discriminator_loss as wasserstein_discriminator_loss
from thalweg._src.contrib.gan.losses import wasserstein_generator_loss as wasserstein_generator_loss
from thalweg._src.contrib.gan.penalties import combine_adversarial_loss as combine_adversarial_loss
from thalweg._src.contrib.gan.penalties import mutual_information_penalty as mutual_information_penalty
from thalweg._src.contrib.gan.penalties import wasserstein_gradient_penalty as wasserstein_gradient_penalty
