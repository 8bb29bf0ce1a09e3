"""tf.dtypes: types of elements, and casts."""

from thalweg._src.core.dtypes import DType as DType
from thalweg._src.core.dtypes import as_dtype as as_dtype
from thalweg._src.ops.casting import cast as cast
from thalweg._src.ops.casting import saturate_cast as saturate_cast
from thalweg._src.ops.complex import complex as complex
from thalweg._src.ops.string_numbers import as_string as as_string
