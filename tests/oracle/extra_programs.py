"""Small programs of the smaller packages of tf.contrib, a family of contrib_programs.py. Kept to what Python 3.6 reads."""

import importlib

import numpy as np

from oracle.public import raised

PIXELS = np.random.RandomState(0).rand(2, 2, 3).astype("float32")


def within(tf, package, module, name):
    """A function that TensorFlow has in an internal module alone, and thalweg under the name of the package too."""
    found = getattr(getattr(tf.contrib, package), name, None)
    return found or getattr(importlib.import_module("tensorflow.contrib." + package + ".python." + module), name)


def printed(tf):
    sparse = tf.SparseTensor([[0, 0], [1, 2]], [1, 2], [3, 4])
    array = tf.TensorArray(tf.int32, 2, clear_after_read=False).write(1, 5).write(0, 4)
    f = within(tf, "framework", "ops.prettyprint_ops", "print_op")
    return [
        f(tf.constant([True, False]), data=[tf.constant(1.0)], message="m"),
        tf.sparse_tensor_to_dense(f(sparse)),
        f(array).stack(),
    ]


def fused(tf):
    graph = tf.GraphDef()
    for name, sources in (("A", ""), ("B", "A"), ("C", "BC"), ("D", "C"), ("E", "D")):
        graph.node.add(name=name, op="Op1", input=list(sources))
    made = tf.contrib.framework.fuse_op(graph, ["A"], ["D"], [1], True, "F", "Op2")
    wrong = raised(lambda: tf.contrib.framework.fuse_op(graph, ["B"], ["Z"], [1], True, "F", "Op2"))
    return [[[n.name, n.op, list(n.input)] for n in made.node], made.node[1].attr["_output_quantized"].b, wrong]


def bounded(tf):
    make = tf.contrib.framework.BoundedTensorSpec
    spec = make([2, 3], tf.float32, 0, [1, 2, 3])
    plain = make.from_spec(tf.TensorSpec([1], tf.int8))
    return [
        spec.maximum,
        [int(plain.minimum), int(plain.maximum)],
        spec == make([2, 3], tf.float32, 0, [1, 2, 3]),
        raised(lambda: make([2], tf.float32, [0, 0, 0], 1)),
        raised(lambda: make([2], tf.float32, None, 1)),
    ]


def colours(tf):
    adjust = within(tf, "image", "ops.distort_image_ops", "adjust_hsv_in_yiq")
    by_chance = within(tf, "image", "ops.distort_image_ops", "random_hsv_in_yiq")
    return [
        adjust(PIXELS, 0.5, 1.5, 0.75),
        adjust(np.uint8(PIXELS * 200), 0.25, 0.5, 1),
        by_chance(PIXELS, 0, 0.5, 0.5, 0.8, 0.8),
        raised(lambda: adjust(tf.zeros([3, 3]), 0.5)),
        raised(lambda: by_chance(PIXELS, -1)),
        raised(lambda: by_chance(PIXELS, 0, 2, 1)),
    ]


MATRIX = np.float32([[4, 1, 0], [1, 3, 1], [0, 1, 2]])
TALL = np.float32([[1, 2], [0, 1], [3, 1], [1, 1]])


def solved(tf):
    s = tf.contrib.solvers
    a = s.util.create_operator(tf.constant(MATRIX))
    half = s.util.create_operator(tf.constant(np.linalg.inv(MATRIX)))
    rhs = tf.constant([1.0, 2.0, 3.0])
    plain = s.linear_equations.conjugate_gradient(a, rhs, tol=1e-6)
    helped = s.linear_equations.conjugate_gradient(a, rhs, preconditioner=half, x=tf.ones([3]))
    least = s.least_squares.cgls(s.util.create_operator(tf.constant(TALL)), tf.constant([1.0, 2.0, 3.0, 4.0]))
    same = s.util.identity_operator(tf.constant(MATRIX))
    return [plain.x, plain.i, helped.x, helped.i, least.x, least.i, same.apply(rhs), s.util.l2normalize(rhs)]


