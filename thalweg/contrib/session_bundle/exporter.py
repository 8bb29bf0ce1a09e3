"""tf.contrib.session_bundle.exporter."""

from thalweg._src.contrib.session_bundle import Exporter as Exporter
from thalweg._src.contrib.session_bundle import classification_signature as classification_signature
from thalweg._src.contrib.session_bundle import copy_assets as gfile_copy_callback
from thalweg._src.contrib.session_bundle import generic_signature as generic_signature
from thalweg._src.contrib.session_bundle import regression_signature as regression_signature
