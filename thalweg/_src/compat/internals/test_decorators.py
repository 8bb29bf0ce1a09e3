"""tensorflow.python.framework.test_util: decorators of test cases, all of which run as graphs here."""

from collections.abc import Callable
from typing import Any

from thalweg._src.lib.testing import TestCase, assert_equal_graph_def, gpu_device_name, is_gpu_available

TensorFlowTestCase = TestCase


def _same(function: Any) -> Any:
    return function


def run_in_graph_and_eager_modes(func: Any = None, **options: Any) -> Any:
    """The test, as a graph."""
    return _same if func is None else func


def run_all_in_graph_and_eager_modes(cls: type) -> type:
    """The test case, as graphs."""
    return cls


def run_deprecated_v1(func: Any = None) -> Any:
    """The test, as a graph."""
    return _same if func is None else func


def run_v1_only(reason: str, func: Any = None) -> Any:
    """The test, as a graph."""
    return _same if func is None else func


def run_v2_only(func: Callable[..., Any]) -> Callable[..., Any]:
    """A test that is skipped: it needs TensorFlow 2."""

    def skipped(self: Any, *args: Any, **kwargs: Any) -> None:
        self.skipTest("Test is only compatible with v2")

    return skipped


def IsMklEnabled() -> bool:
    """False."""
    return False


__all__ = [
    *("IsMklEnabled", "TensorFlowTestCase", "assert_equal_graph_def", "gpu_device_name", "is_gpu_available"),
    *("run_all_in_graph_and_eager_modes", "run_deprecated_v1", "run_in_graph_and_eager_modes", "run_v1_only"),
    "run_v2_only",
]
