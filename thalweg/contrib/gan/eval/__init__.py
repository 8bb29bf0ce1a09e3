"""tf.contrib.gan.eval: how good generated data are, and pictures of them."""

from thalweg._src.contrib.gan.classifier_graphs import INCEPTION_DEFAULT_IMAGE_SIZE as INCEPTION_DEFAULT_IMAGE_SIZE
from thalweg._src.contrib.gan.classifier_graphs import get_graph_def_from_disk as get_graph_def_from_disk
from thalweg._src.contrib.gan.classifier_graphs import get_graph_def_from_resource as get_graph_def_from_resource
from thalweg._src.contrib.gan.classifier_graphs import get_graph_def_from_url_tarball as get_graph_def_from_url_tarball
from thalweg._src.contrib.gan.classifier_graphs import preprocess_image as preprocess_image
from thalweg._src.contrib.gan.classifier_graphs import run_image_classifier as run_image_classifier
from thalweg._src.contrib.gan.classifier_graphs import run_inception as run_inception
from thalweg._src.contrib.gan.pictures import add_cyclegan_image_summaries as add_cyclegan_image_summaries
from thalweg._src.contrib.gan.pictures import add_gan_model_image_summaries as add_gan_model_image_summaries
from thalweg._src.contrib.gan.pictures import add_gan_model_summaries as add_gan_model_summaries
from thalweg._src.contrib.gan.pictures import add_image_comparison_summaries as add_image_comparison_summaries
from thalweg._src.contrib.gan.pictures import add_regularization_loss_summaries as add_regularization_loss_summaries
from thalweg._src.contrib.gan.pictures import add_stargan_image_summaries as add_stargan_image_summaries
from thalweg._src.contrib.gan.pictures import image_grid as image_grid
from thalweg._src.contrib.gan.pictures import image_reshaper as image_reshaper
from thalweg._src.contrib.gan.scores import classifier_score as classifier_score
from thalweg._src.contrib.gan.scores import classifier_score_from_logits as classifier_score_from_logits
from thalweg._src.contrib.gan.scores import (
    diagonal_only_frechet_classifier_distance_from_activations as diagonal_only_frechet_classifier_distance_from_activations,
)
from thalweg._src.contrib.gan.scores import frechet_classifier_distance as frechet_classifier_distance
from thalweg._src.contrib.gan.scores import (
    frechet_classifier_distance_from_activations as frechet_classifier_distance_from_activations,
)
from thalweg._src.contrib.gan.scores import frechet_inception_distance as frechet_inception_distance
from thalweg._src.contrib.gan.scores import inception_score as inception_score
from thalweg._src.contrib.gan.scores import kernel_classifier_distance as kernel_classifier_distance
from thalweg._src.contrib.gan.scores import kernel_classifier_distance_and_std as kernel_classifier_distance_and_std
from thalweg._src.contrib.gan.scores import (
    kernel_classifier_distance_and_std_from_activations as kernel_classifier_distance_and_std_from_activations,
)
from thalweg._src.contrib.gan.scores import (
    kernel_classifier_distance_from_activations as kernel_classifier_distance_from_activations,
)
from thalweg._src.contrib.gan.scores import kernel_inception_distance as kernel_inception_distance
from thalweg._src.contrib.gan.scores import kernel_inception_distance_and_std as kernel_inception_distance_and_std
from thalweg._src.contrib.gan.scores import (
    mean_only_frechet_classifier_distance_from_activations as mean_only_frechet_classifier_distance_from_activations,
)
from thalweg._src.contrib.gan.sliced_wasserstein import sliced_wasserstein_distance as sliced_wasserstein_distance
from thalweg.contrib.gan.eval import classifier_metrics as classifier_metrics
from thalweg.contrib.gan.eval import eval_utils as eval_utils
from thalweg.contrib.gan.eval import summaries as summaries
