"""What a dataset is while a session runs: a `Data`, which gives Python iterators over its elements.

An element is a tuple with one entry per component: a NumPy array, a NumPy scalar, or, for a scalar string or variant, the bytes or
the object itself. Iterators are plain Python ones, written so that one which raised an error can go on with the next element.
"""

import itertools
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from thalweg._src.core import errors, infer, philox, shapes
from thalweg._src.core.errors import invalid as invalid
from thalweg._src.core.opdef import Min, Shape, Types, op

TYPES = Min(Types, 1)
SHAPES = Min(list[Shape], 1)
CAPTURED = Min(Types, 0)  # of what a function uses of the graph around it
FOREVER, UNKNOWN = -1, -2  # numbers of elements


class Data:
    """A dataset: `iterate` begins to walk it, `cardinality` is the number of its elements, FOREVER or UNKNOWN."""

    cardinality: int = UNKNOWN
    fresh: bool = False  # whether nobody else has the arrays of an element that was given
    rows: list[np.ndarray] | None = None  # the arrays whose rows the elements are, where they are nothing else
    types: Any = None  # of the components, where known
    shapes: Any = None

    def iterate(self, run: "Run") -> Iterator[tuple]:
        raise NotImplementedError

    def iterate_by(self, count: int, run: "Run") -> Iterator[tuple]:
        """As `iterate`, for a reader that joins `count` elements at a time to a batch.

        The iterator may have a method `take(n)`, which gives the next `n` elements, or those that are left, at once.
        """
        return self.iterate(run)

    def numbers(self, run: "Run") -> Iterator[int]:
        """As `iterate`, the numbers of the rows in the place of the elements; only where there are `rows`."""
        raise NotImplementedError

    def of(self, types: Any, dims: Any) -> "Data":
        """This dataset, whose components have these types and static shapes."""
        self.types, self.shapes = types, dims
        return self


class From(Data):
    """A dataset made of one other."""

    def __init__(self, source: Data):
        self.source = source


class Shared:
    """What all iterators below one initialized iterator share: random seeds, caches, and whether it has ended."""

    def __init__(self) -> None:
        self.kept: dict[Any, Any] = {}  # by path
        self.seeds: dict[tuple, tuple[int, int]] = {}  # those that were drawn, not given
        self.cancelled = False
        self.fuses = False  # whether a shuffle and the repeat behind it are one
        self.sloppy = False  # whether parallel work may give elements as they come
        self.statistics: Any = None  # those of the datasets, where an aggregator wants them
        self._waiting: weakref.WeakSet[threading.Condition] = weakref.WeakSet()
        self._lock = threading.Lock()

    def watch(self, condition: threading.Condition) -> None:
        """Wake what waits for `condition` when the iterator ends."""
        with self._lock:
            self._waiting.add(condition)

    def cancel(self) -> None:
        self.cancelled = True
        error = errors.CancelledError(None, None, "Iterator was cancelled")
        for streams in [v for k, v in list(self.kept.items()) if k and k[0] == "streams"]:
            streams.cancel(error)
        with self._lock:
            waiting = list(self._waiting)
        for condition in waiting:
            with condition:
                condition.notify_all()


class Run:
    """A place in a walk over nested datasets: the `path` tells one dataset of the walk from the others."""

    __slots__ = ("path", "shared")

    def __init__(self, shared: Shared | None = None, path: tuple = ()):
        self.shared, self.path = shared or Shared(), path

    def at(self, place: Any = 0) -> "Run":
        """The place of an input."""
        return Run(self.shared, (*self.path, place))

    def keep(self, make: Callable[[], Any]) -> Any:
        """What this place keeps between walks, made by the first."""
        found = self.shared.kept.get(self.path)
        if found is None:
            found = self.shared.kept[self.path] = make()
        return found

    def seeds(self, seed: int, seed2: int, drawn: bool) -> tuple[int, int]:
        """The seeds of the dataset at this place; those that were `drawn` are what a restored iterator brought along."""
        return self.shared.seeds.setdefault(self.path, (seed, seed2)) if drawn else (seed, seed2)


