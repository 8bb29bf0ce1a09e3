"""Record tensors as TensorFlow 1.15's make_tensor_proto writes them: values, dtype, shape (or None), bytes in hex.

Run under the oracle: `oracle 1.15 tests/formats/golden/record_tensors.py > tests/formats/golden/tensors-1.15.tsv`.
"""

import numpy as np
import tensorflow as tf

NUMERIC = ["2.5", "[1.5, -2.0, 3.25]", "[[0.0, -0.0], [-1.0, 65504.0]]", "[]", "[7.0]", "[0.0, 0.0]"]
INTEGERS = ["0", "-1", "[1, 2, 3]", "[[[100]], [[-128]]]", "[]", "127", "[5]"]
NATURALS = ["0", "255", "[1, 2, 3]", "[[200, 100]]", "[]"]
FLOATS = ("float32", "float64", "float16", "bfloat16")
SIGNED = ("int8", "int16", "int32", "int64", "qint8", "qint16", "qint32")
UNSIGNED = ("uint8", "uint16", "uint32", "uint64", "quint8", "quint16")
CASES = (
    [(text, name, None) for name in FLOATS for text in NUMERIC]
    + [(text, name, None) for name in SIGNED for text in INTEGERS]
    + [(text, name, None) for name in UNSIGNED for text in NATURALS]
    + [(text, name, None) for name in ("complex64", "complex128") for text in ("1+2j", "[1j, -0.5]", "[[3]]", "[]")]
    + [(text, "bool", None) for text in ("True", "False", "[True, False]", "[]", "[[False]]")]
    + [(text, "string", None) for text in ("b'a'", "b''", r"[b'x\x00', b'\xff\xfe']", "[[b'a'], [b'bc']]", "[]")]
    + [
        ("1.5", "float32", (3, 2)),
        ("[1.0, 2.0]", "float32", (2, 2)),
        ("[1.0, 2.0]", "float32", (2, 1)),
        ("7", "int64", (4,)),
        ("[1, 2, 3]", "uint8", (3, 2)),
        ("1j", "complex64", (2,)),
        ("2.0", "float16", (2,)),
        ("b's'", "string", (2, 2)),
        ("True", "bool", (2,)),
        ("0", "int32", (0,)),
        ("3", "int32", (1, 1)),
        ("9223372036854775807", "int64", None),
        ("18446744073709551615", "uint64", None),
        ("4294967295", "uint32", None),
        ("65535", "uint16", None),
        ("[-9223372036854775808, 1]", "int64", None),
        ("float('nan')", "float32", None),
        ("[float('inf'), float('-inf')]", "float16", None),
    ]
)


def main():
    for text, name, shape in CASES:
        dtype = tf.as_dtype(name)
        if name == "string":
            values = np.array(eval(text), np.object_)
        elif name in ("qint8", "qint16", "qint32", "quint8", "quint16"):
            carrier = name.replace("quint", "uint").replace("qint", "int")
            values = np.array(eval(text), carrier).astype(dtype.as_numpy_dtype)
        else:
            values = np.array(eval(text)).astype(dtype.as_numpy_dtype)
        try:
            data = tf.make_tensor_proto(values, dtype, shape).SerializeToString()
        except ValueError:  # a scalar of qint16, and too many elements
            continue
        print(f"{text}\t{name}\t{shape}\t{data.hex()}")


if __name__ == "__main__":
    main()
