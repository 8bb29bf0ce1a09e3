"""tf.debugging: checks of values, shapes and types."""

from thalweg._src.ops.checks import Assert as Assert
from thalweg._src.ops.checks import assert_equal as assert_equal
from thalweg._src.ops.checks import assert_greater as assert_greater
from thalweg._src.ops.checks import assert_greater_equal as assert_greater_equal
from thalweg._src.ops.checks import assert_integer as assert_integer
from thalweg._src.ops.checks import assert_less as assert_less
from thalweg._src.ops.checks import assert_less_equal as assert_less_equal
from thalweg._src.ops.checks import assert_near as assert_near
from thalweg._src.ops.checks import assert_negative as assert_negative
from thalweg._src.ops.checks import assert_non_negative as assert_non_negative
from thalweg._src.ops.checks import assert_non_positive as assert_non_positive
from thalweg._src.ops.checks import assert_none_equal as assert_none_equal
from thalweg._src.ops.checks import assert_positive as assert_positive
from thalweg._src.ops.checks import assert_proper_iterable as assert_proper_iterable
from thalweg._src.ops.checks import assert_rank as assert_rank
from thalweg._src.ops.checks import assert_rank_at_least as assert_rank_at_least
from thalweg._src.ops.checks import assert_rank_in as assert_rank_in
from thalweg._src.ops.checks import assert_same_float_dtype as assert_same_float_dtype
from thalweg._src.ops.checks import assert_scalar as assert_scalar
from thalweg._src.ops.checks import assert_shapes as assert_shapes
from thalweg._src.ops.checks import assert_type as assert_type
from thalweg._src.ops.checks import is_non_decreasing as is_non_decreasing
from thalweg._src.ops.checks import is_numeric_tensor as is_numeric_tensor
from thalweg._src.ops.checks import is_strictly_increasing as is_strictly_increasing
