"""tf.contrib.learn.preprocessing: words and categories as numbers."""

from __future__ import annotations

import collections
import math
import pickle
import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from thalweg._src.lib.io.file_io import FileIO

TOKENIZER_RE = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|[\'\w\-]+", re.UNICODE)


def tokenizer(iterator: Iterable[str]) -> Iterator[list[str]]:
    """The words of each text."""
    for value in iterator:
        yield TOKENIZER_RE.findall(value)


class CategoricalVocabulary:
    """Categories and their numbers; 0 is what is unknown."""

    def __init__(self, unknown_token: Any = "<UNK>", support_reverse: bool = True):
        self._unknown_token, self._support_reverse = unknown_token, support_reverse
        self._mapping: dict[Any, int] = {unknown_token: 0}
        self._reverse_mapping: list[Any] = [unknown_token]
        self._freq: dict[Any, int] = collections.defaultdict(int)
        self._freeze = False

    def __len__(self) -> int:
        return len(self._mapping)

    def freeze(self, freeze: bool = True) -> None:
        """From now on what is new is unknown."""
        self._freeze = freeze

    def get(self, category: Any) -> int:
        """The number of a category; a new one where it is not there yet and the vocabulary is not frozen."""
        if category not in self._mapping:
            if self._freeze:
                return 0
            self._mapping[category] = len(self._mapping)
            if self._support_reverse:
                self._reverse_mapping.append(category)
        return self._mapping[category]

    def add(self, category: Any, count: int = 1) -> None:
        """Count a category."""
        if self.get(category) > 0:
            self._freq[category] += count

    def trim(self, min_frequency: int, max_frequency: int = -1) -> None:
        """Keep what is more frequent than `min_frequency`, and less than `max_frequency`; number it by frequency."""
        by_name = sorted(self._freq.items(), key=lambda item: (isinstance(item[0], str), item[0]))
        ordered = sorted(by_name, key=lambda item: item[1], reverse=True)
        self._mapping, self._reverse_mapping = {self._unknown_token: 0}, [self._unknown_token]
        kept = [
            (category, count) for category, count in ordered if count > min_frequency and not 0 < max_frequency <= count
        ]
        for category, _ in kept:
            self._mapping[category] = len(self._mapping)
            if self._support_reverse:
                self._reverse_mapping.append(category)
        self._freq = dict(kept)

    def reverse(self, class_id: int) -> Any:
        """The category of a number. Raises ValueError where the vocabulary doesn't keep them."""
        if not self._support_reverse:
            raise ValueError("This vocabulary wasn't initialized with support_reverse to support reverse() function.")
        return self._reverse_mapping[class_id]


class CategoricalProcessor:
    """Rows of categories as rows of numbers, with a vocabulary for each column, or one for all (`share`)."""

    def __init__(self, min_frequency: int = 0, share: bool = False, vocabularies: Any = None):
        self.min_frequency, self.share, self.vocabularies_ = min_frequency, share, vocabularies

    def freeze(self, freeze: bool = True) -> None:
        """Freeze the vocabularies."""
        for vocabulary in self.vocabularies_:
            vocabulary.freeze(freeze)

    def fit(self, x: Any, unused_y: Any = None) -> CategoricalProcessor:
        """Learn the categories of rows."""
        for row in _rows(x):
            if self.vocabularies_ is None:
                if self.share:
                    self.vocabularies_ = [CategoricalVocabulary()] * len(row)
                else:
                    self.vocabularies_ = [CategoricalVocabulary() for _ in row]
            for vocabulary, value in zip(self.vocabularies_, row, strict=False):
                if not _missing(value):
                    vocabulary.add(value)
        if self.min_frequency > 0:
            for vocabulary in self.vocabularies_:
                vocabulary.trim(self.min_frequency)
        self.freeze()
        return self

    def fit_transform(self, x: Any, unused_y: Any = None) -> Iterator[np.ndarray]:
        """`fit`, then `transform`."""
        return self.fit(x).transform(x)

    def transform(self, x: Any) -> Iterator[np.ndarray]:
        """Rows of numbers."""
        self.freeze()
        for row in _rows(x):
            pairs = zip(self.vocabularies_, row, strict=False)
            yield np.array([0 if _missing(value) else v.get(value) for v, value in pairs], dtype=np.int64)


def _rows(x: Any) -> Any:
    return x.values if hasattr(x, "iloc") else x


def _missing(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


class ByteProcessor:
    """Texts as their bytes, cut or filled up to `max_document_length`."""

    def __init__(self, max_document_length: int):
        self.max_document_length = max_document_length

    def fit(self, x: Any) -> None:
        """Nothing is learned."""

    def fit_transform(self, x: Any) -> Iterator[np.ndarray]:
        """`transform`."""
        return self.transform(x)

    def reverse(self, x: Any) -> Iterator[str]:
        """Rows of bytes as texts; those that are no UTF-8 are empty."""
        for row in x:
            try:
                yield np.trim_zeros(np.asarray(row).astype(np.int8), trim="b").tobytes().decode("utf-8")
            except UnicodeDecodeError:
                yield ""

    def transform(self, x: Any) -> Iterator[np.ndarray]:
        """Texts as rows of bytes."""
        for document in x:
            data = document.encode("utf-8") if isinstance(document, str) else document
            row = np.frombuffer(data[: self.max_document_length], dtype=np.uint8)
            yield np.pad(row, (0, self.max_document_length - len(row)), "constant")


class VocabularyProcessor:
    """Texts as rows of word numbers, cut or filled up to `max_document_length` with 0.

    >>> processor = tf.contrib.learn.preprocessing.VocabularyProcessor(4)
    >>> [row.tolist() for row in processor.fit_transform(["the line of the valley", "a line"])]
    [[1, 2, 3, 1], [5, 2, 0, 0]]
    """

    def __init__(
        self, max_document_length: int, min_frequency: int = 0, vocabulary: Any = None, tokenizer_fn: Any = None
    ):
        self.max_document_length, self.min_frequency = max_document_length, min_frequency
        self.vocabulary_ = vocabulary or CategoricalVocabulary()
        self._tokenizer = tokenizer_fn or tokenizer

    def fit(self, raw_documents: Any, unused_y: Any = None) -> VocabularyProcessor:
        """Learn the words of texts."""
        for tokens in self._tokenizer(raw_documents):
            for token in tokens:
                self.vocabulary_.add(token)
        if self.min_frequency > 0:
            self.vocabulary_.trim(self.min_frequency)
        self.vocabulary_.freeze()
        return self

    def fit_transform(self, raw_documents: Any, unused_y: Any = None) -> Iterator[np.ndarray]:
        """`fit`, then `transform`."""
        self.fit(raw_documents)
        return self.transform(raw_documents)

    def transform(self, raw_documents: Any) -> Iterator[np.ndarray]:
        """Rows of word numbers."""
        for tokens in self._tokenizer(raw_documents):
            row = np.zeros(self.max_document_length, np.int64)
            for i, token in enumerate(tokens[: self.max_document_length]):
                row[i] = self.vocabulary_.get(token)
            yield row

    def reverse(self, documents: Any) -> Iterator[str]:
        """Rows of word numbers as texts."""
        for row in documents:
            yield " ".join(str(self.vocabulary_.reverse(i)) for i in row)

    def save(self, filename: Any) -> None:
        """Write the processor into a file."""
        with FileIO(filename, "wb") as file:
            file.write(pickle.dumps(self))

    @classmethod
    def restore(cls, filename: Any) -> VocabularyProcessor:
        """The processor that `save` wrote. A pickle runs code: read only files that you trust."""
        with FileIO(filename, "rb") as file:
            return pickle.loads(file.read())