def bidiagonal(tf):
    s = tf.contrib.solvers
    matrix = tf.constant(TALL)
    found = []
    for again in (True, False):
        b = s.lanczos.lanczos_bidiag(s.util.create_operator(matrix), 2, again, tf.constant([1.0, 2.0, 0.5, 1.0]))
        left, right = tf.matmul(matrix, b.v), s.lanczos.bidiag_matmul(b.u, b.alpha, b.beta)
        found += [b.alpha, tf.shape(b.u), tf.reduce_max(tf.abs(left - right)) < 1e-5]
    return found + [s.lanczos.bidiag_matmul(b.v, b.alpha, b.beta, adjoint_b=True)]


def integrated(tf):
    f = tf.contrib.integrate
    times = np.linspace(0.0, 2.0, 5)
    turn = lambda y, t: tf.stack([y[1], -y[0]])  # noqa: E731
    y, info = f.odeint(turn, [1.0, 0.0], times, rtol=1e-5, atol=1e-7, full_output=True)
    complex_growth = f.odeint(lambda y, t: 1j * y, tf.constant([1.0 + 0j], tf.complex128), times)
    fixed = [f.odeint_fixed(turn, tf.constant([1.0, 0.0], tf.float64), times, method=m) for m in ("rk4", "midpoint")]
    finer = f.odeint_fixed(lambda y, t: tf.cast(t, y.dtype) * y, tf.constant(1.0), times, dt=0.1)
    short = f.odeint(turn, [1.0, 0.0], [0.0, 1.0], method="dopri5", options={"max_num_steps": 10, "first_step": 0.1})
    wrong = [
        raised(lambda: f.odeint(turn, [1.0, 0.0], times, method="euler")),
        raised(lambda: f.odeint(turn, [1, 0], times)),
        raised(lambda: f.odeint_fixed(turn, [1.0, 0.0], times, method="euler")),
    ]
    return [y, info["num_func_evals"], tf.abs(complex_growth), fixed, finer, short, wrong]


def expected(tf):
    m = tf.contrib.bayesflow.monte_carlo
    q = tf.contrib.distributions.Normal([0.0, 0.5], 1.0)
    p = tf.contrib.distributions.Normal([0.25, 0.5], 1.5)
    z = np.random.RandomState(1).randn(50, 2).astype("float32")
    x = tf.constant(z)
    score = m.expectation(tf.square, x, log_prob=q.log_prob, use_reparametrization=False)
    return [
        m.expectation_importance_sampler(tf.sin, p.log_prob, q, z=z),
        m.expectation_importance_sampler_logspace(tf.square, p.log_prob, q, z=z),
        m.expectation(tf.square, x),
        score,
        tf.gradients(score, q.loc),
        raised(lambda: m.expectation_importance_sampler(tf.sin, p.log_prob, q)),
        raised(lambda: m.expectation(tf.square, x, use_reparametrization=False)),
    ]


def resampled(tf):
    image = tf.constant(np.arange(24.0).reshape(2, 3, 4, 1).astype("float32"))
    places = np.float32([[[0, 0], [1.5, 0.5], [-0.5, 1], [3.5, 2.25]], [[3, 2], [9, 9], [-2, 0], [0.25, 1.75]]])
    warp = tf.constant(places)
    y = tf.contrib.resampler.resampler(image, warp)
    return [y] + tf.gradients(tf.reduce_sum(y * y), [image, warp])


def scaled(tf):
    m = tf.contrib.mixed_precision
    with tf.Graph().as_default(), tf.Session() as session:
        manager = m.ExponentialUpdateLossScaleManager(8.0, incr_every_n_steps=2, decr_every_n_nan_or_inf=2)
        optimizer = m.LossScaleOptimizer(tf.train.GradientDescentOptimizer(0.5), manager)
        factor = tf.placeholder(tf.float32, [])
        v = tf.Variable([1.0, 2.0])
        step = optimizer.minimize(tf.reduce_sum(v * v) * factor)
        session.run(tf.global_variables_initializer())
        found = []
        for number in (0.25, 0.25, np.inf, np.inf, 0.25, np.nan, np.nan, 0.5, 0.5):
            session.run(step, {factor: number})
            found.append(session.run([v, manager.get_loss_scale()]))
        fixed = session.run(m.FixedLossScaleManager(3).get_loss_scale())
        return [found, fixed, raised(lambda: m.FixedLossScaleManager(0.5))]


def compiled(tf):
    made = []

    def computation(x, y):
        v = tf.get_variable("v", initializer=1.0, use_resource=True)
        made.append(v)
        return x + y, x * y, tf.assign_add(v, 1.0).op

    with tf.contrib.compiler.jit.experimental_jit_scope():
        one = tf.constant(2.0) * 3.0
    total, product = tf.contrib.compiler.xla.compile(computation, [one, 4.0])[:2]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return [session.run([total, product]), session.run(made[0])]


