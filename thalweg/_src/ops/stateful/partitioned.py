"""Partitioned variables: one tensor kept as several variables, cut along one axis; and the functions that decide how."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from thalweg._src.core import dtypes, scopes
from thalweg._src.core.convert import register_tensor_conversion_function, to_tensor
from thalweg._src.core.dtypes import DType
from thalweg._src.core.graph import Tensor, get_default_graph
from thalweg._src.core.shapes import TensorShape, as_shape
from thalweg._src.ops import basic


class SaveSliceInfo:
    """Which slice of a full tensor a variable holds: what checkpoints need to put parts together."""

    def __init__(
        self,
        full_name: str | None = None,
        full_shape: Sequence[int] | None = None,
        var_offset: Sequence[int] | None = None,
        var_shape: Sequence[int] | None = None,
        save_slice_info_def: Any = None,
        import_scope: str | None = None,
    ):
        if save_slice_info_def is not None:
            d = save_slice_info_def
            self.full_name = scopes.prepend_name_scope(d.full_name, import_scope)
            self.full_shape, self.var_offset, self.var_shape = list(d.full_shape), list(d.var_offset), list(d.var_shape)
        else:
            self.full_name = full_name
            self.full_shape, self.var_offset, self.var_shape = full_shape, var_offset, var_shape

    @property
    def spec(self) -> str:
        """'4 3 0,2:-': the full shape and, for each axis, offset and size."""
        full = " ".join(map(str, self.full_shape)) + " "  # type: ignore[arg-type]
        return full + ":".join(f"{o},{n}" for o, n in zip(self.var_offset, self.var_shape, strict=True))  # type: ignore[arg-type]

    def to_proto(self, export_scope: str | None = None) -> Any:
        from thalweg._src.formats import protos

        name = scopes.strip_name_scope(self.full_name, export_scope)  # type: ignore[arg-type]
        return protos.SaveSliceInfoDef(
            full_name=name, full_shape=self.full_shape, var_offset=self.var_offset, var_shape=self.var_shape
        )


class PartitionInfo:
    """What an initializer is told of the part that it fills."""

    def __init__(self, full_shape: Sequence[int], var_offset: Sequence[int]):
        self.full_shape, self.var_offset = full_shape, var_offset

    def single_offset(self, shape: Sequence[int]) -> int:
        """Where the part begins, along the axis that is cut."""
        axis = self.single_slice_dim(shape)
        return 0 if axis is None else self.var_offset[axis]

    def single_slice_dim(self, shape: Sequence[int]) -> int | None:
        """The axis that is cut, or None."""
        if len(shape) != len(self.full_shape):
            raise ValueError(
                f"Expected equal length, but received shape={shape} of length {len(shape)} while full_shape={self.full_shape}"
            )
        cut = [i for i, (n, full) in enumerate(zip(shape, self.full_shape, strict=True)) if n != full]
        if len(cut) > 1:
            raise ValueError(
                f"Cannot use single_slice_dim() with shape {shape} and multiple slice dims {cut} of {self.full_shape}."
            )
        return cut[0] if cut else None


class PartitionedVariable:
    """Several variables that are parts of one tensor. It converts to the whole, as a concatenation."""

    def __init__(self, name: str, shape: Any, dtype: DType, variable_list: Sequence[Any], partitions: Sequence[int]):
        self._name, self._shape, self._dtype = name, as_shape(shape), dtype
        self._variable_list = sorted(variable_list, key=lambda v: v._get_save_slice_info().var_offset)
        self._partitions = list(partitions)
        self._tensor: Tensor | None = None

    def __iter__(self) -> Iterator[Any]:
        return iter(self._variable_list)

    def __len__(self) -> int:
        axes = self._partition_axes()
        return self._partitions[axes[0]] if len(axes) == 1 else len(self._variable_list)

    def _partition_axes(self) -> list[int]:
        return [i for i, p in enumerate(self._partitions) if p > 1] or [0]

    def as_tensor(self) -> Tensor:
        """The whole tensor."""
        with get_default_graph().control_dependencies(None):  # a value of variables waits for nothing
            return self._concat()

    def _concat(self) -> Tensor:
        from thalweg._src.ops.arrays.joining import concat

        with scopes.name_scope(self._name + "/ConcatPartitions/"):
            parts = [v.value() for v in self._variable_list]
            if len(parts) == 1:
                with scopes.name_scope(None):
                    return basic.identity(parts[0], name=self._name)
            whole = concat(parts, self._partition_axes()[0])
        with scopes.name_scope(None):
            return basic.identity(whole, name=self._name)

    @property
    def name(self) -> str:
        return self._name

    @property
    def dtype(self) -> DType:
        return self._dtype

    @property
    def shape(self) -> TensorShape:
        return self._shape

    def get_shape(self) -> TensorShape:
        """The shape of the whole."""
        return self._shape

    def _get_variable_list(self) -> list[Any]:
        return self._variable_list

    def _get_partitions(self) -> list[int]:
        return self._partitions

    def _each(self, method: str, value: Any, **kwargs: Any) -> list[Any]:
        from thalweg._src.ops.arrays.joining import split

        axis = self._partition_axes()[0]
        sizes = [v.get_shape().as_list()[axis] for v in self._variable_list]
        parts = value if isinstance(value, list) else split(to_tensor(value, self.dtype), sizes, axis)
        return [getattr(v, method)(p, **kwargs) for v, p in zip(self._variable_list, parts, strict=True)]

    def assign(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> list[Any]:
        """Put `value` into the parts."""
        return self._each("assign", value, use_locking=use_locking, name=name, read_value=read_value)

    def assign_add(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> list[Any]:
        """Add `value` to the parts."""
        return self._each("assign_add", value, use_locking=use_locking, name=name, read_value=read_value)

    def assign_sub(
        self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> list[Any]:
        """Subtract `value` from the parts."""
        return self._each("assign_sub", value, use_locking=use_locking, name=name, read_value=read_value)


def _convert(value: Any, dtype: DType | None = None, name: str | None = None, as_ref: bool = False) -> Any:
    if as_ref:
        raise NotImplementedError("PartitionedVariable doesn't support being used as a reference.")
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type '{dtype.name}' for variable of type '{value.dtype.name}'"
        )
    return value.as_tensor()


register_tensor_conversion_function(PartitionedVariable, _convert, 100)


# -- creating them


def partitioned_variable(
    store: Any,
    name: str,
    shape: Any,
    dtype: DType,
    initializer: Any,
    reuse: Any,
    partitioner: Any,
    settings: dict[str, Any],
) -> Any:
    """The partitioned variable `name` of `store`, shared or created."""
    if name in store._vars:
        raise ValueError(
            f"A partitioner was provided, but an unpartitioned version of the variable was found: {name}. "
            "Perhaps a variable of the same name was already created without partitioning?"
        )
    known = as_shape(shape)
    if isinstance(initializer, Tensor):
        known = known.merge_with(initializer.get_shape())
    partitions = None
    if not reuse or partitioner is not None:
        partitions = _partitions(partitioner, known, dtype)
    if name in store._partitioned_vars:
        return _existing(store, name, known, dtype, reuse, partitions)
    if reuse is True:
        raise ValueError(
            f"PartitionedVariable {name} does not exist, or was not created with tf.get_variable(). "
            "Did you mean to set reuse=False or reuse=tf.AUTO_REUSE in VarScope?"
        )
    axis, count = _cut(partitions)  # type: ignore[arg-type]
    if f"{name}/part_0" in store._vars and (
        f"{name}/part_{count - 1}" not in store._vars or f"{name}/part_{count}" in store._vars
    ):
        raise ValueError(
            f"Partitioner returned a different partitioning than what was already found. Partitioner returned {count} shards for {name}."
        )
    full = known.as_list()
    parts = []
    for i, (offset, size) in enumerate(_slices(full, axis, count)):
        part = f"{name}/part_{i}"
        with scopes.name_scope(part + "/PartitionedInitializer"):
            init, init_shape = _part_initializer(initializer, name, dtype, offset, size)
        with scopes.name_scope(None):
            v = store.single(
                part, init_shape, dtype, init, reuse, partition_info=PartitionInfo(full, offset), **settings
            )
        v._set_save_slice_info(SaveSliceInfo(name, full, offset, size))
        parts.append(v)
    whole = PartitionedVariable(name=name, shape=known, dtype=dtype, variable_list=parts, partitions=partitions)  # type: ignore[arg-type]
    store._partitioned_vars[name] = whole
    return whole


def _existing(store: Any, name: str, shape: TensorShape, dtype: DType, reuse: Any, partitions: Any) -> Any:
    if reuse is False:
        raise ValueError(
            f"Partitioned variable with name {name} already exists. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in VarScope?"
        )
    found = store._partitioned_vars[name]
    if not shape.is_compatible_with(found.get_shape()):
        raise ValueError(
            f"Trying to reuse partitioned variable {name}, but specified shape {shape} and found shape {found.get_shape()}."
        )
    if not dtype.is_compatible_with(found.dtype):
        raise ValueError(
            f"Trying to reuse partitioned variable {name}, but specified dtype {dtype.name} and found dtype {found.dtype.name}."
        )
    if partitions is not None and found._get_partitions() != list(partitions):
        raise ValueError(
            f"Trying to reuse partitioned variable {name}, but specified partitions {partitions} and found "
            f"partitions {found._get_partitions()}."
        )
    return found


def _part_initializer(
    initializer: Any, name: str, dtype: DType, offset: Sequence[int], size: Sequence[int]
) -> tuple[Any, Any]:
    from thalweg._src.ops.arrays.slicing import slice as slice_
    from thalweg._src.ops.stateful.variable_store import default_initializer

    if initializer is None:
        return default_initializer(name, dtype), size
    if callable(initializer):
        return initializer, size
    return slice_(to_tensor(initializer, dtype if not isinstance(initializer, Tensor) else None), offset, size), None


def _partitions(partitioner: Any, shape: TensorShape, dtype: DType) -> list[int]:
    if not shape.is_fully_defined():
        raise ValueError(f"Shape of a new partitioned variable must be fully defined, but instead was {shape}.")
    if shape.ndims < 1:  # type: ignore[operator]
        raise ValueError(f"A partitioned Variable must have rank at least 1, shape: {shape}")
    found = partitioner(shape=shape, dtype=dtype)
    if not isinstance(found, Sequence):
        raise ValueError(f"Partitioner must return a sequence, but saw: {found}")
    if len(found) != shape.ndims:
        raise ValueError(
            f"Partitioner returned a partition list that does not match the Variable's rank: {found} vs. {shape}"
        )
    if any(p < 1 for p in found):
        raise ValueError(f"Partitioner returned zero partitions for some axes: {found}")
    if sum(p > 1 for p in found) > 1:
        raise ValueError(f"Can only slice a variable along one dimension: shape: {shape}, partitioning: {found}")
    return list(found)


def _cut(partitions: Sequence[int]) -> tuple[int, int]:
    for axis, count in enumerate(partitions):
        if count > 1:
            return axis, count
    return 0, 1


def _slices(shape: list[int], axis: int, count: int) -> Iterator[tuple[list[int], list[int]]]:
    size, extra = divmod(shape[axis], count)
    if count > shape[axis]:
        raise ValueError(f"Cannot slice shape {shape} along axis {axis} into {count} parts")
    at = 0
    for i in range(count):
        n = size + (i < extra)
        yield [at if a == axis else 0 for a in range(len(shape))], [n if a == axis else s for a, s in enumerate(shape)]
        at += n


def create_partitioned_variables(
    shape: Sequence[int],
    slicing: Sequence[int],
    initializer: Any,
    dtype: Any = dtypes.float32,
    trainable: bool = True,
    collections: Any = None,
    name: str | None = None,
    reuse: Any = None,
) -> list[Any]:
    """The parts of a variable of `shape`, cut as `slicing` says: one number per axis, one of them above 1."""
    from thalweg._src.ops.stateful import variable_scope, variable_store

    if len(shape) != len(slicing):
        raise ValueError(
            f"The 'shape' and 'slicing' of a partitioned Variable must have the length: shape: {shape}, slicing: {slicing}"
        )
    if len(shape) < 1:
        raise ValueError(f"A partitioned Variable must have rank at least 1: shape: {shape}")
    with variable_scope.variable_scope(name, "PartitionedVariable", reuse=reuse):
        scope = variable_scope.get_variable_scope()
        with scopes.name_scope(None):
            whole = partitioned_variable(
                variable_store.variable_store(),
                scope.name,
                shape,
                dtypes.as_dtype(dtype).base_dtype,
                initializer,
                scope.reuse,
                lambda **_: list(slicing),
                {"trainable": trainable, "collections": collections},
            )
    return whole._get_variable_list()


# -- partitioners


def variable_axis_size_partitioner(
    max_shard_bytes: int, axis: int = 0, bytes_per_string_element: int = 16, max_shards: int | None = None
):
    """Parts of at most `max_shard_bytes` each, cut along `axis`."""
    if max_shard_bytes < 1 or bytes_per_string_element < 1:
        raise ValueError("Both max_shard_bytes and bytes_per_string_element must be positive.")
    if max_shards and max_shards < 1:
        raise ValueError("max_shards must be positive.")

    def partitioner(shape: TensorShape, dtype: DType) -> list[int]:
        if not isinstance(shape, TensorShape):
            raise ValueError(f"shape is not a TensorShape: {shape}")
        if not shape.is_fully_defined():
            raise ValueError(f"shape is not fully defined: {shape}")
        element = bytes_per_string_element if dtype.base_dtype.name == "string" else dtype.size
        partitions = [1] * shape.ndims  # type: ignore[operator]
        slice_bytes = element * max(1, shape.num_elements() // max(1, shape[axis].value))  # type: ignore[operator]
        per_shard = max(1, math.floor(max_shard_bytes / slice_bytes))
        count = max(1, math.ceil(shape[axis].value / per_shard))
        partitions[axis] = min(count, max_shards) if max_shards else count
        return partitions

    return partitioner


def min_max_variable_partitioner(
    max_partitions: int = 1, axis: int = 0, min_slice_size: int = 256 << 10, bytes_per_string_element: int = 16
):
    """As many parts as there can be, up to `max_partitions`, each of at least `min_slice_size` bytes."""

    def partitioner(shape: TensorShape, dtype: DType) -> list[int]:
        if axis >= len(shape):
            raise ValueError(f"Can not partition variable along axis {axis} when shape is only {shape}")
        element = bytes_per_string_element if dtype.base_dtype.name == "string" else dtype.size
        total = shape.num_elements() * element  # type: ignore[operator]
        partitions = [1] * len(shape)
        partitions[axis] = max(1, min(shape[axis].value, max_partitions, math.ceil(total / min_slice_size)))
        return partitions

    return partitioner


def fixed_size_partitioner(num_shards: int, axis: int = 0):
    """`num_shards` parts, cut along `axis`."""

    def partitioner(shape: TensorShape, **_: Any) -> list[int]:
        partitions = [1] * len(shape)
        partitions[axis] = min(num_shards, shape.as_list()[axis])  # type: ignore[type-var]
        return partitions

    return partitioner
