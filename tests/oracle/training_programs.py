"""Programs that train, run under TensorFlow 1.15 and under thalweg: traces of 20 steps of each optimizer, moving averages, clipping,
schedules. Each is a function of (tf, np); what it gives is compared.

Kept to what Python 3.6 reads.
"""

import shutil
import tempfile

PROGRAMS = {}
TWICE = [[0, 2, 2], [1, 0, 0], [3, 3, 3], [2, 1, 4]]  # which rows each step takes
ONCE = [[0, 2, 4], [1, 0, 3], [3, 1, 4], [2, 1, 4]]


def program(f):
    PROGRAMS[f.__name__] = f
    return f


def numbers(np, *shape):
    return np.random.RandomState(sum(shape)).randn(*shape).astype("float32")


def sums(np, value):
    """What is compared of an array: its shape, its sum, its sum of squares, and one element."""
    a = np.asarray(value).astype("float64")
    return [list(a.shape), float(a.sum()), float((a * a).sum()), float(a.ravel()[-1]) if a.size else 0.0]


def trained_variables(tf, np):
    """A reference and a resource variable that get dense gradients, and one of each whose gradients are rows."""
    return [
        tf.get_variable(name, initializer=tf.constant(numbers(np, *shape)), use_resource=name.endswith("resource"))
        for name, shape in (("w", (3, 2)), ("w_resource", (3, 2)), ("rows", (5, 2)), ("rows_resource", (5, 2)))
    ]


def loss_of(tf, np, dense, rows, ids):
    """Squared distances that get smaller for dense variables, and sums over rows, some of which are taken twice."""
    loss = tf.constant(0.0)
    for v in dense:
        loss += tf.reduce_sum(tf.square(tf.matmul(tf.constant(numbers(np, 4, 3)), v) - 0.3))
    for v in rows:
        loss += tf.reduce_sum(tf.square(tf.gather(v, ids) - 0.5) * tf.constant(numbers(np, 3, 2)) ** 2)
    return loss


def ran(tf, np, train, ids, rows=TWICE, steps=20):
    """All variables after the first step and after the last one."""
    variables, found = tf.global_variables(), []
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for i in range(steps):
            sess.run(train, {ids: rows[i % 4]})
            if i in (0, steps - 1):
                found.append([[v.name] + sums(np, x) for v, x in zip(variables, sess.run(variables))])
    return found


def trace(tf, np, make, sparse, rows):
    """Names of all variables and slots, and what 20 steps make of them."""
    variables = trained_variables(tf, np)
    variables = variables if sparse else variables[:2]
    ids = tf.placeholder(tf.int32, [3])
    loss = loss_of(tf, np, variables[:2], variables[2:], ids)
    step = tf.train.get_or_create_global_step()
    optimizer = make(tf, step, variables)
    pairs = optimizer.compute_gradients(loss)
    with tf.control_dependencies([g for g, _ in pairs if g is not None]):  # weights decay after gradients are computed
        train = optimizer.apply_gradients(pairs, global_step=step)
    slots = [[n, [optimizer.get_slot(v, n).name for v in variables]] for n in optimizer.get_slot_names()]
    return [slots, [v.name for v in optimizer.variables()], ran(tf, np, train, ids, rows)]


def optimizer(name, make, sparse=True, rows=TWICE):
    PROGRAMS["trace_" + name] = lambda tf, np: trace(tf, np, make, sparse, rows)


def decayed(tf, step):
    return tf.train.exponential_decay(0.05, step, 4, 0.7, staircase=True)


