"""Functions over the rows of tensors: `tf.map_fn`, `tf.foldl`, `tf.foldr`, `tf.scan`."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from thalweg._src.core import nest, scopes
from thalweg._src.core.convert import to_tensor
from thalweg._src.core.dimension import Dimension
from thalweg._src.core.graph import Tensor
from thalweg._src.core.shapes import TensorShape
from thalweg._src.core.sparse_tensor import SparseTensor
from thalweg._src.ops.arrays import constants
from thalweg._src.ops.control.tensor_array import TensorArray
from thalweg._src.ops.control.while_loop import while_loop
from thalweg._src.ops.late import array


def map_fn(
    fn: Any,
    elems: Any,
    dtype: Any = None,
    parallel_iterations: int | None = None,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    name: str | None = None,
) -> Any:
    """`fn` of each row of `elems` (a tensor or a structure of tensors), stacked.

    `dtype` is the type, or structure of types, of what `fn` returns, where that is not that of `elems`. Raises TypeError for a
    SparseTensor or something that can't be called, ValueError for scalars.

    >>> run(tf.map_fn(lambda x: x * x, tf.constant([1, 2, 3])))
    array([1, 4, 9], dtype=int32)
    """
    if not callable(fn):
        raise TypeError("fn must be callable.")
    if isinstance(elems, SparseTensor):
        raise TypeError(
            "To perform a map on the values of a sparse tensor use either  SparseTensor(input.indices, fn(input.values), "
            "input.dense_shape) or  SparseTensor(input.indices, map_fn(fn, input.values), input.dense_shape)"
        )
    given = nest.flatten(elems)
    with scopes.name_scope(name, "map", given), _cached_reads():
        tensors = [to_tensor(e, name="elem") for e in given]
        if dtype is None:
            dtype = _packed(elems, [t.dtype.base_dtype for t in tensors])
        if tensors[0].dims == ():
            one = "elems must be a 1+ dimensional Tensor, not a scalar"
            raise ValueError(
                one if len(tensors) == 1 else "elements in elems must be 1+ dimensional Tensors, not scalars"
            )
        n = _rows(tensors[0])
        sources = [TensorArray(t.dtype, size=n, infer_shape=True).unstack(t) for t in tensors]
        i = constants.constant(0)
        results = [TensorArray(d, size=n, infer_shape=infer_shape) for d in nest.flatten(dtype)]

        def turn(i: Tensor, results: list[TensorArray]) -> Any:
            value = fn(_packed(elems, [s.read(i) for s in sources]))
            nest.assert_same_structure(dtype if dtype is not None else elems, value)
            return i + 1, [a.write(i, v) for a, v in zip(results, nest.flatten(value), strict=True)]

        _, results = while_loop(
            lambda i, _: i < n,
            turn,
            (i, results),
            parallel_iterations=parallel_iterations or 10,
            back_prop=back_prop,
            swap_memory=swap_memory,
            maximum_iterations=n,
        )
        return _packed(dtype, _stacked(results, tensors))


def vectorized_map(fn: Any, elems: Any) -> Any:
    """`fn` of each row of `elems`, stacked, as `map_fn`; the types are those of what `fn` makes of the first row.

    >>> run(tf.vectorized_map(lambda x: x > 1, tf.constant([1, 2])))
    array([False,  True])
    """
    rows = nest.map_leaves(lambda e: to_tensor(e, name="elem"), elems)
    with scopes.name_scope(None, "loop_body", nest.flatten(rows)):
        found = fn(nest.map_leaves(lambda e: e[0], rows))
    return map_fn(fn, rows, dtype=nest.map_leaves(lambda t: to_tensor(t).dtype.base_dtype, found))


def foldl(
    fn: Any,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """`a = fn(a, row)` over the rows of `elems` from the first to the last; `a` begins as `initializer`, or as the first row.

    >>> run(tf.foldl(lambda a, x: a - x, tf.constant([1, 2, 3])))
    -4
    """
    return _fold(fn, elems, initializer, parallel_iterations, back_prop, swap_memory, name, "foldl")


def foldr(
    fn: Any,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    name: str | None = None,
) -> Any:
    """`a = fn(a, row)` over the rows of `elems` from the last to the first; `a` begins as `initializer`, or as the last row.

    >>> run(tf.foldr(lambda a, x: a - x, tf.constant([1, 2, 3])))
    0
    """
    return _fold(fn, elems, initializer, parallel_iterations, back_prop, swap_memory, name, "foldr")


def _fold(
    fn: Any, elems: Any, initializer: Any, parallel: int, back_prop: bool, swap_memory: bool, name: Any, which: str
) -> Any:
    if not callable(fn):
        raise TypeError("fn must be callable.")
    forwards = which == "foldl"
    with scopes.name_scope(name, which, nest.flatten(elems)), _cached_reads():
        tensors = [to_tensor(e, name="elem") for e in nest.flatten(elems)]
        n = _rows(tensors[0])
        sources = [TensorArray(t.dtype, size=n, infer_shape=True).unstack(t) for t in tensors]

        def row(i: Any) -> Any:
            return _packed(elems, [s.read(i) for s in sources])

        i: Any
        if initializer is None:
            i = constants.constant(1) if forwards else n - 1
            a = row(0 if forwards else i)
        else:
            i, a = (constants.constant(0) if forwards else n), initializer

        def turn(i: Tensor, a: Any) -> Any:
            at = i if forwards else i - 1
            a = fn(a, row(at))
            return [i + 1 if forwards else at, a]

        return while_loop(
            (lambda i, a: i < n) if forwards else (lambda i, a: i > 0),
            turn,
            [i, a],
            parallel_iterations=parallel,
            back_prop=back_prop,
            swap_memory=swap_memory,
            maximum_iterations=n,
        )[1]


def scan(
    fn: Any,
    elems: Any,
    initializer: Any = None,
    parallel_iterations: int = 10,
    back_prop: bool = True,
    swap_memory: bool = False,
    infer_shape: bool = True,
    reverse: bool = False,
    name: str | None = None,
) -> Any:
    """As `foldl` (with `reverse`, as `foldr`), but all the values that `a` takes, stacked.

    >>> run(tf.scan(lambda a, x: a + x, tf.constant([1, 2, 3])))
    array([1, 3, 6], dtype=int32)
    """
    if not callable(fn):
        raise TypeError("fn must be callable.")
    given = nest.flatten(elems)
    like = elems if initializer is None else initializer
    with scopes.name_scope(name, "scan", given), _cached_reads():
        tensors = [to_tensor(e, name="elem") for e in given]
        n = _rows(tensors[0])
        sources = [
            TensorArray(t.dtype, size=n, element_shape=t.shape[1:], infer_shape=True).unstack(t) for t in tensors
        ]
        begin = n - 1 if reverse else 0
        if initializer is None:
            values = [s.read(begin) for s in sources]
        else:
            values = [to_tensor(v) for v in nest.flatten(initializer)]
        results = [
            TensorArray(v.dtype, size=n, element_shape=v.shape if infer_shape else None, infer_shape=infer_shape)
            for v in values
        ]
        done = 0
        if initializer is None:
            results = [a.write(begin, v) for a, v in zip(results, values, strict=True)]
            done = 1

        def turn(i: Tensor, values: list[Tensor], results: list[TensorArray]) -> Any:
            rows = _packed(elems, [s.read(i) for s in sources])
            out = fn(_packed(like, values), rows)
            nest.assert_same_structure(like, out)
            new = nest.flatten(out)
            results = [a.write(i, v) for a, v in zip(results, new, strict=True)]
            return (i - 1 if reverse else i + 1), new, results

        _, _, results = while_loop(
            (lambda i, v, r: i >= 0) if reverse else (lambda i, v, r: i < n),
            turn,
            (n - 1 - done if reverse else done, values, results),
            parallel_iterations=parallel_iterations,
            back_prop=back_prop,
            swap_memory=swap_memory,
            maximum_iterations=n,
        )
        return _packed(like, _stacked(results, tensors))


def _packed(like: Any, values: list[Any]) -> Any:
    return nest.pack(like, values) if nest.is_nested(like) else values[0]


def _rows(t: Tensor) -> Any:
    """The number of rows: a Python number where it is known."""
    if t.dims:
        n = t.dims[0]
        if n is not None:
            return n
    return array.shape(t)[0]


def _stacked(results: list[TensorArray], tensors: list[Tensor]) -> list[Tensor]:
    out = [r.stack() for r in results]
    n = Dimension(None)
    for t in tensors:
        n = n.merge_with(t.shape.with_rank_at_least(1)[0])
    for t in out:
        t.set_shape(TensorShape([n]).concatenate(t.shape[1:]))
    return out


@contextlib.contextmanager
def _cached_reads() -> Iterator[None]:
    """Variables that a function gets are read once, not in every turn: TensorFlow's caching device, which is the scope's here."""
    from thalweg._src.ops.stateful import variable_scope

    scope = variable_scope.get_variable_scope()
    device: Callable[[Any], str] = lambda op: op.device
    fresh = scope.caching_device is None
    if fresh:
        scope.set_caching_device(device)
    try:
        yield
    finally:
        if fresh:
            scope.set_caching_device(None)