def recurrent(tf):
    f = tf.contrib.recurrent
    x = np.random.RandomState(2).randn(2, 4, 3).astype("float32")
    cell = tf.nn.rnn_cell.LSTMCell(2, initializer=tf.constant_initializer(0.25))
    outputs, state = f.functional_rnn(cell, tf.constant(x), sequence_length=tf.constant([4, 2]), dtype=tf.float32)
    both, ends = f.bidirectional_functional_rnn(
        *[tf.nn.rnn_cell.GRUCell(2, kernel_initializer=tf.constant_initializer(0.25)) for _ in range(2)],
        inputs=tf.constant(x),
        dtype=tf.float32,
    )
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return [session.run(outputs), session.run(state.h), session.run(both), session.run(ends)]


def mapped(tf):
    mapper = tf.contrib.kernel_methods.RandomFourierFeatureMapper(3, 5, 2.0, seed=7, name="rffm")
    return [mapper.map(tf.constant(MATRIX)), mapper.name, raised(lambda: mapper.map(tf.ones([2, 4])))]


def used(tf):
    with tf.Graph().as_default() as graph:
        tf.reduce_sum(tf.constant([1.0, 2.0]) * 2.0, name="total")
    definition = graph.as_graph_def()
    ops = tf.contrib.util.stripped_op_list_for_graph(definition)
    definition.node.add(name="x", op="NoSuchOp")
    return [
        [[op.name, [a.name for a in op.input_arg], sorted(a.name for a in op.attr)] for op in ops.op],
        sorted(tf.contrib.util.ops_used_by_graph_def(definition)),
        raised(lambda: tf.contrib.util.stripped_op_list_for_graph(definition)),
    ]


def empty_regularizer(tf):
    with tf.Graph().as_default() as graph:
        tf.get_variable("v", [2], regularizer={})
        tf.get_variable("w", [2], regularizer=tf.nn.l2_loss)
        return [t.name for t in graph.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)]


def slices(tf):
    total, product, most, least = [
        within(tf, "reduce_slice_ops", "ops.reduce_slice_ops", "reduce_slice_" + n)
        for n in ("sum", "prod", "max", "min")
    ]
    x = np.int32([[1, 2, 3], [40, 50, 60], [700, 800, 900]])
    pairs, bounds = np.int32([[0, 1], [1, 1], [0, 2], [1, 9]]), np.int32([0, 0, 2, 5])
    out = [f(x, pairs, axis) for f in (total, product) for axis in (0, 1)]
    out += [f(x.astype("f"), pairs, 0) for f in (most, least)]
    return out + [total(x, bounds, 0), total(np.float32(x[0]), bounds, 0)]


def resampled_by_periods(tf):
    module = "ops.periodic_resample_op"
    resample, back = [within(tf, "periodic_resample", module, "periodic_resample" + n) for n in ("", "_op_grad")]
    x = tf.constant(np.float32(np.arange(16).reshape(2, 2, 4)))
    y = resample(x, [4, 4, None])
    by = tf.gradients(y * y, x)[0]
    other = resample(np.arange(12).reshape(3, 4), [5, None])
    return [y, by, other, back(y, [2, 2, 4], [4, 4, None])]


EXTRAS = {
    "print_op": printed,
    "fuse_op": fused,
    "BoundedTensorSpec": bounded,
    "colours": colours,
    "ops_used_by_graph_def": used,
    "regularizer that is empty": empty_regularizer,
    "solvers": solved,
    "lanczos_bidiag": bidiagonal,
    "odeint": integrated,
    "monte_carlo": expected,
    "resampler": resampled,
    "LossScaleOptimizer": scaled,
    "compiler": compiled,
    "functional_rnn": recurrent,
    "RandomFourierFeatureMapper": mapped,
    "reduce_slice_ops": slices,
    "periodic_resample": resampled_by_periods,
    "stateless": lambda tf: [
        tf.contrib.stateless.stateless_random_uniform([3], [1, 2]),
        tf.contrib.stateless.stateless_random_normal([3], [1, 2]),
        tf.contrib.stateless.stateless_truncated_normal([3], [1, 2]),
    ],
}
