"""tf.contrib.gan.eval.summaries: summaries of a GAN."""

from thalweg._src.contrib.gan.pictures import add_cyclegan_image_summaries as add_cyclegan_image_summaries
from thalweg._src.contrib.gan.pictures import add_gan_model_image_summaries as add_gan_model_image_summaries
from thalweg._src.contrib.gan.pictures import add_gan_model_summaries as add_gan_model_summaries
from thalweg._src.contrib.gan.pictures import add_image_comparison_summaries as add_image_comparison_summaries
from thalweg._src.contrib.gan.pictures import add_regularization_loss_summaries as add_regularization_loss_summaries
from thalweg._src.contrib.gan.pictures import add_stargan_image_summaries as add_stargan_image_summaries
