"""Steps of recurrent networks as single ops: an LSTM over one step and over all of them, a gated recurrent unit.

The products with the inputs of all steps are one matrix product before the loop, and the gradients of the weights one after it:
in the loop stands only what a step needs of the one before.
"""

from thalweg._src.core import shapes
from thalweg._src.core.dtypes import float16, float32, int64
from thalweg._src.core.lazy import jnn, jnp, lax
from thalweg._src.core.opdef import Outputs, op, type_attr
from thalweg._src.ops.late import array, math
from thalweg._src.ops.nets.activations import bias_add_grad

H = type_attr("T", (float16, float32))
G = type_attr("T", (float32,))


def _gates(icfo, cs, peepholes, forget_bias, cell_clip, coupled_order):
    """(i, cs, f, o, ci, co, h) from the sums of the gates, [batch, 4 n], and the state before."""
    a, b, c, icfo_o = jnp.split(icfo, 4, axis=-1)
    i, ci, f = (a, b, c) if coupled_order else (a, c, b)
    wci, wcf, wco = peepholes if peepholes is not None else (None, None, None)
    i = jnn.sigmoid(i if wci is None else i + cs * wci)
    f = jnn.sigmoid((f if wcf is None else f + cs * wcf) + jnp.asarray(forget_bias, f.dtype))
    ci = jnp.tanh(ci)
    cs = ci * i + f * cs
    if cell_clip > 0:
        cs = jnp.clip(cs, -cell_clip, cell_clip).astype(cs.dtype)
    o = jnn.sigmoid(icfo_o if wco is None else icfo_o + cs * wco)
    co = jnp.tanh(cs)
    return i, cs, f, o, ci, co, o * co


def _gates_grad(saved, cs_prev, peepholes, cs_grad, h_grad):
    """(gradient of the state before by its own path, gradients of the sums of i, ci, f, o) of `_gates`."""
    i, _, f, o, ci, co = saved
    do = o * (1 - o) * h_grad * co
    dcs = (1 - co * co) * h_grad * o + cs_grad
    if peepholes is not None:
        dcs = dcs + do * peepholes[2]
    dci = (1 - ci * ci) * dcs * i
    df = f * (1 - f) * dcs * cs_prev
    di = i * (1 - i) * dcs * ci
    before = dcs * f
    if peepholes is not None:
        before = before + di * peepholes[0] + df * peepholes[1]
    return before, di, dci, df, do


def _peephole_grads(used, like, di, df, do, cs_prev, cs):
    if not used:
        return tuple(jnp.zeros_like(w) for w in like)
    rows = tuple(range(di.ndim - 1))
    return jnp.sum(di * cs_prev, rows), jnp.sum(df * cs_prev, rows), jnp.sum(do * cs, rows)


@op("LSTMBlockCell")
def lstm_block_cell(
    x: H,
    cs_prev: H,
    h_prev: H,
    w: H,
    wci: H,
    wcf: H,
    wco: H,
    b: H,
    *,
    forget_bias: float = 1.0,
    cell_clip: float = 3.0,
    use_peephole: bool = False,
) -> Outputs(i=H, cs=H, f=H, o=H, ci=H, co=H, h=H):
    """One step of an LSTM with the gates i, ci, f, o side by side in `w`; all its intermediate values."""
    icfo = jnp.concatenate([x, h_prev], 1) @ w + b
    return _gates(icfo, cs_prev, (wci, wcf, wco) if use_peephole else None, forget_bias, cell_clip, True)


@lstm_block_cell.shape_rule
def _(op):
    return [op.inputs[1].dims] * 7