optimizer("gradient_descent", lambda tf, s, v: tf.train.GradientDescentOptimizer(decayed(tf, s)))
optimizer("momentum", lambda tf, s, v: tf.train.MomentumOptimizer(0.02, 0.9))
optimizer("nesterov", lambda tf, s, v: tf.train.MomentumOptimizer(0.02, 0.9, use_nesterov=True))
optimizer("adagrad", lambda tf, s, v: tf.train.AdagradOptimizer(0.3, initial_accumulator_value=0.2))
optimizer(
    "adagrad_da",
    lambda tf, s, v: tf.train.AdagradDAOptimizer(
        0.3, s, l1_regularization_strength=0.01, l2_regularization_strength=0.02
    ),
)
optimizer("adadelta", lambda tf, s, v: tf.train.AdadeltaOptimizer(1.0, 0.9, 1e-4))
optimizer("adam", lambda tf, s, v: tf.train.AdamOptimizer(decayed(tf, s), beta1=0.8, beta2=0.95))
optimizer("ftrl", lambda tf, s, v: tf.train.FtrlOptimizer(0.3))
optimizer(
    "ftrl_regularized",
    lambda tf, s, v: tf.train.FtrlOptimizer(
        0.3,
        learning_rate_power=-0.6,
        initial_accumulator_value=0.3,
        l1_regularization_strength=0.05,
        l2_regularization_strength=0.1,
    ),
)
optimizer(
    "ftrl_shrinkage",
    lambda tf, s, v: tf.train.FtrlOptimizer(
        0.3,
        l1_regularization_strength=0.01,
        l2_regularization_strength=0.1,
        l2_shrinkage_regularization_strength=0.05,
        accum_name="a",
        linear_name="l",
    ),
)
optimizer("rmsprop", lambda tf, s, v: tf.train.RMSPropOptimizer(0.02))
optimizer("rmsprop_momentum", lambda tf, s, v: tf.train.RMSPropOptimizer(0.02, 0.8, 0.5, 1e-6))
optimizer("rmsprop_centred", lambda tf, s, v: tf.train.RMSPropOptimizer(0.02, 0.8, 0.5, 1e-3, centered=True))
optimizer(
    "proximal_gradient_descent",
    lambda tf, s, v: tf.train.ProximalGradientDescentOptimizer(
        0.03, l1_regularization_strength=0.1, l2_regularization_strength=0.2
    ),
)
optimizer(
    "proximal_adagrad",
    lambda tf, s, v: tf.train.ProximalAdagradOptimizer(
        0.3, 0.2, l1_regularization_strength=0.1, l2_regularization_strength=0.2
    ),
)
optimizer("lazy_adam", lambda tf, s, v: tf.contrib.opt.LazyAdamOptimizer(0.1, beta1=0.8, beta2=0.95))
optimizer("nadam", lambda tf, s, v: tf.contrib.opt.NadamOptimizer(0.1, beta1=0.8, beta2=0.95))
optimizer("adamax", lambda tf, s, v: tf.contrib.opt.AdaMaxOptimizer(0.1, beta1=0.8, beta2=0.95))
optimizer("adam_w", lambda tf, s, v: tf.contrib.opt.AdamWOptimizer(0.01, 0.1, beta1=0.8, beta2=0.95))
optimizer("momentum_w", lambda tf, s, v: tf.contrib.opt.MomentumWOptimizer(0.01, 0.02, 0.9, use_nesterov=True))
optimizer(
    "gradient_descent_w",
    lambda tf, s, v: tf.contrib.opt.extend_with_decoupled_weight_decay(tf.train.GradientDescentOptimizer)(
        weight_decay=0.02, learning_rate=0.02
    ),
)
optimizer(
    "lars",
    lambda tf, s, v: tf.contrib.opt.LARSOptimizer(0.5, weight_decay=0.01, eeta=0.1, skip_list=["resource"]),
    sparse=False,
)
optimizer(
    "add_sign",
    lambda tf, s, v: tf.contrib.opt.AddSignOptimizer(
        0.02, sign_decay_fn=lambda step: tf.maximum(0.0, 1.0 - tf.to_float(step) / 10.0)
    ),
    sparse=False,
)
optimizer("power_sign", lambda tf, s, v: tf.contrib.opt.PowerSignOptimizer(0.02), sparse=False)
optimizer(
    "variable_clipping",
    lambda tf, s, v: tf.contrib.opt.VariableClippingOptimizer(
        tf.train.MomentumOptimizer(0.02, 0.9), {v[0]: [0], v[1]: [0, 1], v[2]: [1], v[3]: [1]}, 0.8
    ),
    rows=ONCE,
)


