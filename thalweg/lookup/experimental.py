"""tf.lookup.experimental: a table that operations change."""

from thalweg._src.lib.mutable_tables import DenseHashTable as DenseHashTable