@op("LSTMBlockCellGrad")
def lstm_block_cell_grad(
    x: H,
    cs_prev: H,
    h_prev: H,
    w: H,
    wci: H,
    wcf: H,
    wco: H,
    b: H,
    i: H,
    cs: H,
    f: H,
    o: H,
    ci: H,
    co: H,
    cs_grad: H,
    h_grad: H,
    *,
    use_peephole: bool,
) -> Outputs(cs_prev_grad=H, dicfo=H, wci_grad=H, wcf_grad=H, wco_grad=H):
    """The gradients of `lstm_block_cell` by the state before, the sums of its gates, and its peepholes."""
    peepholes = (wci, wcf, wco) if use_peephole else None
    before, di, dci, df, do = _gates_grad((i, cs, f, o, ci, co), cs_prev, peepholes, cs_grad, h_grad)
    wide = jnp.concatenate([di, dci, df, do], 1)
    return before, wide, *_peephole_grads(use_peephole, (wci, wcf, wco), di, df, do, cs_prev, cs)


@lstm_block_cell.grad
def _(op, *grads):
    x, cs_prev, h_prev, w, wci, wcf, wco, b = op.inputs
    i, cs, f, o, ci, co, _ = op.outputs
    cs_grad, h_grad = (array.zeros_like(cs) if g is None else g for g in (grads[1], grads[6]))
    before, dicfo, dwci, dwcf, dwco = lstm_block_cell_grad(
        x,
        cs_prev,
        h_prev,
        w,
        wci,
        wcf,
        wco,
        b,
        i,
        cs,
        f,
        o,
        ci,
        co,
        cs_grad,
        h_grad,
        use_peephole=op.attrs["use_peephole"],
    )
    batch = -1 if x.dims is None or x.dims[0] is None else x.dims[0]
    width, size = (t.shape.with_rank(2).dims[1].value for t in (x, cs_prev))
    both = math.matmul(dicfo, w, transpose_b=True)
    dx = array.slice(both, (0, 0), (batch, width))
    dh = array.slice(both, (0, width), (batch, size))
    dw = math.matmul(array.concat([x, h_prev], 1), dicfo, transpose_a=True)
    return dx, before, dh, dw, dwci, dwcf, dwco, bias_add_grad(dicfo)


def _over_time(seq_len_max, x, cs_prev, h_prev, w, peepholes, b, forget_bias, cell_clip, coupled_order):
    width = x.shape[2]
    sums = x @ w[:width] + b
    recurrent = w[width:]

    def step(carry, at):
        time, now = at
        cs, h = carry
        found = _gates(now + h @ recurrent, cs, peepholes, forget_bias, cell_clip, coupled_order)
        within = time < seq_len_max
        found = [jnp.where(within, v, 0).astype(v.dtype) for v in found]
        return (found[1], found[6]), tuple(found)

    times = jnp.arange(x.shape[0], dtype=jnp.int64)
    return lax.scan(step, (cs_prev, h_prev), (times, sums))[1]


@op("BlockLSTM")
def block_lstm(
    seq_len_max: int64,
    x: H,
    cs_prev: H,
    h_prev: H,
    w: H,
    wci: H,
    wcf: H,
    wco: H,
    b: H,
    *,
    forget_bias: float = 1.0,
    cell_clip: float = 3.0,
    use_peephole: bool = False,
) -> Outputs(i=H, cs=H, f=H, o=H, ci=H, co=H, h=H):
    """`lstm_block_cell` over `x` [time, batch, width]: all values [time, batch, n], zero from `seq_len_max` on."""
    peepholes = (wci, wcf, wco) if use_peephole else None
    return _over_time(seq_len_max, x, cs_prev, h_prev, w, peepholes, b, forget_bias, cell_clip, True)


@op("BlockLSTMV2")
def block_lstm_v2(
    seq_len_max: int64,
    x: H,
    cs_prev: H,
    h_prev: H,
    w: H,
    wci: H,
    wcf: H,
    wco: H,
    b: H,
    *,
    cell_clip: float = 0.0,
    use_peephole: bool = False,
) -> Outputs(i=H, cs=H, f=H, o=H, ci=H, co=H, h=H):
    """`block_lstm` with the gates in the order i, f, ci, o and no forget bias."""
    peepholes = (wci, wcf, wco) if use_peephole else None
    return _over_time(seq_len_max, x, cs_prev, h_prev, w, peepholes, b, 0.0, cell_clip, False)


