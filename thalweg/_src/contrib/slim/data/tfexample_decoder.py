"""Decoders of tf.Example: each item is made by a handler from the features that it names."""

from __future__ import annotations

import abc
from typing import Any

from thalweg._src.contrib.slim.data.provider import DataDecoder
from thalweg._src.core import dtypes
from thalweg._src.core import sparse_tensor as sparse_tensors
from thalweg._src.ops import array, math
from thalweg._src.ops.arrays.stacking import stack
from thalweg._src.ops.control import control_flow, higher_order
from thalweg._src.ops.images import image_boxes, picture_files
from thalweg._src.ops.io import decoding, parsing
from thalweg._src.ops.sparse import sparse_reshape, sparse_tensor_to_dense

_Sparse = sparse_tensors.SparseTensor


class ItemHandler(abc.ABC):
    """Makes one item from the features `keys`."""

    def __init__(self, keys: Any):
        self._keys = list(keys) if isinstance(keys, tuple | list) else [keys]

    @property
    def keys(self) -> list[str]:
        return self._keys

    @abc.abstractmethod
    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        """The item, from the features by name."""


class ItemHandlerCallback(ItemHandler):
    """An item by a function of the features."""

    def __init__(self, keys: Any, func: Any):
        super().__init__(keys)
        self._func = func

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        return self._func(keys_to_tensors)


class BoundingBox(ItemHandler):
    """Boxes [n, 4] from four features of n numbers. Raises ValueError for another number of keys."""

    def __init__(self, keys: Any = None, prefix: str = ""):
        keys = ["ymin", "xmin", "ymax", "xmax"] if keys is None else keys
        if len(keys) != 4:
            raise ValueError(f"BoundingBox expects 4 keys but got {len(keys)}")
        self._prefix = prefix
        super().__init__([prefix + k for k in keys])

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        sides = [keys_to_tensors[k] for k in self._keys]
        rows = [array.expand_dims(s.values if isinstance(s, _Sparse) else s, 0) for s in sides]
        return array.transpose(array.concat(rows, 0))


class Tensor(ItemHandler):
    """A feature as a dense tensor, of the shape `shape` or the one that other features say. ValueError for both."""

    def __init__(self, tensor_key: str, shape_keys: Any = None, shape: Any = None, default_value: Any = 0):
        if shape_keys and shape is not None:
            raise ValueError("Cannot specify both shape_keys and shape parameters.")
        if shape_keys and not isinstance(shape_keys, list):
            shape_keys = [shape_keys]
        self._tensor_key, self._shape_keys = tensor_key, shape_keys
        self._shape, self._default_value = shape, default_value
        super().__init__([tensor_key, *(shape_keys or [])])

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        tensor, shape = keys_to_tensors[self._tensor_key], self._shape
        if self._shape_keys:
            sizes = [keys_to_tensors[k] for k in self._shape_keys]
            dense = [sparse_tensor_to_dense(s) if isinstance(s, _Sparse) else s for s in sizes]
            shape = array.reshape(stack(dense), [-1])
        if isinstance(tensor, _Sparse):
            if shape is not None:
                tensor = sparse_reshape(tensor, shape)
            return sparse_tensor_to_dense(tensor, self._default_value)
        return tensor if shape is None else array.reshape(tensor, shape)


class LookupTensor(Tensor):
    """A feature whose values are looked up in a table."""

    def __init__(self, tensor_key: str, table: Any, shape_keys: Any = None, shape: Any = None, default_value: Any = ""):
        self._table = table
        super().__init__(tensor_key, shape_keys, shape, default_value)

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        return self._table.lookup(super().tensors_to_item(keys_to_tensors))


class BackupHandler(ItemHandler):
    """The item of one handler, or of the other where the first one is empty. Raises ValueError for what is no handler."""

    def __init__(self, handler: Any, backup: Any):
        for which, given in (("Primary", handler), ("Backup", backup)):
            if not isinstance(given, ItemHandler):
                raise ValueError(f"{which} handler is of type {type(given)} instead of ItemHandler")
        self._handler, self._backup = handler, backup
        super().__init__(handler.keys + backup.keys)

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        item = self._handler.tensors_to_item(keys_to_tensors)
        return control_flow.cond(
            math.equal(math.reduce_prod(array.shape(item)), 0),
            lambda: self._backup.tensors_to_item(keys_to_tensors),
            lambda: item,
        )


