"""tf.strings: strings."""

from thalweg._src.ops.numeric.segments import unsorted_segment_join as unsorted_segment_join
from thalweg._src.ops.reports.printing import string_format as format
from thalweg._src.ops.text.string_numbers import as_string as as_string
from thalweg._src.ops.text.string_numbers import string_to_hash_bucket as to_hash_bucket
from thalweg._src.ops.text.string_numbers import string_to_hash_bucket_fast as to_hash_bucket_fast
from thalweg._src.ops.text.string_numbers import string_to_hash_bucket_strong as to_hash_bucket_strong
from thalweg._src.ops.text.string_numbers import string_to_number as to_number
from thalweg._src.ops.text.string_split import string_split_by as split
from thalweg._src.ops.text.strings import reduce_join as reduce_join
from thalweg._src.ops.text.strings import regex_full_match as regex_full_match
from thalweg._src.ops.text.strings import regex_replace as regex_replace
from thalweg._src.ops.text.strings import string_join as join
from thalweg._src.ops.text.strings import string_length as length
from thalweg._src.ops.text.strings import string_lower as lower
from thalweg._src.ops.text.strings import string_strip as strip
from thalweg._src.ops.text.strings import string_upper as upper
from thalweg._src.ops.text.strings import substr as substr
from thalweg._src.ops.text.unicode import string_bytes_split as bytes_split
from thalweg._src.ops.text.unicode import string_ngrams as ngrams
from thalweg._src.ops.text.unicode import unicode_decode as unicode_decode
from thalweg._src.ops.text.unicode import unicode_decode_with_offsets as unicode_decode_with_offsets
from thalweg._src.ops.text.unicode import unicode_encode as unicode_encode
from thalweg._src.ops.text.unicode import unicode_split as unicode_split
from thalweg._src.ops.text.unicode import unicode_split_with_offsets as unicode_split_with_offsets
from thalweg._src.ops.text.unicode import unicode_transcode as unicode_transcode
from thalweg._src.ops.text.unicode_scripts import unicode_script as unicode_script
