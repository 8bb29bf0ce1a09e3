"""tf.contrib.session_bundle: the format of exported models before SavedModel."""

from thalweg.contrib.session_bundle import exporter as exporter
