"""Eager programs that run under TensorFlow 1.15 and under thalweg: each gives values that can be written as JSON.

`PROGRAMS[name](tf, np)` runs in eager execution. Numbers are compared with a tolerance, everything else must be equal.
"""

import os
import tempfile

PROGRAMS = {}


def program(f):
    PROGRAMS[f.__name__] = f
    return f


def plain(x):
    """Lists, numbers and texts of tensors, arrays and structures of those."""
    if hasattr(x, "numpy"):
        x = x.numpy()
    if isinstance(x, (list, tuple)):
        return [plain(v) for v in x]
    if isinstance(x, bytes):
        return x.decode()
    return x.tolist() if hasattr(x, "tolist") else x


def caught(f):
    try:
        f()
    except Exception as error:
        return type(error).__name__
    return "nothing"


@program
def texts(tf, np):
    import re

    values = [
        tf.constant(3),
        tf.constant([1.5, 2.0]),
        tf.constant([[1, 2], [3, 4]], tf.int64),
        tf.constant("a"),
        tf.constant(["a", "b"]),
        tf.constant(True),
        tf.zeros([0, 2]),
    ]
    out = [str(v) for v in values] + [re.sub(r"id=\d+", "id=", repr(v)) for v in values]
    return out + [repr(tf.Variable([1.0, 2.0], name="v")), repr(tf.Variable(3, name="w"))]


@program
def python_values(tf, np):
    x, i = tf.constant([[1.0, 2.0], [3.0, 4.0]]), tf.constant(2)
    return [
        len(x),
        [plain(row) for row in x],
        int(i),
        float(tf.constant(1.5)),
        bool(tf.constant(0)),
        [10, 20, 30][i],
        list(range(i)),
        np.asarray(x).tolist(),
        type(i.numpy()).__name__,
        type(x.numpy()).__name__,
        plain(np.float32(2.0) + x),
        x.shape.as_list(),
        str(x.shape),
        x.dtype.name,
        caught(lambda: len(i)),
        caught(lambda: list(i)),
        caught(lambda: bool(x)),
        caught(lambda: x.eval()),
        hasattr(x, "name"),
        x is not None,
    ]


@program
def operators(tf, np):
    a, b = tf.constant([7.0, -3.5]), tf.constant([2.0, 2.0])
    i, j = tf.constant([7, -3]), tf.constant([2, 2])
    return plain(
        [a + b, a - 1, 2 * a, a / b, a // b, a % b, a**2, -a, abs(a), a > b, a <= 7, i // j, i % j, i / j, 1 - a]
        + [a[0], a[::-1], a[tf.newaxis, 1:], tf.equal(a, b), ~tf.constant([True, False])]
    )


@program
def errors(tf, np):
    x = tf.constant([[1.0, 2.0]])
    return [
        caught(lambda: tf.matmul(x, x)),
        caught(lambda: tf.reshape(x, [3])),
        caught(lambda: tf.gather([1, 2], 5)),
        caught(lambda: tf.concat([x, tf.ones([2, 3])], 0)),
        caught(lambda: tf.constant(1) // tf.constant(0)),
        caught(lambda: tf.constant(1) + tf.constant(1.0)),
        caught(lambda: tf.assert_equal(1, 2)),
        caught(lambda: tf.placeholder(tf.float32)),
        caught(lambda: tf.gradients(x, x)),
        caught(lambda: tf.Variable([1.0]).assign([1.0, 2.0])),
        caught(lambda: tf.train.GradientDescentOptimizer(0.1).minimize(x)),
        caught(lambda: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[3, 4], logits=x)),
        caught(lambda: tf.GradientTape().gradient(x, x)),
        caught(lambda: tf.data.Dataset.range(2).make_initializable_iterator()),
        caught(lambda: tf.train.Saver()),
        caught(lambda: tf.while_loop(3, 4, [1])),
    ]


@program
def variables(tf, np):
    tfe = tf.contrib.eager
    v = tf.Variable([1.0, 2.0])
    w = tfe.Variable(5, name="count")
    with tf.variable_scope("scope"):
        g = tf.get_variable("g", [2], initializer=tf.ones_initializer())
    out = [v.name, w.name, g.name, plain(v.assign_add([1.0, 1.0])), plain(w.assign_sub(2)), plain(v), plain(g + v)]
    v.assign([0.0, 9.0])
    v.scatter_update(tf.IndexedSlices(tf.constant([4.0]), tf.constant([0])))
    return [
        *out,
        plain(v),
        v.trainable,
        plain(v * 2),
        plain(v[1]),
        int(w),
        v.shape.as_list(),
        w.dtype.name,
        plain(tf.assign(w, 8)),
    ]


@program
def tapes(tf, np):
    x = tf.constant(3.0)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = x * x * tf.sin(x)
        first = inner.gradient(y, x)
    second = outer.gradient(first, x)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y = x * x
        with tape.stop_recording():
            hidden = y * 2
        z = y * y + hidden
    v, frozen = tf.Variable(2.0), tf.Variable(2.0, trainable=False)
    with tf.GradientTape() as watching:
        loss = v * v * frozen
    with tf.GradientTape(watch_accessed_variables=False) as blind:
        unseen = v * v
    rows = tf.constant([[1.0, 2.0], [3.0, 4.0]])
    with tf.GradientTape() as many:
        many.watch(rows)
        square = rows * rows
    with tf.GradientTape() as batch:
        batch.watch(rows)
        cube = rows**3
    seen = [u.name for u in watching.watched_variables()]
    return plain(
        [
            first,
            second,
            tape.gradient(z, x),
            tape.gradient(y, x),
            seen,
            watching.gradient(loss, [v]),
            [blind.gradient(unseen, v) is None],
            many.jacobian(square, rows),
            batch.batch_jacobian(cube, rows),
        ]
    )


@program
def sparse_gradients(tf, np):
    table = tf.Variable(np.arange(8.0).reshape(4, 2).astype("float32"))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.nn.embedding_lookup(table, [1, 1, 3]) ** 2)
    g = tape.gradient(loss, table)
    tf.train.AdagradOptimizer(0.5).apply_gradients([(g, table)])
    return [type(g).__name__, plain(g.values), plain(g.indices), plain(tf.convert_to_tensor(g)), plain(table)]


