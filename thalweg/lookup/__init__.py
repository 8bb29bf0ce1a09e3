"""tf.lookup: tables from keys to values."""

from thalweg._src.lib.lookup import StaticHashTable as StaticHashTable
from thalweg._src.lib.table_initializers import KeyValueTensorInitializer as KeyValueTensorInitializer
from thalweg._src.lib.table_initializers import TextFileIndex as TextFileIndex
from thalweg._src.lib.table_initializers import TextFileInitializer as TextFileInitializer
from thalweg._src.lib.vocabularies import StaticVocabularyTable as StaticVocabularyTable
from thalweg.lookup import experimental as experimental