class Words:
    """Random words (32 bits), one by one, in the order of TensorFlow's generator."""

    def __init__(self, seed: int, seed2: int):
        self._stream = philox.Stream(philox.initial_state(seed, seed2))
        self._at, self._size = 0, 16
        self._left: Iterator[int] = iter(())

    def next(self) -> int:
        for word in self._left:
            return word
        self._draw()
        return next(self._left)

    def take(self, count: int) -> list[int]:
        """The next `count` of them."""
        out = list(itertools.islice(self._left, count))
        while len(out) < count:
            self._draw()
            out += itertools.islice(self._left, count - len(out))
        return out

    def give_back(self, words: list[int]) -> None:
        """The last `words` that were taken come again."""
        self._left = itertools.chain(words, self._left)

    def _draw(self) -> None:
        with np.errstate(over="ignore"):
            blocks = self._stream.blocks(np.arange(self._at, self._at + self._size, dtype=np.uint64))
        self._at += self._size
        self._size = min(2 * self._size, 4096)
        self._left = iter(np.stack(blocks, axis=-1).reshape(-1).tolist())


def elements(data: Data, run: Run) -> Iterator[tuple]:
    """One way to walk a dataset."""
    return data.iterate(run)


def numbers(data: Data, run: Run) -> Iterator[int]:
    """The other one."""
    return data.numbers(run)


def taken(walk: Iterator[Any], count: int) -> list[Any]:
    """What comes next in a walk, `count` in all, or fewer at its end."""
    take = getattr(walk, "take", None)
    return list(itertools.islice(walk, count)) if take is None else take(count)


def variant(value: Any) -> np.ndarray:
    """A scalar tensor of type variant that holds `value`."""
    out = np.empty((), object)
    out[()] = value
    return out


def data_of(handle: Any) -> Data:
    """The dataset behind a variant. Raises InvalidArgumentError for what is none."""
    value = handle.item() if isinstance(handle, np.ndarray) and handle.ndim == 0 else handle
    if not isinstance(value, Data):
        raise invalid("Tensor must be a Dataset object.")
    return value


def scalar(x: Any, name: str) -> Any:
    """The Python value of a scalar input. Raises InvalidArgumentError for arrays."""
    if np.ndim(x) != 0:
        raise invalid(f"{name} must be a scalar")
    return x.item() if hasattr(x, "item") else x


def positive(x: Any, name: str, *, auto: bool = False) -> int:
    """The integer of a scalar input. Raises InvalidArgumentError for numbers below 1; with `auto`, -1 leaves the choice to us."""
    n = scalar(x, name)
    if n <= 0 and not (auto and n == -1):
        raise invalid(f"{name} must be greater than zero.")
    return n


def component(x: Any) -> Any:
    """One component of an element from an array: scalars of strings and variants as the object itself."""
    return x.item() if isinstance(x, np.ndarray) and x.dtype == object and x.ndim == 0 else x


def array(x: Any) -> Any:
    """A component of an element as an array, of NumPy or on a device."""
    if isinstance(x, np.ndarray) or hasattr(x, "addressable_shards"):
        return x
    return np.asarray(x) if isinstance(x, np.generic) else variant(x)


def shape_text(x: Any) -> str:
    return "[" + ",".join(map(str, np.shape(x) if not isinstance(x, bytes) else ())) + "]"


def dataset(*names: str, stateful: bool = False) -> Any:
    """Declare an op under all `names` that gives a dataset. The lowering returns `made(...)`."""

    def declare(fn: Callable[..., Any]) -> Any:
        first = None
        for name in names:
            opdef = op(name, host=True, foldable=False, stateful=stateful)(fn)
            opdef.shape_rule(_dims)
            opdef.not_differentiable()
            first = first or opdef
        return first

    return declare


# Inputs of datasets that are one number or one string.
_SCALARS = frozenset(
    {"count", "batch_size", "num_shards", "index", "buffer_size", "seed", "seed2", "size", "shift", "stride", "drop_remainder",
     "window_size", "window_shift", "window_stride", "cycle_length", "block_length", "num_parallel_calls", "sloppy", "filename",
     "buffer_output_elements", "prefetch_input_elements", "compression_type", "start", "stop", "step", "rate", "header_bytes",
     "record_bytes", "footer_bytes"}
)  # fmt: skip


def _dims(node: Any) -> list[Any]:
    for arg, t in infer.flat_args(node):
        if arg.name in _SCALARS:
            shapes.of_rank(t.dims, 0)
    return [()]


def made(data: Data, types: Any = None, dims: Any = None) -> np.ndarray:
    """`data` as the output of an op whose attrs say these types and shapes."""
    return variant(data.of(types, dims))
