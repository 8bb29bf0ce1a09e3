"""tf.contrib.gan.eval.classifier_metrics: scores by a classifier."""

from thalweg._src.contrib.gan.classifier_graphs import INCEPTION_DEFAULT_IMAGE_SIZE as INCEPTION_DEFAULT_IMAGE_SIZE
from thalweg._src.contrib.gan.classifier_graphs import get_graph_def_from_disk as get_graph_def_from_disk
from thalweg._src.contrib.gan.classifier_graphs import get_graph_def_from_resource as get_graph_def_from_resource
from thalweg._src.contrib.gan.classifier_graphs import get_graph_def_from_url_tarball as get_graph_def_from_url_tarball
from thalweg._src.contrib.gan.classifier_graphs import preprocess_image as preprocess_image
from thalweg._src.contrib.gan.classifier_graphs import run_image_classifier as run_image_classifier
from thalweg._src.contrib.gan.classifier_graphs import run_inception as run_inception
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
