"""tf.saved_model.builder: writing SavedModels."""

from thalweg._src.lib.saved_model.builder import SavedModelBuilder as SavedModelBuilder
