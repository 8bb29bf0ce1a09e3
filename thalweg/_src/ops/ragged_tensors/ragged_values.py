"""The values of ragged tensors, as a run returns and takes them."""

from typing import Any

import numpy as np


class RaggedTensorValue:
    """The value of a RaggedTensor: an array, or another such value, and its row splits.

    Raises TypeError for splits that are no vector of int32 or int64, or differ in type from those below.
    """

    def __init__(self, values: Any, row_splits: Any):
        row_splits = np.asarray(row_splits)
        if row_splits.dtype not in (np.int64, np.int32):
            raise TypeError("row_splits must have dtype int32 or int64")
        if row_splits.ndim != 1:
            raise TypeError("row_splits must be a one-dimensional array")
        if not isinstance(values, np.ndarray | np.generic | RaggedTensorValue):
            raise TypeError("values must be an array or a RaggedTensorValue")
        if isinstance(values, RaggedTensorValue) and row_splits.dtype != values.row_splits.dtype:
            raise TypeError("row_splits and values.row_splits must have the same dtype")
        self._values, self._row_splits = values, row_splits

    @property
    def values(self) -> Any:
        """What lies below the rows."""
        return self._values

    @property
    def row_splits(self) -> Any:
        """Where each row begins, and the last ends."""
        return self._row_splits

    @property
    def flat_values(self) -> Any:
        """The array below all ragged axes."""
        return self._values.flat_values if isinstance(self._values, RaggedTensorValue) else self._values

    @property
    def nested_row_splits(self) -> tuple[Any, ...]:
        """The splits of all ragged axes, outermost first."""
        inner = self._values.nested_row_splits if isinstance(self._values, RaggedTensorValue) else ()
        return (self._row_splits, *inner)

    @property
    def ragged_rank(self) -> int:
        """The number of ragged axes."""
        return len(self.nested_row_splits)

    @property
    def dtype(self) -> Any:
        return self.flat_values.dtype

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape; ragged axes are None."""
        return (len(self._row_splits) - 1, None, *self._values.shape[1:])

    def _components(self) -> list[Any]:
        return [*self.nested_row_splits, self.flat_values]

    def to_list(self) -> list[Any]:
        """Nested Python lists."""
        inner = self._values.to_list() if isinstance(self._values, RaggedTensorValue) else self._values.tolist()
        ends = self._row_splits.tolist()
        return [inner[a:b] for a, b in zip(ends[:-1], ends[1:], strict=True)]

    def __str__(self) -> str:
        return f"<tf.RaggedTensorValue {self.to_list()}>"

    def __repr__(self) -> str:
        return f"tf.RaggedTensorValue(values={self._values!r}, row_splits={self._row_splits!r})"
