"""The element types of TensorFlow's files: name, number in types.proto, NumPy dtype.

Quantized types are stored as the integers that carry them. String, resource and variant tensors are object arrays.
"""

import ml_dtypes
import numpy as np

TYPES: tuple[tuple[str, int, type], ...] = (
    ("float32", 1, np.float32),
    ("float64", 2, np.float64),
    ("int32", 3, np.int32),
    ("uint8", 4, np.uint8),
    ("int16", 5, np.int16),
    ("int8", 6, np.int8),
    ("string", 7, np.object_),
    ("complex64", 8, np.complex64),
    ("int64", 9, np.int64),
    ("bool", 10, np.bool_),
    ("qint8", 11, np.int8),
    ("quint8", 12, np.uint8),
    ("qint32", 13, np.int32),
    ("bfloat16", 14, ml_dtypes.bfloat16),
    ("qint16", 15, np.int16),
    ("quint16", 16, np.uint16),
    ("uint16", 17, np.uint16),
    ("complex128", 18, np.complex128),
    ("float16", 19, np.float16),
    ("resource", 20, np.object_),
    ("variant", 21, np.object_),
    ("uint32", 22, np.uint32),
    ("uint64", 23, np.uint64),
)

NUMPY_OF_ENUM: dict[int, np.dtype] = {number: np.dtype(t) for _, number, t in TYPES}
NAME_OF_ENUM: dict[int, str] = {number: name for name, number, _ in TYPES}
ENUM_OF_NAME: dict[str, int] = {name: number for name, number, _ in TYPES}
REF_OFFSET = 100  # DT_FLOAT_REF = DT_FLOAT + 100: an output that is a variable's buffer, not a value
