"""tf.lookup: tables from keys to values."""

from thalweg._src.lib.lookup import DenseHashTable as DenseHashTable
from thalweg._src.lib.lookup import KeyValueTensorInitializer as KeyValueTensorInitializer
from thalweg._src.lib.lookup import StaticHashTable as StaticHashTable
from thalweg._src.lib.lookup import StaticVocabularyTable as StaticVocabularyTable
from thalweg._src.lib.lookup import TextFileIndex as TextFileIndex
from thalweg._src.lib.lookup import TextFileInitializer as TextFileInitializer