@program
def trace_moving_average(tf, np):
    variables = trained_variables(tf, np)
    ids = tf.placeholder(tf.int32, [3])
    step = tf.train.get_or_create_global_step()
    optimizer = tf.contrib.opt.MovingAverageOptimizer(tf.train.MomentumOptimizer(0.02, 0.9), 0.8, num_updates=step)
    train = optimizer.minimize(loss_of(tf, np, variables[:2], variables[2:], ids), global_step=step)
    swapping, plain, folder = optimizer.swapping_saver(), tf.train.Saver(), tempfile.mkdtemp()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for i in range(20):
            sess.run(train, {ids: TWICE[i % 4]})
        found = [[v.name] + sums(np, x) for v, x in zip(tf.global_variables(), sess.run(tf.global_variables()))]
        plain.restore(sess, swapping.save(sess, folder + "/model"))
        shutil.rmtree(folder)
        return [found, [sums(np, x) for x in sess.run(variables)]]


@program
def moving_averages(tf, np):
    w, step = tf.Variable(numbers(np, 3), name="w"), tf.Variable(0, name="step", trainable=False)
    r = tf.get_variable("r", initializer=numbers(np, 2), use_resource=True)
    x = tf.placeholder(tf.float32, [], name="x")
    with tf.name_scope("inner"):
        t = tf.multiply(x, 2.0, name="t")
    emas = [
        tf.train.ExponentialMovingAverage(0.9),
        tf.train.ExponentialMovingAverage(0.9, num_updates=step, name="counted"),
        tf.train.ExponentialMovingAverage(0.9, zero_debias=True, name="debiased"),
        tf.train.ExponentialMovingAverage(tf.constant(0.5), num_updates=step, zero_debias=True),
    ]
    kept = [[w, r, t], [w], [t, w], [t, r]]
    names = [emas[0].average_name(w)]
    updates = [e.apply(k) for e, k in zip(emas, kept)]
    averages = [e.average(v) for e, k in zip(emas, kept) for v in k]
    names += [v.op.name for v in averages] + [u.name for u in updates]
    names += [sorted((k, v.name) for k, v in e.variables_to_restore().items()) for e in emas]
    names += [[v.name for v in tf.moving_average_variables()], [v.name for v in tf.global_variables()]]
    found = []
    with tf.control_dependencies([tf.assign_add(step, 1), w.assign(w * 1.5), r.assign(r + 1.0)]):
        moved = tf.no_op()
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for i in range(5):
            sess.run(moved)
            for u in updates:
                sess.run(u, {x: i + 1.0})
            found.append([sums(np, a) for a in sess.run(averages)])
    return [[list(map(list, n)) if isinstance(n, list) and isinstance(n[0], tuple) else n for n in names], found]


@program
def clipping(tf, np):
    x = tf.constant(numbers(np, 3, 4))
    rows = tf.IndexedSlices(tf.constant(numbers(np, 2, 4)), tf.constant([0, 2]), tf.constant([3, 4]))
    listed, norm = tf.clip_by_global_norm([x, None, rows, x * 2.0], 2.0)
    given, _ = tf.clip_by_global_norm([x], 2.0, use_norm=tf.constant(4.0), name="given")
    not_finite, bad = tf.clip_by_global_norm([x, tf.constant([np.inf])], 1.0)
    values = [
        tf.clip_by_value(x, -0.3, 0.5),
        tf.clip_by_value(x, -0.1, tf.constant(numbers(np, 1, 4)) ** 2),
        tf.clip_by_norm(x, 1.5),
        tf.clip_by_norm(x, 1.0, axes=[1]),
        tf.clip_by_norm(x * 0.0, 1.0),
        tf.clip_by_average_norm(x, 0.1),
        tf.clip_by_average_norm(x * 0.01, 0.1),
        listed[0],
        listed[2].values,
        listed[3],
        norm,
        given[0],
        not_finite[0],
        bad,
        tf.global_norm([x, None, rows]),
    ]
    slopes = tf.gradients([tf.reduce_sum(values[i] ** 2) for i in (0, 2, 3, 5, 7, 9)], x)
    with tf.Session() as sess:
        got = [sums(np, v) for v in sess.run(values[:-3] + values[-1:] + slopes)]
        return [listed[1], [t.name for t in values], got, [bool(np.isnan(v).all()) for v in sess.run(not_finite)]]


