"""tf.dtypes: types of elements, and casts."""

from thalweg._src.ops.casting import cast as cast
from thalweg._src.ops.casting import saturate_cast as saturate_cast
from thalweg._src.ops.complex import complex as complex
