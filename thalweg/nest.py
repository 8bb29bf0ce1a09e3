"""tf.nest: functions of nested structures."""

from thalweg._src.lib.nesting import assert_same_structure as assert_same_structure
from thalweg._src.lib.nesting import flatten as flatten
from thalweg._src.lib.nesting import is_nested as is_nested
from thalweg._src.lib.nesting import map_structure as map_structure
from thalweg._src.lib.nesting import pack_sequence_as as pack_sequence_as