@program
def noisy_schedule(tf, np):
    tf.set_random_seed(3)
    step = tf.placeholder(tf.int64, [])
    rate = tf.train.noisy_linear_cosine_decay(0.1, step, 15, initial_variance=0.3, variance_decay=0.5)
    with tf.Session() as sess:
        return [sorted(o.name for o in rate.graph.get_operations()), [float(sess.run(rate, {step: s})) for s in (0, 3)]]


@program
def schedules(tf, np):
    step = tf.placeholder(tf.int64, [])
    t = tf.train
    rates = [
        t.exponential_decay(0.1, step, 7, 0.5),
        t.exponential_decay(0.1, step, 7, 0.5, staircase=True, name="stairs"),
        t.natural_exp_decay(0.1, step, 7, 0.5),
        t.natural_exp_decay(0.1, step, 7, 0.5, staircase=True),
        t.inverse_time_decay(0.1, step, 7, 0.5),
        t.inverse_time_decay(0.1, step, 7, 0.5, staircase=True),
        t.polynomial_decay(0.1, step, 10, 0.01, power=2.0),
        t.polynomial_decay(0.1, step, 10, 0.01, power=0.5, cycle=True),
        t.piecewise_constant(step, [5, 11], [0.1, 0.03, 0.01]),
        t.piecewise_constant(tf.cast(step, tf.float32), [5.0, 11.0], [0.1, 0.03, 0.01], "pieces"),
        t.piecewise_constant_decay(step, [3, 4, 12], [1, 2, 3, 4]),
        t.cosine_decay(0.1, step, 15),
        t.cosine_decay(0.1, step, 15, alpha=0.2),
        t.cosine_decay_restarts(0.1, step, 5),
        t.cosine_decay_restarts(0.1, step, 5, t_mul=1.5, m_mul=0.8, alpha=0.1),
        t.cosine_decay_restarts(0.1, step, 5, t_mul=1.0, m_mul=0.5),
        t.linear_cosine_decay(0.1, step, 15),
        t.linear_cosine_decay(0.1, step, 15, num_periods=3, alpha=0.1, beta=0.01),
        t.exponential_decay(np.float64(0.1), step, 7, 0.5),
    ]
    with tf.Session() as sess:
        values = [[float(r) for r in sess.run(rates, {step: s})] for s in (0, 3, 5, 7, 11, 12, 15, 30)]
    return [[r.name for r in rates], [r.dtype.name for r in rates], values]


@program
def gates(tf, np):
    found = []
    for gate in (tf.train.Optimizer.GATE_NONE, tf.train.Optimizer.GATE_OP, tf.train.Optimizer.GATE_GRAPH):
        with tf.Graph().as_default() as graph:
            a, b = tf.Variable(numbers(np, 2, 2), name="a"), tf.Variable(numbers(np, 2, 2), name="b")
            loss = tf.reduce_sum(tf.matmul(a, b) + a * b)
            step = tf.train.get_or_create_global_step()
            train = tf.train.MomentumOptimizer(0.1, 0.9).minimize(loss, global_step=step, gate_gradients=gate)
            told = [train.name, train.type, [o.name for o in tf.get_collection(tf.GraphKeys.TRAIN_OP)]]
            listed = sorted([o.name, o.type] for o in graph.get_operations() if "Initializer" not in o.name)
            with tf.Session() as sess:
                sess.run(tf.global_variables_initializer())
                sess.run(train)
                found.append([told, listed, [sums(np, v) for v in sess.run([a, b])]])
    return found


