"""tf.saved_model.loader: loading SavedModels."""

from thalweg._src.lib.saved_model.loader import load as load
from thalweg._src.lib.saved_model.loader import maybe_saved_model_directory as maybe_saved_model_directory