class SparseTensor(ItemHandler):
    """A SparseTensor from a feature of indices and one of values; dense with `densify`."""

    def __init__(
        self,
        indices_key: str | None = None,
        values_key: str | None = None,
        shape_key: str | None = None,
        shape: Any = None,
        densify: bool = False,
        default_value: Any = 0,
    ):
        self._indices_key, self._values_key = indices_key or "indices", values_key or "values"
        self._shape_key, self._shape = shape_key, shape
        self._densify, self._default_value = densify, default_value
        super().__init__([self._indices_key, self._values_key, *([shape_key] if shape_key else [])])

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        indices, values = keys_to_tensors[self._indices_key], keys_to_tensors[self._values_key]
        shape = self._shape or indices.dense_shape
        if self._shape_key:
            shape = keys_to_tensors[self._shape_key]
            shape = sparse_tensor_to_dense(shape) if isinstance(shape, _Sparse) else shape
        rank = array.shape(indices.indices)[1]
        ids = math.cast(indices.values, dtypes.int64)
        kept = array.slice(indices.indices, [0, 0], stack([-1, rank - 1]))
        tensor = _Sparse(array.concat([kept, array.reshape(ids, [-1, 1])], 1), values.values, shape)
        return sparse_tensor_to_dense(tensor, self._default_value) if self._densify else tensor


class Image(ItemHandler):
    """A decoded image (many with `repeated`) from a feature of bytes and one that names the format ('raw' is not encoded)."""

    def __init__(
        self,
        image_key: str | None = None,
        format_key: str | None = None,
        shape: Any = None,
        channels: int = 3,
        dtype: Any = dtypes.uint8,
        repeated: bool = False,
        dct_method: str = "",
    ):
        self._image_key, self._format_key = image_key or "image/encoded", format_key or "image/format"
        super().__init__([self._image_key, self._format_key])
        self._shape, self._channels, self._dtype = shape, channels, dtype
        self._repeated, self._dct_method = repeated, dct_method

    def tensors_to_item(self, keys_to_tensors: dict[str, Any]) -> Any:
        data, form = keys_to_tensors[self._image_key], keys_to_tensors[self._format_key]
        if self._repeated:
            return higher_order.map_fn(lambda x: self._decode(x, form), data, dtype=self._dtype)
        return self._decode(data, form)

    def _decode(self, data: Any, form: Any) -> Any:
        def any_kind() -> Any:
            return math.cast(image_boxes.decode_image(data, channels=self._channels), self._dtype)

        def jpeg() -> Any:
            pixels = picture_files.decode_jpeg(data, channels=self._channels, dct_method=self._dct_method)
            return math.cast(pixels, self._dtype)

        def encoded() -> Any:
            return control_flow.cond(image_boxes.is_jpeg(data), jpeg, any_kind, name="cond_jpeg")

        def raw() -> Any:
            return decoding.decode_raw(data, self._dtype)

        is_raw = math.logical_or(math.equal(form, "raw"), math.equal(form, "RAW"))
        image = control_flow.case([(is_raw, raw)], default=encoded, exclusive=True)
        image.set_shape([None, None, self._channels])
        return image if self._shape is None else array.reshape(image, self._shape)


class TFExampleDecoder(DataDecoder):
    """Decodes one serialized tf.Example: `keys_to_features` parses it, `items_to_handlers` makes the items."""

    def __init__(self, keys_to_features: dict[str, Any], items_to_handlers: dict[str, Any]):
        self._keys_to_features, self._items_to_handlers = keys_to_features, items_to_handlers

    def list_items(self) -> list[str]:
        return list(self._items_to_handlers)

    def decode(self, data: Any, items: Any = None) -> list[Any]:
        example = parsing.parse_single_example(data, self._keys_to_features)
        for key in sorted(self._keys_to_features):
            feature = self._keys_to_features[key]
            if isinstance(feature, parsing.FixedLenFeature):
                example[key] = array.reshape(example[key], feature.shape)
        outputs = []
        for item in items or self._items_to_handlers:
            handler = self._items_to_handlers[item]
            outputs.append(handler.tensors_to_item({key: example[key] for key in handler.keys}))
        return outputs
