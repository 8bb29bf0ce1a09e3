"""tf.python_io: TFRecord files in Python."""

from thalweg._src.lib.io.tf_record import TFRecordWriter as TFRecordWriter
from thalweg._src.lib.io.tf_record import tf_record_iterator as tf_record_iterator
from thalweg._src.ops.io.record_options import TFRecordCompressionType as TFRecordCompressionType
from thalweg._src.ops.io.record_options import TFRecordOptions as TFRecordOptions
