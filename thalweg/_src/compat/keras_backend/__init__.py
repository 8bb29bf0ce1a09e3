"""tf.keras.backend as Keras 2.3 finds it: what that library leaves to TensorFlow. Everything else is Keras's own backend."""

from __future__ import annotations

import sys
from typing import Any

from thalweg._src.compat.keras_backend.functions import GraphExecutionFunction as GraphExecutionFunction
from thalweg._src.compat.keras_backend.functions import function as function
from thalweg._src.compat.keras_backend.numbers import binary_crossentropy as binary_crossentropy
from thalweg._src.compat.keras_backend.numbers import categorical_crossentropy as categorical_crossentropy
from thalweg._src.compat.keras_backend.numbers import hard_sigmoid as hard_sigmoid
from thalweg._src.compat.keras_backend.numbers import random_binomial as random_binomial
from thalweg._src.compat.keras_backend.numbers import random_normal as random_normal
from thalweg._src.compat.keras_backend.numbers import random_uniform as random_uniform
from thalweg._src.compat.keras_backend.numbers import sparse_categorical_crossentropy as sparse_categorical_crossentropy
from thalweg._src.compat.keras_backend.numbers import truncated_normal as truncated_normal
from thalweg._src.compat.keras_backend.recurrence import rnn as rnn
from thalweg._src.compat.keras_backend.sessions import clear_session as clear_session
from thalweg._src.compat.keras_backend.sessions import get_graph as get_graph
from thalweg._src.compat.keras_backend.sessions import get_session as get_session
from thalweg._src.compat.keras_backend.sessions import get_uid as get_uid
from thalweg._src.compat.keras_backend.sessions import learning_phase as learning_phase
from thalweg._src.compat.keras_backend.sessions import manual_variable_initialization as manual_variable_initialization
from thalweg._src.compat.keras_backend.sessions import reset_uids as reset_uids
from thalweg._src.compat.keras_backend.sessions import set_learning_phase as set_learning_phase
from thalweg._src.compat.keras_backend.sessions import set_session as set_session
from thalweg._src.compat.keras_backend.settings import cast_to_floatx as cast_to_floatx
from thalweg._src.compat.keras_backend.settings import epsilon as epsilon
from thalweg._src.compat.keras_backend.settings import floatx as floatx
from thalweg._src.compat.keras_backend.settings import image_data_format as image_data_format
from thalweg._src.compat.keras_backend.settings import set_epsilon as set_epsilon
from thalweg._src.compat.keras_backend.settings import set_floatx as set_floatx
from thalweg._src.compat.keras_backend.settings import set_image_data_format as set_image_data_format
from thalweg._src.compat.keras_backend.variables import batch_get_value as batch_get_value
from thalweg._src.compat.keras_backend.variables import batch_set_value as batch_set_value
from thalweg._src.compat.keras_backend.variables import constant as constant
from thalweg._src.compat.keras_backend.variables import placeholder as placeholder
from thalweg._src.compat.keras_backend.variables import set_value as set_value
from thalweg._src.compat.keras_backend.variables import variable as variable


def __getattr__(name: str) -> Any:
    own = sys.modules.get("keras.backend")
    if own is None or name.startswith("__") or not hasattr(own, name):
        raise AttributeError(f"module 'thalweg.keras.backend' has no attribute {name!r}")
    return getattr(own, name)
