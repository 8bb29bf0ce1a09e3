"""Strings: splitting, joining, searching, hashing, numbers, bytes, Unicode, messages."""

from cases.base import Fails, OpCase, Steps, given, ints, normal, raw

WORDS = given([["one two", "a,b,,c"], ["", " x  y "]], "string")
LINE = given(["hello brave new world", "", "a b"], "string")
NUMBERS = given(["1", "-2.5", "3e2", " 4 "], "string")
UNICODE = given(["caf\u00e9", "x", ""], "string")


def text(op, call, label="", inputs=(WORDS,), **more):
    return OpCase(op, list(inputs), call, label, grad=False, **more)


CASES = [
    text("StringJoin", lambda tf, a: tf.string_join([a, a], separator="-")),
    text("StringJoin", lambda tf, a: tf.string_join([a, "!"]), "with a scalar"),
    text("ReduceJoin", lambda tf, a: tf.reduce_join(a, 1)),
    text("ReduceJoin", lambda tf, a: tf.reduce_join(a, [0, 1], separator=" ", keep_dims=True), "keep dims"),
    text("StringLength", lambda tf, a: tf.strings.length(a)),
    text("StringLength", lambda tf, a: tf.strings.length(a, unit="UTF8_CHAR"), "characters", [UNICODE]),
    text("StringLower", lambda tf, a: tf.strings.lower(a), inputs=[given(["ABc", "dE1"], "string")]),
    text("StringUpper", lambda tf, a: tf.strings.upper(a), inputs=[given(["ABc", "dE1"], "string")]),
    text("StringStrip", lambda tf, a: tf.string_strip(a)),
    text("Substr", lambda tf, a: tf.substr(a, 1, 2), inputs=[given(["abc", "defgh"], "string")]),
    text("StringSplit", lambda tf, a: tf.string_split(a), inputs=[LINE]),
    text("StringSplit", lambda tf, a: tf.string_split(a, "o", skip_empty=False), "delimiter", [LINE]),
    text("StringSplitV2", lambda tf, a: raw(tf, "StringSplitV2", input=a, sep=" "), inputs=[LINE]),
    text("StringSplitV2", lambda tf, a: raw(tf, "StringSplitV2", input=a, sep="", maxsplit=1), "once", [LINE]),
    text("RegexReplace", lambda tf, a, p: tf.regex_replace(a, p, "<\\1>"), inputs=[LINE, given("([a-e])", "string")]),
    text("StaticRegexReplace", lambda tf, a: tf.regex_replace(a, "[a-e]", "_", replace_global=False), inputs=[LINE]),
    text(
        "RegexFullMatch", lambda tf, a, p: tf.strings.regex_full_match(a, p), inputs=[LINE, given("[a-z ]+", "string")]
    ),
    text("StaticRegexFullMatch", lambda tf, a: tf.strings.regex_full_match(a, "[a-z]*"), inputs=[LINE]),
    text("StringToHashBucket", lambda tf, a: tf.string_to_hash_bucket(a, 100)),
    text("StringToHashBucketFast", lambda tf, a: tf.string_to_hash_bucket_fast(a, 1000)),
    text("StringToHashBucketStrong", lambda tf, a: tf.string_to_hash_bucket_strong(a, 1000, key=[3, 9])),
    text("Fingerprint", lambda tf, a: tf.fingerprint(a), inputs=[LINE]),
    text("StringToNumber", lambda tf, a: tf.string_to_number(a), inputs=[NUMBERS]),
    text("StringToNumber", lambda tf, a: tf.string_to_number(a, tf.int64), "int64", [given(["12", "-7"], "string")]),
    text(
        "AsString",
        lambda tf, x: tf.as_string(x),
        inputs=[normal(2, 3)],
        types=("float32", "float64", "int32", "int64", "bool", "complex64"),
    ),
    text("AsString", lambda tf, x: tf.as_string(x, precision=2, width=8, fill="0"), "filled", [normal(3)]),
    text("EncodeBase64", lambda tf, a: tf.encode_base64(a, pad=True)),
    text("DecodeBase64", lambda tf, a: tf.decode_base64(a), inputs=[given(["aGVsbG8", ""], "string")]),
    text(
        "StringNGrams",
        lambda tf, a: raw(
            tf,
            "StringNGrams",
            data=a,
            data_splits=[0, 3, 4],
            separator=" ",
            ngram_widths=[1, 2],
            left_pad="<",
            right_pad=">",
            pad_width=0,
            preserve_short_sequences=True,
        ),
        inputs=[given(["a", "b", "c", "d"], "string")],
        misuse=False,
        shapes=False,
    ),
    text("StringFormat", lambda tf, x: tf.strings.format("x is {} of {}", (x, "s")), inputs=[normal(2, 3)]),
    text("UnicodeDecode", lambda tf, a: raw(tf, "UnicodeDecode", input=a, input_encoding="UTF-8"), inputs=[UNICODE]),
    text(
        "UnicodeDecodeWithOffsets",
        lambda tf, a: raw(tf, "UnicodeDecodeWithOffsets", input=a, input_encoding="UTF-8"),
        inputs=[UNICODE],
    ),
    text(
        "UnicodeEncode",
        lambda tf, v: raw(tf, "UnicodeEncode", input_values=v, input_splits=[0, 2, 3], output_encoding="UTF-8"),
        inputs=[given([233, 97, 0x4E2D], "int32")],
        misuse=False,
    ),
    OpCase(
        "UnicodeScript",
        [given([65, 0x410, 0x4E2D, 0x3042, 48, 0x378, -1, 0x110000, 0], "int32")],
        lambda tf, a: tf.strings.unicode_script(a),
        types=("int32",),
    ),
    text("UnicodeTranscode", lambda tf, a: tf.strings.unicode_transcode(a, "UTF-8", "UTF-16-BE"), inputs=[UNICODE]),
    # Bytes.
    text("DecodeRaw", lambda tf, a: tf.decode_raw(a, tf.int16), inputs=[given(["abcd", "efgh"], "string")]),
    text(
        "DecodeRaw",
        lambda tf, a: tf.decode_raw(a, tf.uint16, little_endian=False),
        "big end first",
        [given(["abcd", "efgh"], "string")],
    ),
    text(
        "DecodePaddedRaw",
        lambda tf, a: raw(tf, "DecodePaddedRaw", input_bytes=a, fixed_length=4, out_type=tf.uint8),
        inputs=[given(["abcdef", "g"], "string")],
        misuse=False,
    ),
    text(
        "DecodeCSV",
        lambda tf, a: tf.decode_csv(a, [[0], [1.5], ["z"]]),
        inputs=[given(["1,2,x", "3,,", ',4,"a,b"'], "string")],
    ),
    text(
        "DecodeCSV",
        lambda tf, a: tf.decode_csv(a, [[0], [1]], field_delim=";", na_value="NA", select_cols=[0, 2]),
        "columns",
        [given(["1;2;3", "NA;5;6"], "string")],
    ),
    text("DecodeCompressed", lambda tf, a: tf.decode_compressed(a), inputs=[LINE]),
    text("SerializeTensor", lambda tf, x: tf.serialize_tensor(x), inputs=[ints(0, 9, 2, 3)]),
    text("ParseTensor", lambda tf, x: tf.parse_tensor(tf.serialize_tensor(x), tf.float32), inputs=[normal(2, 3)]),
    text("Fact", lambda tf, x: (tf.user_ops.my_fact(), x), misuse=False),
    text(
        "DecodeWav",
        lambda tf, x: tf.audio.decode_wav(tf.audio.encode_wav(x, 8000)),
        inputs=[normal(5, 2, scale=0.3, dtype="float32")],
    ),
    text(
        "EncodeWav",
        lambda tf, x, r: tf.audio.encode_wav(x, r),
        inputs=[normal(5, 1, scale=2.0, dtype="float32"), given(16000, "int32")],
    ),
    text(
        "ShardedFilename",
        lambda tf, n: raw(tf, "ShardedFilename", basename="m", shard=n, num_shards=12),
        inputs=[given(3, "int32")],
        misuse=False,
    ),
    text(
        "ShardedFilespec",
        lambda tf, n: raw(tf, "ShardedFilespec", basename="m", num_shards=n),
        inputs=[given(12, "int32")],
        misuse=False,
    ),
    text("PrintV2", lambda tf, x: Steps(tf.print("x", x)), inputs=[given([1.0], "float32")], misuse=False),
    text(
        "PyFuncStateless",
        lambda tf, x: tf.py_func(lambda v: v + 1, [x], tf.float32, stateful=False),
        inputs=[normal(3)],
        misuse=False,
        graph=False,
        portable=False,
    ),
    text("MatchingFiles", lambda tf, a: tf.matching_files(a), inputs=[given("/no*such*file*", "string")], misuse=False),
    text("Timestamp", lambda tf, x: (tf.timestamp(), x), misuse=False, value=False),
    # Misuses.
    Fails("StringToNumber", [given(["1", "x"], "string")], lambda tf, a: tf.string_to_number(a), "no number"),
    Fails("Substr", [given("abc", "string")], lambda tf, a: tf.substr(a, 5, 1), "behind the end"),
    Fails("DecodeRaw", [given("abc", "string")], lambda tf, a: tf.decode_raw(a, tf.int16), "odd length"),
    Fails("DecodeCSV", [given(["1,2,3"], "string")], lambda tf, a: tf.decode_csv(a, [[0], [1]]), "too many fields"),
    Fails("DecodeBase64", [given("#", "string")], lambda tf, a: tf.decode_base64(a), "no base64"),
    Fails("ReadFile", [given("/no/such/file", "string")], lambda tf, a: tf.read_file(a)),
    Fails("RegexReplace", [LINE, given("([", "string")], lambda tf, a, p: tf.regex_replace(a, p, ""), "no pattern"),
    Fails("ParseTensor", [given("x", "string")], lambda tf, a: tf.parse_tensor(a, tf.float32), "no tensor"),
]
