"""Records of the ops that are a step of a recurrent network, or all of them; and of the paths of a beam search."""

from cases.base import Fails, OpCase, chances, given, normal, raw

CASES = []

STEP = [normal(3, 4), normal(3, 2), normal(3, 2), normal(6, 8), normal(2), normal(2), normal(2), normal(8)]
LOOP = [given(3, "int64"), normal(4, 3, 4), *STEP[1:]]


def step(**attrs):
    def call(tf, x, cs_prev, h_prev, w, wci, wcf, wco, b):
        assert tf.contrib.rnn.LSTMBlockCell  # it brings the gradient
        found = raw(
            tf, "LSTMBlockCell", x=x, cs_prev=cs_prev, h_prev=h_prev, w=w, wci=wci, wcf=wcf, wco=wco, b=b, **attrs
        )
        return [found[1], found[6]]

    return call


def loop(op, **attrs):
    def call(tf, n, x, cs_prev, h_prev, w, wci, wcf, wco, b):
        found = raw(
            tf, op, seq_len_max=n, x=x, cs_prev=cs_prev, h_prev=h_prev, w=w, wci=wci, wcf=wcf, wco=wco, b=b, **attrs
        )
        return [found[1], found[6]]

    return call


def gru(tf, x, h_prev, w_ru, w_c, b_ru, b_c):
    assert tf.contrib.rnn.GRUBlockCell  # it brings the gradient
    return list(raw(tf, "GRUBlockCell", x=x, h_prev=h_prev, w_ru=w_ru, w_c=w_c, b_ru=b_ru, b_c=b_c))[3:]


def gru_grad(tf, x, h_prev, w_ru, w_c, b_ru, b_c, r, u, c, d_h):
    return list(
        raw(
            tf,
            "GRUBlockCellGrad",
            x=x,
            h_prev=h_prev,
            w_ru=w_ru,
            w_c=w_c,
            b_ru=b_ru,
            b_c=b_c,
            r=r,
            u=u,
            c=c,
            d_h=d_h,
        )
    )


def step_grad(use_peephole):
    names = [
        "x",
        "cs_prev",
        "h_prev",
        "w",
        "wci",
        "wcf",
        "wco",
        "b",
        "i",
        "cs",
        "f",
        "o",
        "ci",
        "co",
        "cs_grad",
        "h_grad",
    ]

    def call(tf, *values):
        return list(raw(tf, "LSTMBlockCellGrad", use_peephole=use_peephole, **dict(zip(names, values))))

    return call


def loop_grad(use_peephole):
    names = [
        "seq_len_max",
        "x",
        "cs_prev",
        "h_prev",
        "w",
        "wci",
        "wcf",
        "wco",
        "b",
        "i",
        "cs",
        "f",
        "o",
        "ci",
        "co",
        "h",
        "cs_grad",
        "h_grad",
    ]

    def call(tf, *values):
        return list(raw(tf, "BlockLSTMGrad", use_peephole=use_peephole, **dict(zip(names, values))))

    return call


STEP_GRAD = STEP + [chances(3, 2) for _ in range(6)] + [normal(3, 2), normal(3, 2)]
LOOP_GRAD = LOOP + [chances(4, 3, 2) for _ in range(7)] + [normal(4, 3, 2), normal(4, 3, 2)]
GRU = [normal(3, 4), normal(3, 2), normal(6, 4), normal(6, 2), normal(4), normal(2)]
GRU_GRAD = GRU + [chances(3, 2) for _ in range(3)] + [normal(3, 2)]


def case(op, inputs, call, label="", **facts):
    # TensorFlow's shape functions know less, and its gradients of gradients are none.
    return OpCase(op, inputs, call, label, misuse=False, shapes=False, **facts)


CASES += [
    case("LSTMBlockCell", STEP, step(cell_clip=-1.0), tol=4),
    case("LSTMBlockCell", STEP, step(cell_clip=0.4, use_peephole=True), "peepholes", smooth=False, tol=4),
    case("LSTMBlockCellGrad", STEP_GRAD, step_grad(False), grad=False, tol=4),
    case("LSTMBlockCellGrad", STEP_GRAD, step_grad(True), "peepholes", grad=False, tol=4),
    case("BlockLSTM", LOOP, loop("BlockLSTM", cell_clip=-1.0), tol=10),
    case("BlockLSTM", LOOP, loop("BlockLSTM", cell_clip=0.4, use_peephole=True), "peepholes", smooth=False, tol=10),
    case("BlockLSTMGrad", LOOP_GRAD, loop_grad(False), grad=False, tol=10),
    case("BlockLSTMGrad", LOOP_GRAD, loop_grad(True), "peepholes", grad=False, tol=10),
    case("GRUBlockCell", GRU, gru, tol=4),
    case("GRUBlockCellGrad", GRU_GRAD, gru_grad, grad=False, tol=4),
]


def tree(end):
    return lambda tf, ids, parents, lengths: tf.contrib.seq2seq.gather_tree(ids, parents, lengths, end)


IDS = given([[[1, 2, 3]], [[4, 5, 6]], [[7, 8, 9]], [[-1, -1, -1]]], "int32")
PARENTS = given([[[0, 0, 0]], [[0, 1, 1]], [[2, 1, 2]], [[-1, -1, -1]]], "int32")
WRONG = given([[[0, 0, 0]], [[0, -1, 1]], [[2, 1, 2]], [[-1, -1, -1]]], "int32")

CASES += [
    OpCase("GatherTree", [IDS, PARENTS, given([3], "int32")], tree(10), misuse=False, shapes=False, portable=False),
    OpCase("GatherTree", [IDS, PARENTS, given([3], "int32")], tree(6), "an end", misuse=False, shapes=False, portable=False),
    OpCase("GatherTree", [IDS, PARENTS, given([0], "int32")], tree(6), "nothing", misuse=False, shapes=False, portable=False),
    Fails("GatherTree", [IDS, WRONG, given([3], "int32")], tree(10), "no such beam", portable=False),
]  # fmt: skip
