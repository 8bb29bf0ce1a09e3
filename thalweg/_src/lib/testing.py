"""`tf.test`: test cases over graphs and sessions."""

from __future__ import annotations

import contextlib
import os
import random
import re
import sys
import tempfile
import threading
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import ml_dtypes
import numpy as np

from thalweg._src import version as versions
from thalweg._src.core import default_sessions, errors, nest, node
from thalweg._src.core import graph as graph_lib
from thalweg._src.core.devices import canonical
from thalweg._src.core.eager import executing_eagerly
from thalweg._src.core.seeds import set_random_seed
from thalweg._src.core.sparse_tensor import SparseTensor, SparseTensorValue
from thalweg._src.lib import graph_differences
from thalweg._src.lib.assertions import Assertions
from thalweg._src.lib.benchmark import run_benchmarks
from thalweg._src.lib.captured import captured_writes
from thalweg._src.lib.platform import flags
from thalweg._src.ops.ragged_tensors.ragged import RaggedTensor, RaggedTensorValue, is_ragged
from thalweg._src.runtime.placing import of_kind
from thalweg._src.runtime.session import Session

SEED = 87654321


def __getattr__(name: str) -> Any:
    if name == "mock":  # it brings asyncio with it
        from unittest import mock

        return mock
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def gpu_device_name() -> str:
    """The name of the first GPU, or ''."""
    return "/device:GPU:0" if of_kind("gpu") else ""


def is_built_with_gpu_support() -> bool:
    """Whether this process could use a GPU of any make."""
    return bool(of_kind("gpu"))


def is_built_with_rocm() -> bool:
    """Whether there is support for AMD's GPUs: no."""
    return False


def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
    """Whether there is a GPU."""
    return bool(of_kind("gpu"))


def is_built_with_cuda() -> bool:
    """Whether JAX has a CUDA backend here."""
    return bool(of_kind("gpu"))


def get_temp_dir() -> str:
    """A folder for this process's temporary files, which goes with it."""
    return _temporary().name


_folder: Any = None


def _temporary() -> Any:
    global _folder
    if _folder is None:
        _folder = tempfile.TemporaryDirectory(prefix="thalweg-test-")
    return _folder


def main(argv: Any = None) -> None:
    """Run the test cases of the calling program, after its flags were parsed; what is no flag of it is for unittest.

    With `--benchmarks=pattern` its benchmarks are run instead, those whose names match it or "all".
    """
    given = list(sys.argv if argv is None else argv)
    asked = [word for word in given if word.lstrip("-").startswith("benchmarks=") and word.startswith("-")]
    if asked:
        given.remove(asked[0])
        flags.FLAGS(given)
        run_benchmarks(asked[0].partition("=")[2])
        return
    unittest.main(argv=flags.FLAGS(given, known_only=True))


def test_src_dir_path(relative_path: str) -> str:
    """Where the environment says (TEST_SRCDIR) that the data of tests lies. KeyError where it says nothing."""
    return os.path.join(os.environ["TEST_SRCDIR"], "org_tensorflow/tensorflow", relative_path)


test_src_dir_path.__test__ = False  # type: ignore[attr-defined]  # no test of pytest's


def assert_equal_graph_def(
    actual: Any, expected: Any, checkpoint_v2: bool = False, hash_table_shared_name: bool = False
) -> None:
    """Raises AssertionError unless two GraphDefs have the same nodes, whatever their order; TypeError for what is none.

    `checkpoint_v2` leaves out the names of a checkpoint's files, `hash_table_shared_name` the shared names of tables: a process makes both.
    """
    for which, value in (("actual", actual), ("expected", expected)):
        if type(value).__name__ != "GraphDef":
            raise TypeError(f"Expected tf.GraphDef for {which}, got {type(value).__name__}")

    ours, theirs = (
        graph_differences.without_process_names(given, shards=checkpoint_v2, tables=hash_table_shared_name)
        for given in (actual, expected)
    )
    found = graph_differences.difference(ours, theirs)
    if found:
        raise AssertionError(found)


def _present_value(tensor: Any) -> Any:
    """What a tensor or a variable holds now. A function is called for it; None, of an operation, stays."""
    if callable(tensor):
        return _present_value(tensor())
    if isinstance(tensor, SparseTensor):
        return SparseTensorValue(*(part.numpy() for part in (tensor.indices, tensor.values, tensor.dense_shape)))
    return tensor.numpy() if hasattr(tensor, "numpy") else tensor