def _sizes_over_time(op):
    x, b = op.inputs[1].dims, op.inputs[8].dims
    size = None if b is None or b[0] is None else b[0] // 4
    return [(None, None, size) if x is None else (x[0], x[1], size)] * 7


block_lstm.shape_rule(_sizes_over_time)
block_lstm_v2.shape_rule(_sizes_over_time)


def _grads_over_time(seq_len_max, x, cs_prev, h_prev, w, peepholes, saved, cs, h, cs_grad, h_grad, coupled_order):
    width = x.shape[2]
    recurrent = w[width:]
    cs_before = jnp.concatenate([cs_prev[None], cs[:-1]])
    h_before = jnp.concatenate([h_prev[None], h[:-1]])
    used = peepholes is not None

    def step(carry, at):
        cs_next, h_next = carry
        time, now, before, from_cs, from_h = at
        own, di, dci, df, do = _gates_grad(now, before, peepholes, from_cs + cs_next, from_h + h_next)
        order = [di, dci, df, do] if coupled_order else [di, df, dci, do]
        within = time < seq_len_max
        wide = jnp.where(within, jnp.concatenate(order, 1), 0).astype(own.dtype)
        own = jnp.where(within, own, cs_next).astype(own.dtype)
        back = jnp.where(within, wide @ recurrent.T, h_next).astype(own.dtype)
        return (own, back), wide

    times = jnp.arange(x.shape[0], dtype=jnp.int64)
    zero = jnp.zeros_like(cs_prev), jnp.zeros_like(h_prev)
    (dcs, dh), wide = lax.scan(step, zero, (times, saved, cs_before, cs_grad, h_grad), reverse=True)
    flat = wide.reshape(-1, wide.shape[-1])
    both = jnp.concatenate([x, h_before], 2).reshape(-1, w.shape[0])
    first, second, third, do = jnp.split(wide, 4, axis=-1)
    di, df = (first, third) if coupled_order else (first, second)
    like = peepholes if used else (w[0, : cs.shape[2]],) * 3
    peephole_grads = _peephole_grads(used, like, di, df, do, cs_before, cs)
    return wide @ w[:width].T, dcs, dh, both.T @ flat, *peephole_grads, jnp.sum(flat, 0)


@op("BlockLSTMGrad")
def block_lstm_grad(
    seq_len_max: int64,
    x: H,
    cs_prev: H,
    h_prev: H,
    w: H,
    wci: H,
    wcf: H,
    wco: H,
    b: H,
    i: H,
    cs: H,
    f: H,
    o: H,
    ci: H,
    co: H,
    h: H,
    cs_grad: H,
    h_grad: H,
    *,
    use_peephole: bool,
) -> Outputs(x_grad=H, cs_prev_grad=H, h_prev_grad=H, w_grad=H, wci_grad=H, wcf_grad=H, wco_grad=H, b_grad=H):
    """The gradients of `block_lstm` by all its inputs."""
    peepholes, saved = (wci, wcf, wco) if use_peephole else None, (i, cs, f, o, ci, co)
    return _grads_over_time(seq_len_max, x, cs_prev, h_prev, w, peepholes, saved, cs, h, cs_grad, h_grad, True)


@op("BlockLSTMGradV2")
def block_lstm_grad_v2(
    seq_len_max: int64,
    x: H,
    cs_prev: H,
    h_prev: H,
    w: H,
    wci: H,
    wcf: H,
    wco: H,
    b: H,
    i: H,
    cs: H,
    f: H,
    o: H,
    ci: H,
    co: H,
    h: H,
    cs_grad: H,
    h_grad: H,
    *,
    use_peephole: bool,
) -> Outputs(x_grad=H, cs_prev_grad=H, h_prev_grad=H, w_grad=H, wci_grad=H, wcf_grad=H, wco_grad=H, b_grad=H):
    """The gradients of `block_lstm_v2` by all its inputs."""
    peepholes, saved = (wci, wcf, wco) if use_peephole else None, (i, cs, f, o, ci, co)
    return _grads_over_time(seq_len_max, x, cs_prev, h_prev, w, peepholes, saved, cs, h, cs_grad, h_grad, False)