@program
def weights_of_losses(tf, np):
    """Which shapes of weights go with values [4, 3], known when the graph is built or only in a run; what they give, or the error."""
    found, fetched = [], []
    guesses, labels = numbers(np, 4, 3), (numbers(np, 3, 4).T > 0).astype("float32")
    shapes = [(), (1,), (3,), (4,), (4, 1), (1, 3), (4, 3), (1, 1), (2, 3), (4, 3, 1)]
    for shape in shapes:
        weights = np.abs(numbers(np, *shape)).astype("float32") if shape else np.float32(0.7)
        try:
            fetched.append(tf.losses.absolute_difference(labels, guesses, weights, loss_collection=None))
            fetched.append(tf.metrics.mean(guesses, weights)[1])
            found.append([list(shape), len(fetched)])
        except ValueError as error:
            found.append([list(shape), str(error).split(".")[0].split(":")[0]])
    weights = (np.arange(12).reshape(4, 3) % 3).astype("float32")
    for reduction in tf.losses.Reduction.all():
        for loss in (tf.losses.hinge_loss, tf.losses.huber_loss, tf.losses.log_loss, tf.losses.sigmoid_cross_entropy):
            value = tf.constant(np.abs(guesses) % 1 if loss is tf.losses.log_loss else guesses)
            fetched.append(loss(labels, value, weights, reduction=reduction, loss_collection=None))
    fetched.append(
        tf.losses.mean_pairwise_squared_error(labels, guesses, np.float32([[1], [0], [2], [0]]), loss_collection=None)
    )
    fetched.append(tf.losses.cosine_distance(labels, guesses, axis=1, weights=np.float32([[1], [0], [2], [0]])))
    fetched.append(tf.losses.softmax_cross_entropy(labels, guesses, np.float32([1, 0, 2, 0]), label_smoothing=0.2))
    some = tf.placeholder(tf.float32, name="some")
    late = tf.losses.absolute_difference(labels, guesses, some)
    with tf.Session() as sess:
        sess.run(tf.local_variables_initializer())
        values = [sums(np, v) for v in sess.run(fetched)]
        for shape in shapes:
            try:
                told = sums(np, sess.run(late, {some: np.ones(shape, "float32")}))
            except tf.errors.InvalidArgumentError as error:
                told = type(error).__name__
            found.append([list(shape), told])
    collected = [v.name for v in tf.losses.get_losses()]
    return [found, values, collected, tf.losses.get_total_loss().name]


@program
def regularizers(tf, np):
    layers = tf.contrib.layers
    with tf.variable_scope("a", regularizer=layers.l2_regularizer(0.1)):
        tf.get_variable("v", initializer=numbers(np, 3))
        tf.get_variable("free", initializer=numbers(np, 2), regularizer=tf.no_regularizer)
        tf.get_variable(
            "resource", initializer=numbers(np, 4), use_resource=True, regularizer=layers.l1_regularizer(0.2)
        )
    with tf.variable_scope("a", reuse=True):
        tf.get_variable("v", regularizer=layers.l1_regularizer(5.0))
    with tf.variable_scope("parts", partitioner=tf.fixed_size_partitioner(2)):
        tf.get_variable("p", [4], initializer=tf.ones_initializer(), regularizer=layers.l1_l2_regularizer(0.1, 0.3))
    tf.layers.dense(
        tf.constant(numbers(np, 2, 3)),
        2,
        kernel_regularizer=layers.sum_regularizer([layers.l1_regularizer(0.1), layers.l2_regularizer(0.2)]),
        kernel_initializer=tf.ones_initializer(),
        activity_regularizer=lambda y: 0.01 * tf.reduce_sum(y),
    )
    terms = tf.losses.get_regularization_losses()
    extra = layers.apply_regularization(layers.l2_regularizer(0.5), tf.trainable_variables()[:1])
    wrong = []
    for make in (
        lambda: layers.l1_regularizer(-1.0),
        lambda: layers.l2_regularizer(1),
        lambda: layers.l1_regularizer("x"),
    ):
        try:
            wrong.append(make() is None)
        except ValueError as error:
            wrong.append(str(error))
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        values = [float(v) for v in sess.run(terms + [extra, tf.losses.get_regularization_loss()])]
    keys = [[k, [t.name for t in tf.get_collection(k)]] for k in ("regularization_losses", "losses")]
    return [[t.name for t in terms], values, keys, wrong]