@program
def gradient_functions(tf, np):
    tfe = tf.contrib.eager

    def f(x, y):
        return x * x * x * y - x * y * y

    both = tfe.gradients_function(f)
    w = tfe.Variable(2.0)
    value, pairs = tfe.implicit_value_and_gradients(lambda x: w * x)(3.0)
    return plain(
        [
            both(2.0, 3.0),
            tfe.gradients_function(f, params=["y"])(2.0, 3.0),
            tfe.gradients_function(lambda x, y: both(x, y)[0])(2.0, 3.0),
            tfe.value_and_gradients_function(f, params=[1])(2.0, 3.0),
            both(2.0, 3.0, dy=2.0),
            value,
            [g for g, _ in pairs],
            [v.name for _, v in pairs],
            [g for g, _ in tfe.implicit_gradients(lambda: w * w)()],
        ]
    )


@program
def optimizers(tf, np):
    out = []
    x = np.linspace(-1.0, 1.0, 12).reshape(6, 2).astype("float32")
    y = x @ np.array([[1.0], [-2.0]], "float32")
    for make in (
        lambda: tf.train.GradientDescentOptimizer(0.1),
        lambda: tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
        lambda: tf.train.AdamOptimizer(0.1),
        lambda: tf.train.RMSPropOptimizer(0.05),
        lambda: tf.train.AdagradOptimizer(0.1),
        lambda: tf.train.FtrlOptimizer(0.1),
    ):
        w, b = tf.Variable(tf.zeros([2, 1]), name="w"), tf.Variable(tf.zeros([1]), name="b")
        step = tf.Variable(0, dtype=tf.int64)
        optimizer = make()

        def loss(w=w, b=b):
            return tf.reduce_mean(tf.square(tf.matmul(x, w) + b - y))

        for _ in range(3):
            optimizer.minimize(loss, global_step=step)
        with tf.GradientTape() as tape:
            value = loss()
        optimizer.apply_gradients(zip(tape.gradient(value, [w, b]), [w, b]))
        out.append([plain(loss()), plain(w), plain(b), plain(step), sorted(v.name for v in optimizer.variables())])
    return out


@program
def random_numbers(tf, np):
    tf.set_random_seed(42)
    out = [tf.random_normal([2]), tf.random_uniform([2]), tf.random_normal([2], seed=7), tf.random_normal([2], seed=7)]
    out.append(tf.truncated_normal([2]))
    tf.set_random_seed(42)
    out += [tf.random_normal([2]), tf.random_uniform([3], 0, 9, tf.int32), tf.random_shuffle(tf.range(5))]
    layer = tf.layers.Dense(2)
    layer(tf.ones([1, 3]))
    out += [layer.kernel, tf.nn.dropout(tf.ones([6]), 0.5), tf.multinomial([[0.0, 1.0]], 4)]
    return plain(out)