class TestCase(Assertions, unittest.TestCase):
    """A test case that begins with a fresh default graph and fixed seeds, and knows how to compare arrays."""

    def setUp(self) -> None:
        self._drop_session()
        random.seed(SEED)
        np.random.seed(SEED)
        graphs, eagerly = graph_lib._default_graphs.stack, executing_eagerly()
        innermost = graphs[-1:]
        graphs.clear()  # what an earlier test left open
        graph_lib.reset_default_graph()
        if executing_eagerly() and not eagerly:  # the block of a graph in a program that executes eagerly goes on
            graphs.extend(innermost)
        set_random_seed(SEED)

    def tearDown(self) -> None:
        for thread in self.__dict__.get("_threads", []):
            thread.check_termination()
        self._drop_session()

    # -- sessions

    def _drop_session(self) -> None:
        kept = self.__dict__.pop("_kept_session", None)
        if kept is not None:
            kept.close()

    @contextlib.contextmanager
    def session(
        self, graph: Any = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> Iterator[Session]:
        """A session of its own, as the default one."""
        with Session(graph=graph, config=_soft(config)) as sess:
            yield sess

    @contextlib.contextmanager
    def cached_session(
        self, graph: Any = None, config: Any = None, use_gpu: bool = False, force_gpu: bool = False
    ) -> Iterator[Session]:
        """The one session of this test, made on first use."""
        if graph is not None:
            with Session(graph=graph, config=_soft(config)) as sess:
                yield sess
            return
        kept = self.__dict__.get("_kept_session")
        if kept is None or kept.graph is not graph_lib.get_default_graph():
            kept = self.__dict__["_kept_session"] = Session(config=_soft(config))
        with kept.graph.as_default(), kept.as_default():
            yield kept

    def test_session(self, *args: Any, **kwargs: Any) -> Any:
        """`cached_session` under its older name, which looks like that of a test."""
        if self.id().endswith(".test_session"):
            self.skipTest("Not a test.")
        return self.cached_session(*args, **kwargs)

    def evaluate(self, tensors: Any) -> Any:
        """The values of `tensors` in the default session, or those that they have under eager execution."""
        if executing_eagerly():
            return nest.map_leaves(_present_value, tensors)
        stack = default_sessions.default_sessions.stack
        if stack:
            return stack[-1].run(tensors)
        with self.cached_session() as sess:
            return sess.run(tensors)

    def get_temp_dir(self) -> str:
        """A folder of this test's own."""
        if "_temp" not in self.__dict__:
            self._temp = tempfile.mkdtemp(dir=get_temp_dir())
        return self._temp

    # -- comparing

    def _array(self, value: Any) -> np.ndarray:
        if hasattr(value, "op") and not isinstance(value, np.ndarray):
            value = self.evaluate(value)
        return value if isinstance(value, np.ndarray) else np.array(value)

    def assertAllClose(self, a: Any, b: Any, rtol: float = 1e-6, atol: float = 1e-6, msg: str | None = None) -> None:
        """The (nested, ragged) arrays are equal up to atol + rtol * |b|."""
        if is_ragged(a) or is_ragged(b):
            a, b = self._rows(a), self._rows(b)
        if nest.is_nested(a) and nest.is_nested(b) and (isinstance(a, dict) or _ragged(a)):
            self.assertEqual(isinstance(a, dict), isinstance(b, dict), msg)
            keys = sorted(a) if isinstance(a, dict) else range(len(a))
            self.assertEqual(len(a), len(b), msg)
            for k in keys:
                self.assertAllClose(a[k], b[k], rtol, atol, msg)
            return
        x, y = self._array(a), self._array(b)
        self.assertEqual(x.shape, y.shape, f"Shape mismatch: expected {x.shape}, got {y.shape}. {msg or ''}")
        x, y = _wide(x), _wide(y)
        if not np.allclose(x, y, rtol=rtol, atol=atol):
            np.testing.assert_allclose(x, y, rtol=rtol, atol=atol, err_msg=msg or "", equal_nan=True)

    def assertNotAllClose(self, a: Any, b: Any, **kwargs: Any) -> None:
        """The arrays differ."""
        try:
            self.assertAllClose(a, b, **kwargs)
        except AssertionError:
            return
        raise AssertionError("The two values are close at all elements")

    def assertAllCloseAccordingToType(
        self,
        a: Any,
        b: Any,
        rtol: float = 1e-6,
        atol: float = 1e-6,
        float_rtol: float = 1e-6,
        float_atol: float = 1e-6,
        half_rtol: float = 1e-3,
        half_atol: float = 1e-3,
        bfloat16_rtol: float = 1e-2,
        bfloat16_atol: float = 1e-2,
        msg: str | None = None,
    ) -> None:
        """`assertAllClose` with the tolerance of the less exact type."""
        kinds = {self._array(a).dtype, self._array(b).dtype}
        for kind, r, t in (
            ((np.float32, np.complex64), float_rtol, float_atol),
            ((np.float16,), half_rtol, half_atol),
            ((ml_dtypes.bfloat16,), bfloat16_rtol, bfloat16_atol),
        ):
            if any(np.dtype(k) in kinds for k in kind):
                rtol, atol = max(rtol, r), max(atol, t)
        self.assertAllClose(a, b, rtol, atol, msg)

    def _rows(self, value: Any) -> Any:
        """A value, ragged or not, as lists."""
        if isinstance(value, RaggedTensor | node.Tensor):
            value = self.evaluate(value)
        if isinstance(value, list | tuple):
            return [self._rows(v) for v in value]
        return value.to_list() if isinstance(value, RaggedTensorValue) else np.asarray(value).tolist()

    def assertAllEqual(self, a: Any, b: Any, msg: str | None = None) -> None:
        """The arrays are equal, NaNs too; so are ragged ones, row by row."""
        if is_ragged(a) or is_ragged(b):
            self.assertEqual(self._rows(a), self._rows(b), msg)
            return
        x, y = self._array(a), self._array(b)
        if x.size <= 3:
            self.assertEqual(
                x.shape, y.shape, f"Shape mismatch: expected {x.shape}, got {y.shape}. Contents: {y}. {msg or ''}"
            )
        else:
            self.assertEqual(x.shape, y.shape, f"Shape mismatch: expected {x.shape}, got {y.shape}. {msg or ''}")
        same = x == y
        if x.dtype.kind in "fc" and y.dtype.kind in "fc":
            same = same | (np.isnan(x) & np.isnan(y))
        if not np.all(same):
            np.testing.assert_array_equal(x, y, err_msg=msg or "")

    def assertArrayNear(self, farray1: Any, farray2: Any, err: float, msg: str | None = None) -> None:
        """Element by element, the lists differ by `err` at most."""
        self.assertEqual(len(farray1), len(farray2), msg)
        for f1, f2 in zip(farray1, farray2, strict=True):
            self.assertNear(float(f1), float(f2), err, msg)

    def assertNear(self, f1: float, f2: float, err: float, msg: str | None = None) -> None:
        """The numbers differ by `err` at most."""
        self.assertTrue(f1 == f2 or abs(f1 - f2) <= err, f"{f1} != {f2} +/- {err}{f' ({msg})' if msg else ''}")

    def assertNDArrayNear(self, ndarray1: Any, ndarray2: Any, err: float, msg: str | None = None) -> None:
        """The arrays have the same shape, and their difference a norm of `err` at most."""
        self.assertEqual(ndarray1.shape, ndarray2.shape, msg)
        self.assertLess(np.linalg.norm(ndarray1 - ndarray2), err, msg)

    def assertAllGreater(self, a: Any, comparison_target: Any) -> None:
        """Every element is greater."""
        self.assertGreater(np.min(self._array(a)), comparison_target)

    def assertAllLess(self, a: Any, comparison_target: Any) -> None:
        """Every element is less."""
        self.assertLess(np.max(self._array(a)), comparison_target)

    def assertAllGreaterEqual(self, a: Any, comparison_target: Any) -> None:
        """Every element is greater or equal."""
        self.assertGreaterEqual(np.min(self._array(a)), comparison_target)

    def assertAllLessEqual(self, a: Any, comparison_target: Any) -> None:
        """Every element is less or equal."""
        self.assertLessEqual(np.max(self._array(a)), comparison_target)

    def assertAllInRange(
        self,
        target: Any,
        lower_bound: Any,
        upper_bound: Any,
        open_lower_bound: bool = False,
        open_upper_bound: bool = False,
    ) -> None:
        """Every element is between the bounds."""
        x = self._array(target)
        low = x <= lower_bound if open_lower_bound else x < lower_bound
        high = x >= upper_bound if open_upper_bound else x > upper_bound
        self.assertFalse(
            np.any(low | high) or np.any(np.isnan(x.astype(float))),
            f"{x} is not within {lower_bound} and {upper_bound}",
        )

    def assertAllInSet(self, target: Any, expected_set: Any) -> None:
        """Every element is one of the set."""
        found = set(self._array(target).ravel().tolist()) - set(expected_set)
        self.assertFalse(found, f"{found} are not in {expected_set}")

    def assertShapeEqual(self, np_array: np.ndarray, tf_tensor: Any, msg: str | None = None) -> None:
        """The static shape is that of the array. Raises TypeError for other kinds of arguments."""
        if not isinstance(np_array, np.ndarray | np.generic):
            raise TypeError("np_array must be a Numpy ndarray or Numpy scalar")
        if not isinstance(tf_tensor, node.Tensor):
            raise TypeError("tf_tensor must be a Tensor")
        self.assertAllEqual(np_array.shape, tf_tensor.get_shape().as_list(), msg)

    def assertDeviceEqual(self, device1: Any, device2: Any, msg: str | None = None) -> None:
        """The two strings or specs mean the same device."""
        self.assertEqual(canonical(device1), canonical(device2), msg)

    def assertProtoEquals(self, expected_message_maybe_ascii: Any, message: Any, msg: str | None = None) -> None:
        """The messages are equal; the first may be given as text."""
        from google.protobuf import text_format

        expected = expected_message_maybe_ascii
        if isinstance(expected, str):
            expected = text_format.Merge(expected, type(message)())
        self.assertEqual(str(expected), str(message), msg)

    def assertProtoEqualsVersion(
        self,
        expected: str,
        actual: Any,
        producer: int = versions.GRAPH_DEF_VERSION,
        min_consumer: int = versions.GRAPH_DEF_VERSION_MIN_CONSUMER,
        msg: str | None = None,
    ) -> None:
        """`assertProtoEquals` of a GraphDef whose text leaves the versions out."""
        said = f"versions {{ producer: {producer}" + (f" min_consumer: {min_consumer}" if min_consumer else "") + " }"
        self.assertProtoEquals(f"{expected} {said}", actual, msg)

    def assertStartsWith(self, actual: str, expected_start: str, msg: str | None = None) -> None:
        """The text begins so."""
        if not actual.startswith(expected_start):
            self.fail(f"{actual!r} does not start with {expected_start!r}. {msg or ''}")

    def assertItemsEqual(self, first: Any, second: Any, msg: str | None = None) -> None:
        """`assertCountEqual`, by its name of Python 2."""
        self.assertCountEqual(first, second, msg)

    def captureWritesToStream(self, stream: Any) -> Any:
        """A block in which what is written to `stream` is kept; `contents()` of what the block gives is the text."""
        return captured_writes(stream, self.get_temp_dir())

    # -- errors

    @contextlib.contextmanager
    def assertRaisesWithPredicateMatch(self, exception_type: Any, expected_err_re_or_predicate: Any) -> Iterator[None]:
        """The block raises an error of that type, for which the predicate holds, or in whose text the pattern is found."""
        test = expected_err_re_or_predicate
        predicate: Callable[[Any], Any] = test if callable(test) else lambda e: re.search(test, _whole_text(e))
        try:
            yield
        except exception_type as error:
            if not predicate(error):
                raise AssertionError(
                    f"Exception of type {type(error)}: {error!s}; expected match of {test!r}"
                ) from error
        else:
            self.fail(f"{getattr(exception_type, '__name__', exception_type)} not raised")

    def assertRaisesOpError(self, expected_err_re_or_predicate: Any) -> Any:
        """`assertRaisesWithPredicateMatch` for any error of a run."""
        return self.assertRaisesWithPredicateMatch(errors.OpError, expected_err_re_or_predicate)

    assertRaisesRegexp = unittest.TestCase.assertRaisesRegex
    assertEquals = unittest.TestCase.assertEqual

    def checkedThread(self, target: Callable[..., Any], args: Any = None, kwargs: Any = None) -> Any:
        """A thread whose error fails the test when it is joined."""
        thread = _CheckedThread(self, target, args or (), kwargs or {})
        self.__dict__.setdefault("_threads", []).append(thread)
        return thread


def _soft(config: Any) -> Any:
    if config is not None:
        return config
    from thalweg._src.formats import protos

    return protos.ConfigProto(allow_soft_placement=True)


def _ragged(value: Any) -> bool:
    try:
        return np.array(value).dtype == object
    except ValueError:
        return True


def _wide(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float32) if array.dtype == ml_dtypes.bfloat16 else array


def _whole_text(error: BaseException) -> str:
    if not isinstance(error, errors.OpError):
        return str(error)
    text = error.message
    op = error.op
    while op is not None:
        text += f"\nCaused by: {op.name}"
        op = op._original_op
    return text


class _CheckedThread:
    def __init__(self, case: TestCase, target: Callable[..., Any], args: Any, kwargs: Any):
        self._case, self._error = case, None
        self._thread = threading.Thread(target=self._run, args=(target, args, kwargs))

    def _run(self, target: Callable[..., Any], args: Any, kwargs: Any) -> None:
        try:
            target(*args, **kwargs)
        except Exception as error:
            self._error = error

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join()
        if self._error is not None:
            self._case.fail(f"Error in checkedThread: {self._error}")

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    @property
    def ident(self) -> Any:
        return self._thread.ident

    def check_termination(self) -> None:
        if self.is_alive():
            self._case.fail("checkedThread is still running")
