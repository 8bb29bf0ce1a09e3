"""Iterators: resources that walk a dataset. A session keeps them by name; a string handle finds them again."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from thalweg._src.core import errors, shapes
from thalweg._src.core.devices import DeviceSpec
from thalweg._src.core.dtypes import resource, string, variant
from thalweg._src.core.opdef import Func, Min, Mixed, Outputs, Shape, Types, op
from thalweg._src.formats import protos
from thalweg._src.ops.data.factories import acting, described, remade
from thalweg._src.ops.data.memory import give
from thalweg._src.ops.data.optional import Optional
from thalweg._src.ops.data.pipeline import SHAPES, TYPES, Data, Run, Shared, array, data_of, invalid
from thalweg._src.ops.data.pipeline import variant as variant_of

_NUMBERS = itertools.count()


class IteratorResource:
    """An iterator: the types and shapes that it was declared with, and, once initialized, a walk."""

    def __init__(self, types: Any, dims: Any, device: str = ""):
        self.types, self.dims, self.device = types, dims, device
        self.lock = threading.Lock()
        self.shared: Shared | None = None
        self.data: Data | None = None
        self.walk: Iterator[tuple] | None = None
        self.count = 0
        self.source: Any = None  # the tensor that the dataset came from, or what the checkpoint said of it
        self.handle = f"thalweg-iterator-{next(_NUMBERS)}".encode()

    def initialize(self, data: Data, source: Any = None) -> None:
        """Begin to walk `data`, the value of the tensor `source`. Raises InvalidArgumentError where its types or shapes do not fit."""
        check_types(self.types, data.types, self.dims, data.shapes)
        self._begin(data, Shared())
        self.source = source

    def _begin(self, data: Data, shared: Shared) -> None:
        walk = data.iterate(Run(shared))
        with self.lock:
            old, self.shared = self.shared, shared
            self.data, self.walk, self.count = data, walk, 0
        if old is not None:
            old.cancel()

    def next(self) -> tuple | None:
        """The next element, None at the end."""
        with self.lock:
            if self.walk is None:
                raise errors.FailedPreconditionError(
                    None,
                    None,
                    "GetNext() failed because the iterator has not been initialized. Ensure that you have run the initializer "
                    "operation for this iterator before getting the next element.",
                )
            try:
                element = next(self.walk)
            except StopIteration:
                return None
            finally:
                self.count += 1
            if self.data is not None and self.data.fresh:
                give(element)
            return element

    def cancel(self) -> None:
        """End what runs for it on other threads; the session closes."""
        shared = self.shared
        if shared is not None:
            shared.cancel()

    def save(self) -> bytes:
        """How far the walk has come, and with which random seeds."""
        with self.lock:
            if self.shared is None:
                raise errors.FailedPreconditionError(
                    None,
                    None,
                    "Save() failed because the iterator has not been initialized. Ensure that you have run the initializer "
                    "operation for this iterator before saving it.",
                )
            seeds = [[list(path), *pair] for path, pair in self.shared.seeds.items()]
            state = json.dumps({"count": self.count, "seeds": seeds}).encode()
        source = self.source
        if isinstance(source, bytes | None):
            return state + b"\n" + (source or b"")
        op = acting(source)
        if op is not None:
            raise errors.FailedPreconditionError(
                None, None, f"{op.type} is stateful: elements can't be made again as they were. (It is {op.name}.)"
            )
        return state + b"\n" + described(source)

    def restore(self, saved: bytes, make: Callable[[bytes], Data]) -> None:
        """Walk from the start to where `save` was, with the same random seeds. `make` makes a dataset of its description."""
        state, _, source = saved.partition(b"\n")
        if self.data is None and source:
            self.initialize(make(source), source)
        if self.data is None:
            raise errors.FailedPreconditionError(
                None,
                None,
                "Restore() failed because the iterator has not been initialized. Ensure that you have run the initializer "
                "operation for this iterator before restoring it.",
            )
        found = json.loads(state)
        shared = Shared()
        shared.seeds = {tuple(path): (a, b) for path, a, b in found["seeds"]}
        self._begin(self.data, shared)
        assert self.walk is not None
        for _ in range(found["count"]):
            try:
                next(self.walk)
            except StopIteration:
                break
            except errors.OpError:
                continue
        self.count = found["count"]


def check_types(types: Any, given: Any, dims: Any, given_dims: Any) -> None:
    """Raises InvalidArgumentError unless elements of the given types and shapes can stand for the declared ones."""
    if not types or not given:
        return
    if len(types) != len(given):
        raise invalid(f"Number of components does not match: expected {len(types)} types but got {len(given)}.")
    for i, (want, got) in enumerate(zip(types, given, strict=True)):
        if want != got:
            raise invalid(f"Data type mismatch at component {i}: expected {want.cpp_name} but got {got.cpp_name}.")
    if not dims or not given_dims:
        return
    if len(dims) != len(given_dims):
        raise invalid(f"Number of components does not match: expected {len(dims)} shapes but got {len(given_dims)}.")
    for i, (want, got) in enumerate(zip(dims, given_dims, strict=True)):
        if not shapes.compatible(want, got):
            raise invalid(
                f"Incompatible shapes at component {i}: expected {shapes.text(want)} but got {shapes.text(got)}."
            )


def _declared(ctx: Any, kind: str, container: str, shared_name: str, types: Any, dims: Any) -> Any:
    def make(name: str) -> IteratorResource:
        out = IteratorResource(types, dims, ctx.op._device)
        ctx.resource(("iterator handle", out.handle), lambda: out)
        return out

    found = ctx.own(kind, container, shared_name, make)
    check_types(types, found.types, dims, found.dims)
    return variant_of(found)


def _iterator(handle: Any) -> IteratorResource:
    value = handle.item() if isinstance(handle, np.ndarray) and handle.ndim == 0 else handle
    if not isinstance(value, IteratorResource):
        raise invalid("Input is not an iterator.")
    return value


def _declare(name: str) -> Any:
    @op(name, host=True, stateful=True, foldable=False)
    def iterator(*, shared_name: str, container: str, output_types: TYPES, output_shapes: SHAPES, ctx) -> resource:
        """An iterator that a MakeIterator initializes."""
        return _declared(ctx, "iterator", container, shared_name, output_types, output_shapes)

    iterator.shape_rule(lambda node: [()])
    return iterator.not_differentiable()


iterator, iterator_v2 = _declare("Iterator"), _declare("IteratorV2")


@op("OneShotIterator", host=True, stateful=True, foldable=False)
def one_shot_iterator(
    *,
    dataset_factory: Func,
    output_types: TYPES,
    output_shapes: SHAPES,
    container: str = "",
    shared_name: str = "",
    ctx,
) -> resource:
    """An iterator over the dataset that a function makes, ready at once."""
    handle = _declared(ctx, "one-shot iterator", container, shared_name, output_types, output_shapes)
    found = handle.item()
    with ctx.resource(("one-shot lock",), threading.Lock):
        if found.data is None:
            (made,) = ctx.function(dataset_factory)()
            found.initialize(data_of(made))
    return handle


@op("AnonymousIterator", host=True, stateful=True, foldable=False)
def anonymous_iterator(*, output_types: TYPES, output_shapes: SHAPES) -> resource:
    """An iterator without a name."""
    return variant_of(IteratorResource(output_types, output_shapes))


@op("AnonymousIteratorV2", host=True, stateful=True, foldable=False)
def anonymous_iterator_v2(*, output_types: TYPES, output_shapes: SHAPES) -> Outputs(handle=resource, deleter=variant):
    """An iterator without a name, and what deletes it."""
    return variant_of(IteratorResource(output_types, output_shapes)), variant_of(None)


@op("DeleteIterator", host=True, effect="host")
def delete_iterator(handle: resource, deleter: variant):
    """End an iterator without a name."""
    _iterator(handle).cancel()


@op("MakeIterator", host=True, effect="host")
def make_iterator(dataset: variant, iterator: resource, *, ctx):
    """Let an iterator walk a dataset from its start."""
    _iterator(iterator).initialize(data_of(dataset), ctx.op.inputs[0])


def _checked(element: tuple, dims: Any) -> list[Any]:
    out = [array(x) for x in element]
    for i, (x, d) in enumerate(zip(out, dims, strict=True)):
        if d is not None and x.shape != d and not shapes.compatible(d, x.shape):
            raise invalid(
                f"Incompatible shapes at component {i}: expected {shapes.text(d)} but got {shapes.text(x.shape)}."
            )
    return out


def _declare_next(name: str) -> Any:
    @op(name, host=True, effect="host")
    def get_next(iterator: resource, *, output_types: TYPES, output_shapes: SHAPES) -> Mixed("output_types", 1):
        """The next element. Raises OutOfRangeError in the run behind the last one."""
        element = _iterator(iterator).next()
        if element is None:
            raise errors.OutOfRangeError(None, None, "End of sequence")
        return _checked(element, output_shapes)

    get_next.shape_rule(lambda node: list(node.attrs["output_shapes"]))
    return get_next.not_differentiable()


iterator_get_next, iterator_get_next_sync = _declare_next("IteratorGetNext"), _declare_next("IteratorGetNextSync")


@op("IteratorGetNextAsOptional", host=True, effect="host")
def iterator_get_next_as_optional(iterator: resource, *, output_types: TYPES, output_shapes: SHAPES) -> variant:
    """The next element as an optional value, which has none behind the last one."""
    element = _iterator(iterator).next()
    return variant_of(Optional(None if element is None else tuple(_checked(element, output_shapes))))


@op("IteratorToStringHandle", host=True, stateful=True, foldable=False)
def iterator_to_string_handle(resource_handle: resource) -> string:
    """A string by which this session finds the iterator."""
    return variant_of(_iterator(resource_handle).handle)


def _may_be_one(one: str, other: str) -> bool:
    """Whether two devices are the same, as far as they are told."""
    parts = [(d.job, d.replica, d.task, d.device_index) for d in map(DeviceSpec.from_string, (one, other))]
    return all(a is None or b is None or a == b for a, b in zip(*parts, strict=True))


def _declare_from_string(name: str) -> Any:
    @op(name, host=True, stateful=True, foldable=False)
    def from_string(
        string_handle: string, *, output_types: Min(Types, 0) = (), output_shapes: Min(list[Shape], 0) = (), ctx
    ) -> resource:
        """The iterator of a string handle. Raises InvalidArgumentError where its elements are of other types or shapes."""
        handle = string_handle.item() if np.ndim(string_handle) == 0 else b""
        found = ctx.session._store.resources.get(("iterator handle", handle))
        if found is None:
            raise invalid(f"Could not parse string_handle into a valid ResourceHandle: {handle!r}")
        device = ctx.op._device
        if device and found.device and not _may_be_one(device, found.device):
            raise invalid(
                f'Attempted create an iterator on device "{device}" from handle defined on device "{found.device}"'
            )
        check_types(output_types, found.types, output_shapes, found.dims)
        return variant_of(found)

    from_string.shape_rule(lambda node: [()])
    return from_string.not_differentiable()


iterator_from_string_handle = _declare_from_string("IteratorFromStringHandle")
iterator_from_string_handle_v2 = _declare_from_string("IteratorFromStringHandleV2")


@op("IteratorGetDevice", host=True, stateful=True, foldable=False)
def iterator_get_device(resource: resource) -> string:
    """The device of an iterator: the host."""
    return variant_of(b"/job:localhost/replica:0/task:0/device:CPU:0")


@op("ExperimentalIteratorGetDevice", host=True, stateful=True, foldable=False)
def experimental_iterator_get_device(resource: resource) -> string:
    """The device of an iterator: the host."""
    return variant_of(b"/job:localhost/replica:0/task:0/device:CPU:0")


@op("SerializeIterator", host=True, effect="host")
def serialize_iterator(resource_handle: resource) -> variant:
    """The state of an iterator."""
    out = np.empty((1,), object)
    state = _iterator(resource_handle).save()
    out[0] = protos.VariantTensorDataProto(type_name="thalweg::Iterator", metadata=state)
    return out


@op("DeserializeIterator", host=True, effect="host")
def deserialize_iterator(resource_handle: resource, serialized: variant, *, ctx):
    """Bring an iterator to a state that was saved. One that was not initialized walks the dataset that was saved with it."""

    def make(description: bytes) -> Data:
        (found,) = ctx.function(remade(description, ctx.op.graph))()
        return data_of(found)

    _iterator(resource_handle).restore(np.ravel(serialized)[0].metadata, make)


for _o in (anonymous_iterator, iterator_get_next_as_optional, iterator_to_string_handle, one_shot_iterator,
           iterator_get_device, experimental_iterator_get_device):  # fmt: skip
    _o.shape_rule(lambda node: [()])
    _o.not_differentiable()
anonymous_iterator_v2.shape_rule(lambda node: [(), ()])
serialize_iterator.shape_rule(lambda node: [(None,)])
for _o in (delete_iterator, make_iterator, deserialize_iterator):
    _o.shape_rule(lambda node: [])
for _o in (anonymous_iterator_v2, serialize_iterator, delete_iterator, make_iterator, deserialize_iterator):
    _o.not_differentiable()