@program
def layers(tf, np):
    tf.set_random_seed(1)
    x = tf.constant(np.linspace(-1.0, 1.0, 48).reshape(1, 4, 4, 3).astype("float32"))
    conv = tf.layers.Conv2D(2, 3, padding="same", activation=tf.nn.relu)
    norm = tf.layers.BatchNormalization()
    dense = tf.layers.Dense(3, kernel_regularizer=tf.contrib.layers.l2_regularizer(0.1))
    with tf.GradientTape() as tape:
        h = tf.layers.flatten(tf.layers.max_pooling2d(norm(conv(x), training=True), 2, 2))
        y = dense(h)
        loss = tf.reduce_sum(y * y) + tf.add_n(dense.losses)
    weights = conv.trainable_variables + norm.trainable_variables + dense.trainable_variables
    grads = tape.gradient(loss, weights)
    names = [v.name for v in weights + norm.non_trainable_variables]
    again = dense(h)
    return [
        names,
        plain(y),
        plain(loss),
        [plain(tf.reduce_sum(g)) for g in grads],
        plain(norm.moving_mean),
        plain(again - y),
    ]


@program
def control_flow(tf, np):
    x = tf.constant(2.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        looped = tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * x), [tf.constant(0), x])
    array = tf.TensorArray(tf.float32, 3)
    for i in range(3):
        array = array.write(i, x * i)
    out = [
        looped,
        tape.gradient(looped[1], x),
        tf.cond(x > 1.0, lambda: x, lambda: -x),
        tf.case([(x < 1.0, lambda: x)], default=lambda: -x),
        tf.map_fn(lambda v: v * 2, tf.constant([1, 2, 3])),
        tf.scan(lambda a, v: a + v, tf.constant([1, 2, 3])),
        tf.foldl(lambda a, v: a * v, tf.constant([1, 2, 3])),
        array.stack(),
        tf.while_loop(lambda i: i < 3, lambda i: [i + 1], [tf.constant(0)]),
        tf.while_loop(lambda i: i < 3, lambda i: i + 1, [tf.constant(0)], maximum_iterations=2),
    ]
    return plain(out)


@program
def datasets(tf, np):
    tfe = tf.contrib.eager
    w = tf.Variable(2)
    data = tf.data.Dataset.from_tensor_slices((np.arange(6), np.arange(6.0))).map(
        lambda a, b: (a * tf.cast(w, a.dtype), b)
    )
    out = [[plain(a), plain(b)] for a, b in data.batch(4)]
    iterator = data.make_one_shot_iterator()
    out += [plain(iterator.get_next()), plain(iterator.next()[0]), len([1 for _ in iterator])]
    out += [
        plain(list(tfe.Iterator(tf.data.Dataset.range(3)))),
        caught(iterator.get_next),
        caught(iterator.next),
    ]
    named = tf.data.Dataset.from_tensors({"a": [1], "b": "x"})
    out += [[plain(e["a"]), plain(e["b"])] for e in named]
    out += [plain(list(tf.data.Dataset.range(5).shuffle(5, seed=3, reshuffle_each_iteration=False)))]
    return out


@program
def functions(tf, np):
    tfe = tf.contrib.eager
    w, traces = tf.Variable(3.0), []

    def f(x, scale=1):
        traces.append(1)
        return w * x * x * scale, {"twice": x * 2}

    g = tfe.defun(f)
    out = [g(tf.constant(2.0)), g(tf.constant(4.0), scale=2), g(tf.constant([1.0, 2.0]))]
    g(tf.constant(5.0))
    count = len(traces)
    x = tf.constant(2.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = g(x)[0]
        d = inner.gradient(y, x)
    out += [[tape.gradient(y, [x, w]), tape.gradient(d, [x, w])]]
    counter = tf.Variable(0)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32)])
    def total(v):
        counter.assign_add(1)
        return tf.reduce_sum(v)

    totals = [total(tf.constant([1.0, 2.0])), total(tf.constant([1.0])), counter]

    @tfe.defun
    def loop(v):
        return tf.while_loop(lambda i, a: i < 3, lambda i, a: (i + 1, a * v * w), [tf.constant(0), v])[1]

    with tf.GradientTape() as tape:
        tape.watch(x)
        y = loop(x)
    out += [[y, tape.gradient(y, [x, w])], [[r[0], r[1]["twice"]] for r in out[:3]]]
    optimizer, wrong = tf.train.GradientDescentOptimizer(0.01), caught(lambda: total(tf.constant([[1.0]])))

    @tfe.defun
    def train(v):
        optimizer.minimize(lambda: (w * v - 1.0) ** 2)

    train(x)
    train(x)
    return [plain(out[3:]), plain(totals), count, wrong, plain(w)]


