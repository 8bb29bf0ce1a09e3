"""The Penn Treebank as word numbers."""

from thalweg._src.contrib.models.ptb_reader import _build_vocab as _build_vocab
from thalweg._src.contrib.models.ptb_reader import _file_to_word_ids as _file_to_word_ids
from thalweg._src.contrib.models.ptb_reader import _read_words as _read_words
from thalweg._src.contrib.models.ptb_reader import ptb_iterator as ptb_iterator
from thalweg._src.contrib.models.ptb_reader import ptb_producer as ptb_producer
from thalweg._src.contrib.models.ptb_reader import ptb_raw_data as ptb_raw_data
