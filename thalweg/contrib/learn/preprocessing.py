"""tf.contrib.learn.preprocessing."""

from thalweg._src.contrib.learn.preprocessing import ByteProcessor as ByteProcessor
from thalweg._src.contrib.learn.preprocessing import CategoricalProcessor as CategoricalProcessor
from thalweg._src.contrib.learn.preprocessing import CategoricalVocabulary as CategoricalVocabulary
from thalweg._src.contrib.learn.preprocessing import VocabularyProcessor as VocabularyProcessor
from thalweg._src.contrib.learn.preprocessing import tokenizer as tokenizer
