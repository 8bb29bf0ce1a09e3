"""Ops that read and write files: each record in a folder of its own, whose name differs from run to run."""

import os
import tempfile

from cases.base import OpCase, Steps, given, normal, raw

X = normal(3, 4)


def folder(content=None):
    """A fresh folder, with a file `words` where there is content."""
    path = tempfile.mkdtemp(prefix="record-")
    if content is not None:
        with open(os.path.join(path, "words"), "w") as f:
            f.write(content)
    return path


def file(op, call, label="", inputs=(X,), **more):
    return OpCase(
        op, list(inputs), call, label, grad=False, graph=False, misuse=False, shapes=False, portable=False, **more
    )


def saved(tf, x):
    path = os.path.join(folder(), "v2")
    save = raw(tf, "SaveV2", prefix=path, tensor_names=["a", "b"], shape_and_slices=["", ""], tensors=[x, x * 2])
    restore = raw(
        tf,
        "RestoreV2",
        prefix=path,
        tensor_names=["b", "a"],
        shape_and_slices=["3 4 0,2:1,2", ""],
        dtypes=[tf.float32] * 2,
    )
    return Steps([save], list(restore))


def saved_before(tf, x):
    path = os.path.join(folder(), "v1")
    save = raw(tf, "Save", filename=path, tensor_names=["a"], data=[x])
    restore = raw(tf, "Restore", file_pattern=path, tensor_name="a", dt=tf.float32)
    part = raw(tf, "RestoreSlice", file_pattern=path, tensor_name="a", shape_and_slice="3 4 1,2:-", dt=tf.float32)
    return Steps([save], [restore, part])


def slices(tf, x):
    path = os.path.join(folder(), "v1")
    save = raw(tf, "SaveSlices", filename=path, tensor_names=["a"], shapes_and_slices=["6 4 0,3:-"], data=[x])
    part = raw(tf, "RestoreSlice", file_pattern=path, tensor_name="a", shape_and_slice="6 4 0,3:1,2", dt=tf.float32)
    return Steps([save], [part])


def merged(tf, x):
    path = folder()
    parts = [os.path.join(path, p) for p in ("one", "two")]
    saves = [
        raw(tf, "SaveV2", prefix=p, tensor_names=[n], shape_and_slices=[""], tensors=[x * k])
        for k, (p, n) in enumerate(zip(parts, "ab"), 1)
    ]
    whole = os.path.join(path, "whole")
    merge = raw(tf, "MergeV2Checkpoints", checkpoint_prefixes=parts, destination_prefix=whole)
    restore = raw(
        tf, "RestoreV2", prefix=whole, tensor_names=["a", "b"], shape_and_slices=["", ""], dtypes=[tf.float32] * 2
    )
    return Steps(saves, [merge], list(restore))


def vocabulary(tf, keys):
    path = os.path.join(folder("a\nb\nc\n"), "words")
    table = tf.contrib.lookup.index_table_from_file(path, num_oov_buckets=2)
    return table.lookup(keys), table.size()


def vocabulary_before(tf, keys):
    path = os.path.join(folder("a 5\nb 6\n"), "words")
    table = raw(tf, "HashTable", key_dtype=tf.string, value_dtype=tf.int64)
    fill = raw(
        tf, "InitializeTableFromTextFile", table_handle=table, filename=path, key_index=0, value_index=1, delimiter=" "
    )
    return Steps(
        [fill], [raw(tf, "LookupTableFind", table_handle=table, keys=keys, default_value=tf.constant(-1, tf.int64))]
    )


def filled(tf, keys):
    table = raw(tf, "HashTableV2", key_dtype=tf.string, value_dtype=tf.int64)
    fill = raw(
        tf, "InitializeTableV2", table_handle=table, keys=tf.constant(["a", "b"]), values=tf.constant([1, 2], tf.int64)
    )
    return Steps(
        [fill], [raw(tf, "LookupTableFindV2", table_handle=table, keys=keys, default_value=tf.constant(-1, tf.int64))]
    )


def remapped(tf, x):
    old, new = (os.path.join(folder(words), "words") for words in ("a\nb\nc\n", "c\nd\na\n"))
    return raw(
        tf, "GenerateVocabRemapping", new_vocab_file=new, old_vocab_file=old, new_vocab_offset=0, num_new_vocab=3
    )


def matrix(tf, x):
    path = os.path.join(folder(), "v2")
    save = raw(tf, "SaveV2", prefix=path, tensor_names=["m"], shape_and_slices=[""], tensors=[x])
    load = raw(
        tf,
        "LoadAndRemapMatrix",
        ckpt_path=path,
        old_tensor_name="m",
        row_remapping=tf.constant([2, -1, 0], tf.int64),
        col_remapping=tf.constant([], tf.int64),
        initializing_values=tf.constant([7.0, 8.0, 9.0, 10.0]),
        num_rows=3,
        num_cols=4,
    )
    return Steps([save], [load])


def written(tf, text):
    path = os.path.join(folder(), "sub", "x")
    return Steps([tf.write_file(path, text)], [tf.read_file(path)])


WORDS = given(["b", "zz", "a"], "string")
CASES = [
    file("SaveV2", saved),
    file("RestoreV2", saved),
    file("Save", saved_before),
    file("Restore", saved_before),
    file("RestoreSlice", slices),
    file("SaveSlices", slices),
    file("MergeV2Checkpoints", merged),
    file("InitializeTableFromTextFileV2", vocabulary, inputs=[WORDS]),
    file("InitializeTableFromTextFile", vocabulary_before, inputs=[WORDS]),
    file("InitializeTableV2", filled, inputs=[WORDS]),
    file("GenerateVocabRemapping", remapped),
    file("LoadAndRemapMatrix", matrix),
    file("WriteFile", written, inputs=[given("some text", "string")]),
]
