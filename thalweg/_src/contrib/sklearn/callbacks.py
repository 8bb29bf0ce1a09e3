"""Callbacks of scikit-learn (1.9 and above): progress bars, monitors of scores, and what ends a training early."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:  # scikit-learn below 1.9 has none

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stands for scikit-learn's own, and says that it is not there."""

        def set_callbacks(self, *callbacks: Any) -> Any:
            """Raises NotImplementedError for callbacks."""
            if callbacks:
                raise NotImplementedError("Callbacks need scikit-learn 1.9 or above.")
            return self

    def with_callbacks(method: Any) -> Any:
        """The method as it is."""
        return method


__all__ = ["CallbackSupportMixin", "Told", "with_callbacks"]


class Told:
    """What the callbacks of an estimator are told of one training: its beginning, each pass over the rows, its end.

    `fitted()` gives the attributes with which a copy of the estimator can predict as of now.
    """

    def __init__(self, estimator: Any, passes: int, X: Any, y: Any, weights: Any, fitted: Callable[[], dict[str, Any]]):
        self._root: Any = None
        if not getattr(estimator, "_skl_callbacks", None):
            return
        metadata = None if weights is None else {"sample_weight": weights}
        self._facts = {"estimator": estimator, "X": X, "y": y, "metadata": metadata}
        self._fitted = fitted
        self._root = estimator._init_callback_context(max_subtasks=passes)
        self._root.call_on_fit_task_begin(**self._facts)

    def begin(self) -> Any:
        """A pass begins; gives what `end` takes."""
        if self._root is None:
            return None
        task = self._root.subcontext(task_name="epoch")
        task.call_on_fit_task_begin(**self._facts)
        return task

    def end(self, task: Any) -> bool:
        """A pass, or with None the training, is over; whether a callback wants to stop."""
        task = self._root if task is None else task
        return task is not None and task.call_on_fit_task_end(**self._facts, reconstruction_attributes=self._fitted)
