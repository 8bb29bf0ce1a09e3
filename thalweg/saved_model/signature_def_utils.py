"""tf.saved_model.signature_def_utils: making signatures."""

from thalweg._src.lib.saved_model.signatures import build_signature_def as build_signature_def
from thalweg._src.lib.saved_model.signatures import classification_signature_def as classification_signature_def
from thalweg._src.lib.saved_model.signatures import is_valid_signature as is_valid_signature
from thalweg._src.lib.saved_model.signatures import predict_signature_def as predict_signature_def
from thalweg._src.lib.saved_model.signatures import regression_signature_def as regression_signature_def
