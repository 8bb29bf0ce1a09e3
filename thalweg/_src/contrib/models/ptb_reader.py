"""The Penn Treebank as word numbers: tensorflow.models.rnn.ptb.reader.

The corpus (Marcus, Marcinkiewicz and Santorini, 1993; split and cut to 10,000 words by Mikolov) is three files of words.
"""

import collections
import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dtypes import int32
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.scopes import name_scope
from thalweg._src.lib.producers import range_input_producer
from thalweg._src.ops.basic import identity
from thalweg._src.ops.late import array
from thalweg._src.ops.reports.checks import assert_positive


def _read_words(filename: Any) -> list[str]:
    with open(filename, encoding="utf-8") as f:
        return f.read().replace("\n", "<eos>").split()


def _build_vocab(filename: Any) -> dict[str, int]:
    """The number of every word: the most frequent first, then by the alphabet."""
    counts = collections.Counter(_read_words(filename))
    return {word: i for i, (word, _) in enumerate(sorted(counts.items(), key=lambda item: (-item[1], item[0])))}


def _file_to_word_ids(filename: Any, word_to_id: dict[str, int]) -> list[int]:
    return [word_to_id[word] for word in _read_words(filename) if word in word_to_id]


def ptb_raw_data(data_path: Any = None) -> tuple[list[int], list[int], list[int], int]:
    """(training, validation, test words as numbers, size of the vocabulary) from the files `ptb.*.txt` of a folder."""
    paths = [os.path.join(data_path, f"ptb.{part}.txt") for part in ("train", "valid", "test")]
    words = _build_vocab(paths[0])
    train, valid, test = (_file_to_word_ids(path, words) for path in paths)
    return train, valid, test, len(words)


def ptb_producer(raw_data: Any, batch_size: int, num_steps: int, name: str | None = None) -> tuple[Tensor, Tensor]:
    """(words, the words that follow them): int32[batch_size, num_steps], the next stretch in every run, by a queue.

    Raises InvalidArgumentError in the run where there are too few words.
    """
    with name_scope(name, "PTBProducer", [raw_data, batch_size, num_steps]):
        words = to_tensor(raw_data, int32, "raw_data")
        length = array.size(words) // batch_size
        data = array.reshape(words[0 : batch_size * length], [batch_size, length])
        epoch_size = (length - 1) // num_steps
        enough = assert_positive(epoch_size, message="epoch_size == 0, decrease batch_size or num_steps")
        with get_default_graph().control_dependencies([enough]):
            epoch_size = identity(epoch_size, name="epoch_size")
        i = range_input_producer(epoch_size, shuffle=False).dequeue()
        out = []
        for shift in (0, 1):
            begin, end = [0, i * num_steps + shift], [batch_size, (i + 1) * num_steps + shift]
            part = array.strided_slice(data, begin, end)
            part.set_shape([batch_size, num_steps])
            out.append(part)
        return out[0], out[1]


def ptb_iterator(raw_data: Any, batch_size: int, num_steps: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """As ptb_producer, as pairs of arrays. Raises ValueError where there are too few words."""
    words = np.array(raw_data, np.int32)
    length = len(words) // batch_size
    data = words[: batch_size * length].reshape(batch_size, length)
    epoch_size = (length - 1) // num_steps
    if epoch_size == 0:
        raise ValueError("epoch_size == 0, decrease batch_size or num_steps")
    for i in range(epoch_size):
        at = i * num_steps
        yield data[:, at : at + num_steps], data[:, at + 1 : at + num_steps + 1]