def _sizes_of_grads(op):
    return [shapes.of_rank(t.dims, rank) for t, rank in zip(op.inputs[1:9], (3, 2, 2, 2, 1, 1, 1, 1), strict=True)]


block_lstm_grad.shape_rule(_sizes_of_grads)
block_lstm_grad_v2.shape_rule(_sizes_of_grads)


def _block_grad(opdef):
    def gradient(op, *grads):
        cs = op.outputs[1]
        cs_grad, h_grad = (array.zeros_like(cs) if g is None else g for g in (grads[1], grads[6]))
        found = opdef(*op.inputs, *op.outputs, cs_grad, h_grad, use_peephole=op.attrs["use_peephole"])
        return None, *found

    return gradient


block_lstm.grad(_block_grad(block_lstm_grad))
block_lstm_v2.grad(_block_grad(block_lstm_grad_v2))


@op("GRUBlockCell")
def gru_block_cell(x: G, h_prev: G, w_ru: G, w_c: G, b_ru: G, b_c: G) -> Outputs(r=G, u=G, c=G, h=G):
    """One step of a gated recurrent unit, and its intermediate values."""
    r, u = jnp.split(jnn.sigmoid(jnp.concatenate([x, h_prev], 1) @ w_ru + b_ru), 2, axis=1)
    c = jnp.tanh(jnp.concatenate([x, h_prev * r], 1) @ w_c + b_c)
    return r, u, c, u * h_prev + (1 - u) * c


@gru_block_cell.shape_rule
def _(op):
    return [op.inputs[1].dims] * 4


@op("GRUBlockCellGrad")
def gru_block_cell_grad(x: G, h_prev: G, w_ru: G, w_c: G, b_ru: G, b_c: G, r: G, u: G, c: G, d_h: G) -> Outputs(
    d_x=G, d_h_prev=G, d_c_bar=G, d_r_bar_u_bar=G
):
    """The gradients of `gru_block_cell` by its inputs and by the sums inside."""
    width = x.shape[1]
    d_c_bar = d_h * (1 - u) * (1 - c * c)
    d_u_bar = d_h * (h_prev - c) * u * (1 - u)
    through_c = d_c_bar @ w_c.T
    d_hr = through_c[:, width:]
    d_r_bar = d_hr * h_prev * r * (1 - r)
    wide = jnp.concatenate([d_r_bar, d_u_bar], 1)
    through_gates = wide @ w_ru.T
    return (
        through_c[:, :width] + through_gates[:, :width],
        through_gates[:, width:] + d_hr * r + d_h * u,
        d_c_bar,
        wide,
    )


@gru_block_cell_grad.shape_rule
def _(op):
    h, gates = op.inputs[1].dims, op.inputs[2].dims
    batch = None if h is None else h[0]
    return [op.inputs[0].dims, h, h, (batch, None if gates is None else gates[1])]


@gru_block_cell.grad
def _(op, *grads):
    x, h_prev, w_ru, w_c, b_ru, b_c = op.inputs
    r, u, c, _ = op.outputs
    dx, dh, dc, dru = gru_block_cell_grad(x, h_prev, w_ru, w_c, b_ru, b_c, r, u, c, grads[3])
    dw_ru = math.matmul(array.concat([x, h_prev], 1), dru, transpose_a=True)
    dw_c = math.matmul(array.concat([x, h_prev * r], 1), dc, transpose_a=True)
    return dx, dh, dw_ru, dw_c, bias_add_grad(dru), bias_add_grad(dc)
