"""tf.compat: text and bytes under either Python."""

from thalweg._src.compat.internals.tensor_shape import dimension_at_index as dimension_at_index
from thalweg._src.compat.internals.tensor_shape import dimension_value as dimension_value
from thalweg._src.lib.text import as_bytes as as_bytes
from thalweg._src.lib.text import as_str as as_str
from thalweg._src.lib.text import as_str_any as as_str_any
from thalweg._src.lib.text import as_text as as_text
from thalweg._src.lib.text import bytes_or_text_types as bytes_or_text_types
from thalweg._src.lib.text import complex_types as complex_types
from thalweg._src.lib.text import forward_compatibility_horizon as forward_compatibility_horizon
from thalweg._src.lib.text import forward_compatible as forward_compatible
from thalweg._src.lib.text import integral_types as integral_types
from thalweg._src.lib.text import path_to_str as path_to_str
from thalweg._src.lib.text import real_types as real_types
