"""Records of connectionist temporal classification: loss, greedy and beam search decoder."""

from cases.base import WIDE, Fails, OpCase, given, normal

LOGITS = normal(8, 3, 5, scale=2.0)
AT = [[0, 0], [0, 1], [0, 2], [1, 0], [2, 0], [2, 1]]
LABELS = given([1, 1, 2, 0, 3, 2], "int32")
LENGTHS = given([8, 3, 6], "int32")


def loss(label="", lengths=LENGTHS, labels=LABELS, types=("float32",), at=AT, **more):
    def build(tf, x, y, n):
        sparse = tf.SparseTensor(tf.constant(at, tf.int64), y, tf.constant([3, 4], tf.int64))
        return tf.nn.ctc_loss(sparse, x, n, **more)

    tol = 1e6 if "float64" in types else 5  # exponentials are those of float32 there
    return OpCase("CTCLoss", [LOGITS, labels, lengths], build, label, types, misuse=False, tol=tol)


def bad(label, lengths=LENGTHS, labels=LABELS, at=AT):
    def build(tf, x, y, n):
        return tf.nn.ctc_loss(tf.SparseTensor(tf.constant(at, tf.int64), y, tf.constant([3, 4], tf.int64)), x, n)

    return Fails("CTCLoss", [LOGITS, labels, lengths], build, label)


def decoder(op, call, label="", **more):
    def build(tf, x, n):
        decoded, score = call(tf, x, n)
        return [list(decoded), score]

    types = WIDE if op == "CTCGreedyDecoder" else WIDE[:1]  # beams add up in float32 there
    return OpCase(op, [LOGITS, LENGTHS], build, label, types, misuse=False, grad=False, smooth=False, **more)


CASES = [
    loss(),
    loss("double", types=("float64",)),
    loss("all repeats count", ctc_merge_repeated=False),
    loss("collapsed", preprocess_collapse_repeated=True),
    loss("row too short", given([2, 3, 6], "int32"), ignore_longer_outputs_than_inputs=True),
    loss("no time", given([8, 0, 6], "int32"), ignore_longer_outputs_than_inputs=True),
    loss("just enough time", given([4, 1, 2], "int32")),
    loss("null labels at the end", labels=given([1, 2, 4, 0, 3, 2], "int32")),
    loss("batch first", time_major=False, lengths=given([3, 3, 3, 2, 3, 3, 3, 3], "int32"), at=[
        [0, 0], [1, 0], [2, 0], [3, 0], [4, 0], [5, 0]] + [[6, 0], [7, 0]],
         labels=given([1, 1, 2, 0, 3, 2, 1, 0], "int32")),
    bad("not enough time", given([2, 3, 6], "int32")),
    bad("beyond the end", given([9, 3, 6], "int32")),
    bad("negative label", labels=given([1, 1, 2, 0, -3, 2], "int32")),
    bad("null label inside", labels=given([1, 4, 2, 0, 3, 2], "int32")),
    bad("row without labels", labels=given([1, 1, 2, 0, 3, 2], "int32"), at=[[0, i] for i in range(4)] + AT[4:]),
    decoder("CTCGreedyDecoder", lambda tf, x, n: tf.nn.ctc_greedy_decoder(x, n)),
    decoder("CTCGreedyDecoder", lambda tf, x, n: tf.nn.ctc_greedy_decoder(x, n, merge_repeated=False), "repeats"),
    decoder("CTCBeamSearchDecoder", lambda tf, x, n: tf.nn.ctc_beam_search_decoder(x, n, 6, 3), tol=5),
    decoder("CTCBeamSearchDecoder",
            lambda tf, x, n: tf.nn.ctc_beam_search_decoder(x, n, 6, 2, merge_repeated=False), "repeats", tol=5),
    decoder("CTCBeamSearchDecoder", lambda tf, x, n: tf.nn.ctc_beam_search_decoder(x, n), "wide beam", tol=5),
    Fails("CTCBeamSearchDecoder", [LOGITS, LENGTHS],
          lambda tf, x, n: tf.nn.ctc_beam_search_decoder(x, n, 2, 3)[1], "more paths than beams"),
    Fails("CTCGreedyDecoder", [LOGITS, given([9, 3, 6], "int32")],
          lambda tf, x, n: tf.nn.ctc_greedy_decoder(x, n)[1], "beyond the end"),
    Fails("CTCGreedyDecoder", [normal(8, 3), LENGTHS], lambda tf, x, n: tf.nn.ctc_greedy_decoder(x, n)[1],
          "matrix of logits"),
]  # fmt: skip