@program
def saving(tf, np):
    tfe = tf.contrib.eager
    folder = tempfile.mkdtemp()
    w, optimizer, layer = tf.Variable([1.0, 2.0], name="w"), tf.train.AdamOptimizer(0.1), tf.layers.Dense(2, name="d")
    optimizer.minimize(lambda: tf.reduce_sum(layer(tf.ones([1, 2]))) + tf.reduce_sum(w))
    saver = tfe.Saver([w, *layer.variables])
    path = saver.save(os.path.join(folder, "model"), global_step=3)
    before = plain(w)
    w.assign([0.0, 0.0])
    saver.restore(path)
    out = [os.path.basename(path), plain(w) == before, sorted(n for n, _ in tf.train.list_variables(path))]
    checkpoint = tf.train.Checkpoint(w=w, optimizer=optimizer, layer=layer)
    path = checkpoint.save(os.path.join(folder, "objects"))
    out += [os.path.basename(path), sorted(n for n, _ in tf.train.list_variables(path))]
    other, late = tf.Variable([0.0, 0.0]), tf.layers.Dense(2)
    status = tf.train.Checkpoint(w=other, optimizer=tf.train.AdamOptimizer(0.1), layer=late).restore(path)
    late(tf.ones([1, 2]))
    out += [plain(other) == before, bool((late.kernel.numpy() == layer.kernel.numpy()).all())]
    status.assert_existing_objects_matched()
    return out


@program
def metrics(tf, np):
    tfe = tf.contrib.eager
    mean, accuracy = tfe.metrics.Mean("loss"), tfe.metrics.Accuracy()
    mean(1.0)
    mean([2.0, 6.0])
    accuracy([1, 2, 3, 4], [1, 2, 3, 5])
    weighted = tfe.metrics.Mean()
    weighted([1.0, 5.0], weights=[3.0, 1.0])
    sparse = tfe.metrics.SparseAccuracy()
    sparse([1, 0], [[0.0, 1.0], [0.0, 1.0]])
    out = [mean.result(), accuracy.result(), weighted.result(), sparse.result(), mean.name, accuracy.name]
    mean.init_variables()
    mean(7.0)
    return plain([*out, mean.result(), [v.name for v in mean.variables]])


@program
def custom_gradients(tf, np):
    w = tf.Variable(2.0)

    @tf.custom_gradient
    def clipped(x):
        return x * x, lambda dy: tf.clip_by_value(dy, -1.0, 1.0)

    @tf.custom_gradient
    def scaled(x):
        y = w * x

        def grad(dy, variables=None):
            return dy * 10.0, [dy * 100.0 for _ in variables]

        return y, grad

    x = tf.constant(3.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(x)
        y, z = clipped(x) * 5.0, scaled(x)
    return plain([y, tape.gradient(y, x), z, tape.gradient(z, x), tape.gradient(z, w)])


@program
def modes(tf, np):
    out = [tf.executing_eagerly()]
    with tf.Graph().as_default():
        out.append(tf.executing_eagerly())
        c = tf.constant(1.0)
        out.append(c.name)
        with tf.init_scope():
            out.append(tf.executing_eagerly())
        with tf.Session() as session:
            out.append(plain(session.run(c + 1)))
    out.append(caught(lambda: tf.Session().run(tf.constant(1))))
    inside = []

    @tf.contrib.eager.defun
    def f(x):
        inside.append(tf.executing_eagerly())
        return x

    f(tf.constant(1))
    out += inside
    out.append(plain(tf.py_function(lambda x: x + x.numpy(), [tf.constant(2.0)], tf.float32)))
    with tf.Graph().as_default(), tf.Session() as session:
        out.append(
            plain(session.run(tf.py_function(lambda x: tf.reduce_sum(x * 2), [tf.constant([1.0, 2.0])], tf.float32)))
        )
    step = tf.train.get_or_create_global_step()
    step.assign_add(4)
    rate = tf.train.exponential_decay(1.0, step, 4, 0.5)
    return [*out, plain(rate()) if callable(rate) else "a tensor", [plain(v) for v in tf.global_variables()]]


@program
def recurrent(tf, np):
    tf.set_random_seed(3)
    cell = tf.nn.rnn_cell.BasicLSTMCell(3)
    x = tf.constant(np.linspace(-1, 1, 12).reshape(2, 3, 2).astype("float32"))
    with tf.GradientTape() as tape:
        outputs, state = tf.nn.dynamic_rnn(cell, x, sequence_length=[3, 2], dtype=tf.float32)
        loss = tf.reduce_sum(outputs)
    grads = tape.gradient(loss, cell.trainable_variables)
    return plain([outputs, state.c, [tf.reduce_sum(g) for g in grads], [v.name for v in cell.trainable_variables]])
