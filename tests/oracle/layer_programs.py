"""Programs with layers, run under TensorFlow 1.15 and under thalweg: tf.layers, tf.contrib.layers and slim, the losses and
metrics of contrib, distributions, CRFs. Each is a function of (tf, np); what it gives is compared.

Kept to what Python 3.6 reads.
"""

import zlib

PROGRAMS = {}


def program(f):
    PROGRAMS[f.__name__] = f
    return f


def digest(np, value):
    """What is compared of an array: shape, mean, mean of squares, the first four numbers."""
    if isinstance(value, (list, tuple)):
        return [digest(np, v) for v in value]
    a = np.asarray(value).astype("float64")
    mean = float(a.mean()) if a.size else 0.0
    return [list(a.shape), mean, float((a * a).mean()) if a.size else 0.0, [float(x) for x in a.ravel()[:4]]]


def names(tf, skip=("/cond", "cond_", "/Tensordot/", "SparseReshape/Const")):
    """A checksum of the names and types of all operations, in the order of their names, and how many there are.

    What stands for a tf.cond differs, and the order of a few nodes.
    """
    listed = sorted(o.name + " " + o.type for o in tf.get_default_graph().get_operations())
    listed = [n for n in listed if not any(s in n for s in skip)]
    return [len(listed), zlib.crc32("\n".join(listed).encode())]


def numbers(np, *shape):
    return np.random.RandomState(sum(shape)).randn(*shape).astype("float32")


def ran(tf, np, outputs, feed=None, steps=()):
    """Digests of the outputs after the variables have their (seeded) first values, and of the variables after `steps`."""
    with tf.Session() as sess:
        sess.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        first = digest(np, sess.run(list(outputs), feed))
        for step in steps:
            sess.run(step, feed)
        return [first, [[v.name, digest(np, sess.run(v))] for v in tf.global_variables()]]


def collected(tf):
    keys = sorted(k for k in tf.get_default_graph().get_all_collection_keys() if k != "cond_context")
    keys = [k for k in keys if not k.startswith(("(", "'"))]
    return [[k, [getattr(v, "name", str(v)).split("/cond")[0] for v in tf.get_collection(k)]] for k in keys]


def of(name, build):
    """A program that builds outputs from images and runs them: names, collections, values."""

    def run(tf, np):
        tf.set_random_seed(1)
        x = tf.placeholder(tf.float32, [4, 12, 12, 4], name="x")
        outputs = build(tf, np, x)
        updates = tf.get_collection(tf.GraphKeys.UPDATE_OPS)
        return [
            names(tf),
            collected(tf),
            ran(tf, np, outputs, {x: numbers(np, 4, 12, 12, 4)}, [updates] if updates else []),
        ]

    PROGRAMS[name] = run


def signals(tf, x):
    return tf.reshape(x, [4, 48, 12])


def volumes(tf, x):
    return tf.reshape(x, [4, 6, 6, 4, 4])


of(
    "layers_conv",
    lambda tf, np, x: [
        tf.layers.conv2d(x, 4, 3, activation=tf.nn.relu, padding="same"),
        tf.layers.conv2d(x, 4, [3, 2], strides=(2, 2), name="named", kernel_regularizer=lambda v: tf.reduce_sum(v)),
        tf.layers.conv2d(x, 4, 3, dilation_rate=2, use_bias=False),
        tf.layers.conv2d_transpose(x, 5, 3, 2, padding="same"),
        tf.layers.conv2d_transpose(x, 5, 3, 2),
        tf.layers.separable_conv2d(x, 5, 3, depth_multiplier=2),
        tf.layers.conv1d(signals(tf, x), 4, 3, 2),
        tf.layers.separable_conv1d(signals(tf, x), 4, 3),
        tf.layers.conv3d(volumes(tf, x), 4, 2),
        tf.layers.conv3d_transpose(volumes(tf, x), 2, 2),
    ],
)

of(
    "layers_pool",
    lambda tf, np, x: [
        tf.layers.max_pooling2d(x, 2, 2),
        tf.layers.average_pooling2d(x, (3, 3), (1, 1), padding="same"),
        tf.layers.max_pooling1d(signals(tf, x), 2, 2),
        tf.layers.average_pooling1d(signals(tf, x), 3, 2),
        tf.layers.max_pooling3d(volumes(tf, x), 2, 2),
        tf.layers.average_pooling3d(volumes(tf, x), 2, 1),
        tf.layers.flatten(x),
        tf.layers.dropout(x),
        tf.layers.dropout(x, 0.4, training=True, seed=3),
    ],
)

of(
    "layers_norm",
    lambda tf, np, x: [
        tf.layers.batch_normalization(x, training=True),
        tf.layers.batch_normalization(x, fused=False, training=True),
        tf.layers.batch_normalization(x, training=False),
        tf.layers.batch_normalization(x, axis=1, fused=False, training=True),
        tf.layers.batch_normalization(x, training=True, renorm=True),
        tf.layers.batch_normalization(x, training=True, virtual_batch_size=2, name="virtual"),
        tf.layers.batch_normalization(x, center=False, scale=False, training=True, momentum=0.5),
    ],
)


def dense(tf, np, x):
    flat = tf.layers.flatten(x)
    shared = tf.layers.Dense(3, name="shared", activation="relu")
    outputs = [tf.layers.dense(flat, 7, tf.nn.tanh), tf.layers.dense(signals(tf, x), 6)]
    with tf.variable_scope("outer"):
        outputs += [shared(flat), shared(flat), tf.layers.dense(flat, 2, name="inner")]
    with tf.variable_scope("outer", reuse=True):
        outputs.append(tf.layers.dense(flat, 2, name="inner"))
    return outputs


of("layers_dense", dense)


def training_tensor(tf, np, x):
    on = tf.placeholder_with_default(True, [])
    return [
        tf.layers.batch_normalization(x, training=on),
        tf.layers.batch_normalization(x, training=on, fused=False),
        tf.layers.batch_normalization(x, training=tf.logical_not(on), name="off"),
    ]


of("layers_training_tensor", training_tensor)


def contrib_conv(tf, np, x):
    layers = tf.contrib.layers
    norm = {"normalizer_fn": layers.batch_norm, "normalizer_params": {"is_training": True}}
    with tf.contrib.framework.arg_scope([layers.conv2d], weights_regularizer=layers.l2_regularizer(0.01), **norm):
        outputs = [
            layers.conv2d(x, 4, 3),
            layers.conv2d(x, 4, [3, 3], stride=2, scope="named", outputs_collections="outs"),
        ]
    outputs += [
        layers.conv2d(x, 4, 3, rate=2),
        layers.conv2d_transpose(x, 5, 3, 2),
        layers.separable_conv2d(x, 5, 3, 2),
        layers.separable_conv2d(x, None, 3, 2),
        layers.conv2d_in_plane(x, 3),
        layers.max_pool2d(x, 2),
        layers.avg_pool2d(x, [3, 3], stride=1, padding="SAME"),
        layers.convolution(signals(tf, x), 3, 2),
        layers.repeat(x, 2, layers.conv2d, 4, [3, 3]),
    ]
    return outputs


of("contrib_conv", contrib_conv)


def contrib_norm(tf, np, x):
    layers = tf.contrib.layers
    return [
        layers.batch_norm(x),
        layers.batch_norm(x, fused=False, scale=True),
        layers.batch_norm(x, updates_collections=None),
        layers.batch_norm(layers.flatten(x)),
        layers.batch_norm(x, updates_collections="mine", fused=False, zero_debias_moving_mean=True),
        layers.batch_norm(x, is_training=False, data_format="NHWC", center=False),
        layers.layer_norm(x),
        layers.instance_norm(x),
        layers.group_norm(x, groups=2),
        layers.unit_norm(x, 1),
    ]


of("contrib_norm", contrib_norm)


def contrib_dense(tf, np, x):
    layers = tf.contrib.layers
    flat = layers.flatten(x)
    ids = tf.constant([[1, 2], [3, 0]])
    bags = tf.SparseTensor(
        tf.constant([[0, 0], [2, 1]], tf.int64), tf.constant([1, 2], tf.int64), tf.constant([3, 2], tf.int64)
    )
    return [
        layers.fully_connected(flat, 7),
        layers.linear(flat, 3, scope="lin"),
        layers.legacy_fully_connected(flat, 3),
        layers.relu(flat, 3),
        layers.dropout(flat, 0.7, seed=2),
        layers.dropout(flat, is_training=False),
        layers.one_hot_encoding(tf.constant([1, 2]), 4),
        layers.stack(flat, layers.fully_connected, [4, 3], scope="st"),
        layers.maxout(x, 2),
        layers.bias_add(x),
        layers.softmax(x),
        layers.spatial_softmax(x),
        layers.embed_sequence(ids, 5, 3),
        layers.embed_sequence(ids, 5, 3, unique=True),
        layers.summarize_tensor(flat) is None or flat,
        layers.safe_embedding_lookup_sparse(
            [tf.get_variable("emb", [4, 3], initializer=tf.ones_initializer())], bags, combiner="mean"
        ),
    ]


of("contrib_dense", contrib_dense)


@program
def optimize_loss(tf, np):
    tf.set_random_seed(2)
    step = tf.train.get_or_create_global_step()
    y = tf.contrib.layers.fully_connected(
        tf.constant(numbers(np, 5, 3)), 2, weights_regularizer=tf.contrib.layers.l1_regularizer(0.1)
    )
    loss = tf.reduce_mean(tf.square(y)) + tf.losses.get_regularization_loss()
    train = tf.contrib.layers.optimize_loss(
        loss, step, 0.1, "Adam", clip_gradients=0.5, summaries=["loss", "gradients", "learning_rate"]
    )
    return [names(tf), collected(tf), ran(tf, np, [train], None, [train, train])]


@program
def train_op(tf, np):
    slim = tf.contrib.slim
    tf.set_random_seed(2)
    y = slim.batch_norm(slim.fully_connected(tf.constant(numbers(np, 5, 3)), 2, scope="fc"), scope="bn")
    slim.losses.mean_squared_error(y, tf.ones([5, 2]))
    op = slim.learning.create_train_op(
        slim.losses.get_total_loss(),
        tf.train.GradientDescentOptimizer(0.1),
        clip_gradient_norm=0.5,
        gradient_multipliers={"fc/weights": 2.0},
        summarize_gradients=True,
    )
    return [collected(tf), ran(tf, np, [op], None, [op, op])]


def network(name, build, scope, size):
    def run(tf, np):
        found = build(tf)
        with tf.contrib.slim.arg_scope(scope(tf)):
            net, points = found(tf.placeholder(tf.float32, [1, size, size, 3]), 11, is_training=True)
        shapes = ["%s %s" % (v.name, v.shape) for v in tf.global_variables()]
        ends = ["%s %s" % (k, points[k].shape) for k in sorted(points)]
        counts = [
            len(tf.get_collection(k))
            for k in (tf.GraphKeys.UPDATE_OPS, tf.GraphKeys.REGULARIZATION_LOSSES, "moving_vars")
        ]
        return [names(tf), net.op.name, counts, len(shapes), zlib.crc32("\n".join(shapes + ends).encode())]

    PROGRAMS["net_" + name] = run


def nets(tf):
    try:
        return tf.contrib.slim.nets
    except AttributeError:
        from tensorflow.contrib.slim import nets as found

        return found


network(
    "resnet_v1_50", lambda tf: nets(tf).resnet_v1.resnet_v1_50, lambda tf: nets(tf).resnet_v1.resnet_arg_scope(), 65
)
network(
    "resnet_v2_50", lambda tf: nets(tf).resnet_v2.resnet_v2_50, lambda tf: nets(tf).resnet_v2.resnet_arg_scope(), 65
)
network("vgg_16", lambda tf: nets(tf).vgg.vgg_16, lambda tf: nets(tf).vgg.vgg_arg_scope(), 224)
network("alexnet_v2", lambda tf: nets(tf).alexnet.alexnet_v2, lambda tf: nets(tf).alexnet.alexnet_v2_arg_scope(), 224)
network("overfeat", lambda tf: nets(tf).overfeat.overfeat, lambda tf: nets(tf).overfeat.overfeat_arg_scope(), 231)
network(
    "inception_v1",
    lambda tf: nets(tf).inception.inception_v1,
    lambda tf: nets(tf).inception.inception_v1_arg_scope(),
    224,
)
network(
    "inception_v2",
    lambda tf: nets(tf).inception.inception_v2,
    lambda tf: nets(tf).inception.inception_v2_arg_scope(),
    224,
)
network(
    "inception_v3",
    lambda tf: nets(tf).inception.inception_v3,
    lambda tf: nets(tf).inception.inception_v3_arg_scope(),
    299,
)


@program
def losses(tf, np):
    lo, r = tf.contrib.losses, np.random.RandomState(0)
    p, y = (tf.constant(r.rand(6, 3).astype("f")) for _ in range(2))
    w = tf.constant(np.array([1, 0, 2, 1, 1, 0.5], "f"))
    found = [
        f(p, y, *more)
        for f in (lo.absolute_difference, lo.mean_squared_error, lo.log_loss, lo.mean_pairwise_squared_error)
        for more in ((), (w,))
    ]
    found += [
        lo.hinge_loss(p, tf.cast(y > 0.5, tf.float32)),
        lo.sigmoid_cross_entropy(p, y, label_smoothing=0.1),
        lo.softmax_cross_entropy(p, y, w, label_smoothing=0.1),
        lo.cosine_distance(p, y, dim=1),
        lo.get_total_loss(),
        lo.sparse_softmax_cross_entropy(p, tf.constant([[0], [1], [2], [0], [1], [2]])),
    ]
    labels = tf.constant([0, 1, 0, 1, 2, 2])
    ml = lo.metric_learning
    found += [
        ml.contrastive_loss(tf.constant([1, 0, 1, 0, 1, 1]), p, y),
        ml.triplet_semihard_loss(labels, p),
        ml.npairs_loss(labels, p, y),
        ml.lifted_struct_loss(labels, p),
    ]
    return [[t.op.name for t in found], ran(tf, np, found)[0]]


@program
def metrics(tf, np):
    m, r = tf.contrib.metrics, np.random.RandomState(0)
    p, y = (tf.constant(r.rand(6, 3).astype("f")) for _ in range(2))
    labels, guesses = tf.constant([0, 1, 1, 0, 1, 1]), tf.constant([0, 1, 0, 0, 1, 0])
    pairs = [
        getattr(m, "streaming_" + n)(tf.cast(guesses, tf.int64), tf.cast(labels, tf.int64))
        for n in (
            "accuracy",
            "precision",
            "recall",
            "true_positives",
            "true_negatives",
            "false_positives",
            "false_negatives",
        )
    ]
    pairs += [
        getattr(m, "streaming_" + n)(p, y)
        for n in (
            "mean_absolute_error",
            "mean_squared_error",
            "root_mean_squared_error",
            "covariance",
            "pearson_correlation",
        )
    ]
    pairs += [
        m.streaming_auc(p[:, 0], labels),
        m.streaming_concat(labels, max_size=9),
        m.cohen_kappa(labels, guesses, 2),
        m.count(labels, weights=tf.constant([1.0, 0, 2, 1, 1, 0.5])),
        m.streaming_mean_iou(guesses, labels, 2),
        m.streaming_sparse_recall_at_k(p, tf.constant([[0], [1], [2], [0], [1], [2]], tf.int64), 2),
    ]
    values, updates = m.aggregate_metrics(*pairs)
    with tf.Session() as sess:
        sess.run(tf.local_variables_initializer())
        first = [sess.run(u) for u in updates]
        sess.run(updates)
        return [digest(np, first), digest(np, sess.run(values)), digest(np, sess.run(m.accuracy(guesses, labels)))]


def distribution(name, make, value, other=None, functions=(), stats=("mean", "variance", "stddev")):
    def run(tf, np):
        tf.set_random_seed(5)
        f = lambda *a: np.array(a, "f")
        d = make(tf.contrib.distributions, f)
        at = np.array(value, "f" if d.dtype.is_floating else "i")
        found = [getattr(d, n)(at) for n in ("log_prob", "prob") + tuple(functions)]
        found += [getattr(d, n)() for n in tuple(stats)] + [d.sample([3, 2], seed=7)]
        if other is not None:
            found.append(tf.distributions.kl_divergence(d, other(tf.contrib.distributions, f)))
        return [str(d.batch_shape), str(d.event_shape), d.name, ran(tf, np, found)[0]]

    PROGRAMS["distribution_" + name] = run


CDF = ("cdf", "survival_function", "log_cdf")
ALL = ("mean", "variance", "stddev", "entropy")
distribution(
    "normal",
    lambda D, f: D.Normal(f(0, 1, 2), f(1, 0.5, 2)),
    [0.3, 0.2, 0.9],
    lambda D, f: D.Normal(1.0, f(1, 2, 3)),
    CDF,
    (*ALL, "mode"),
)
distribution("uniform", lambda D, f: D.Uniform(f(0, 1), f(2, 3)), [0.3, 2.0], None, CDF, ALL)
distribution("laplace", lambda D, f: D.Laplace(f(0, 1), f(2, 3)), [0.3, 2.0], None, CDF, ALL)
distribution("exponential", lambda D, f: D.Exponential(f(1, 2)), [0.3, 2.0], None, CDF, ALL)
distribution("gamma", lambda D, f: D.Gamma(f(1.5, 2), f(2, 1)), [0.3, 2.0], lambda D, f: D.Gamma(2.0, 3.0), CDF, ALL)
distribution("beta", lambda D, f: D.Beta(f(1.5, 2), f(2, 3)), [0.3, 0.2], lambda D, f: D.Beta(2.0, 3.0), CDF, ALL)
distribution("student_t", lambda D, f: D.StudentT(f(3, 5), f(0, 1), f(1, 2)), [0.3, 2.0], None, CDF, ALL)
distribution(
    "bernoulli",
    lambda D, f: D.Bernoulli(probs=f(0.2, 0.7)),
    [0, 1],
    lambda D, f: D.Bernoulli(logits=f(0.5, 0.1)),
    (),
    ALL,
)
distribution(
    "categorical",
    lambda D, f: D.Categorical(logits=f([1, 2, 0.5], [0, 0.3, 1])),
    [0, 2],
    lambda D, f: D.Categorical(probs=f([0.2, 0.3, 0.5], [0.1, 0.4, 0.5])),
    ("cdf",),
    ("mode", "entropy"),
)
distribution(
    "one_hot",
    lambda D, f: D.OneHotCategorical(logits=f(1, 2, 0.5)),
    [0, 1, 0],
    None,
    (),
    ("variance", "entropy", "covariance"),
)
distribution("poisson", lambda D, f: D.Poisson(f(1, 4)), [2.0, 3.0], None, CDF, ("mean", "variance", "mode"))
distribution(
    "multinomial",
    lambda D, f: D.Multinomial(4.0, probs=f(0.2, 0.3, 0.5)),
    [1.0, 2.0, 1.0],
    None,
    (),
    ("mean", "covariance"),
)
distribution(
    "dirichlet",
    lambda D, f: D.Dirichlet(f(1, 2, 3)),
    [0.2, 0.3, 0.5],
    lambda D, f: D.Dirichlet(f(2, 2, 2)),
    (),
    (*ALL, "covariance"),
)
distribution(
    "dirichlet_multinomial",
    lambda D, f: D.DirichletMultinomial(4.0, f(1, 2, 3)),
    [1.0, 2.0, 1.0],
    None,
    (),
    ("mean", "covariance"),
)
distribution(
    "mvn_diag",
    lambda D, f: D.MultivariateNormalDiag(f(0, 1), f(1, 2)),
    [0.2, 0.3],
    lambda D, f: D.MultivariateNormalDiag(f(1, 1), f(2, 2)),
    (),
    (*ALL, "covariance"),
)
distribution(
    "mvn_tril",
    lambda D, f: D.MultivariateNormalTriL(f(0, 1), f([1, 0], [0.5, 2])),
    [0.2, 0.3],
    lambda D, f: D.MultivariateNormalTriL(f(1, 1), f([2, 0], [0.1, 1])),
    (),
    (*ALL, "covariance"),
)
distribution(
    "mvn_full",
    lambda D, f: D.MultivariateNormalFullCovariance(f(0, 1), f([2, 0.3], [0.3, 1])),
    [0.2, 0.3],
    None,
    (),
    ALL,
)


@program
def crf(tf, np):
    c = tf.contrib.crf
    x, lengths, t = tf.constant(numbers(np, 3, 4, 5)), tf.constant([4, 2, 0]), tf.constant(numbers(np, 5, 5))
    tags = tf.constant(np.random.RandomState(1).randint(0, 5, (3, 4)).astype("i"))
    likelihood, _ = c.crf_log_likelihood(x, tags, lengths, t)
    found = [likelihood, tf.gradients(likelihood, t)[0], c.crf_sequence_score(x, tags, lengths, t)]
    found += list(c.crf_decode(x, t, tf.constant([4, 2, 1]))) + [c.crf_log_norm(x[:, :1], tf.constant([1, 1, 0]), t)]
    path, score = c.viterbi_decode(numbers(np, 4, 5), numbers(np, 5, 5))
    return [ran(tf, np, found)[0], [int(p) for p in path], float(score)]


@program
def images_through_transforms(tf, np):
    image = tf.contrib.image
    x = tf.constant(np.random.RandomState(0).rand(2, 5, 6, 3).astype("float32"))
    bytes_of = tf.cast(x * 255, tf.uint8)
    skewed = [1, 0.1, 2, -0.2, 1.1, 0.3, 0.01, 0.02]
    found = [image.rotate(x, 0.4), image.rotate(x, [0.4, -1.0], "BILINEAR"), image.rotate(bytes_of, 0.3, "BILINEAR")]
    found += [image.translate(x, [1.5, -2], "BILINEAR"), image.translate(x[0, :, :, 0], [1.0, 2.0])]
    found += [
        image.transform(x, skewed, "BILINEAR", [4, 7]),
        image.compose_transforms(skewed, [1, 0, 2.0, 0, 1, 3, 0, 0]),
    ]
    found += [tf.gradients(found[1], x)[0]]
    return [names(tf), [t.shape.as_list() for t in found], ran(tf, np, found)[0]]


@program
def walks_along_a_graph(tf, np):
    ge = tf.contrib.graph_editor
    a = tf.constant([1.0, 1.0], name="a")
    with tf.name_scope("foo"):
        b = tf.constant([2.0, 2.0], name="b")
        c = tf.add(a, b, name="c")
        d = tf.constant([3.0, 3.0], name="d")
        with tf.name_scope("bar"):
            _, f, g = tf.add(c, d, name="e"), tf.add(c, d, name="f"), tf.add(c, a, name="g")
            with tf.control_dependencies([c.op]):
                h = tf.add(f, g, name="h")
    graph = tf.get_default_graph()
    waiting = ge.util.ControlOutputs(graph)
    found = [ge.filter_ops_from_regex(graph, r"^.*\b[abc]$"), ge.filter_ts_from_regex(graph, r"^.*/[fgh]:\d$")]
    found += [ge.get_name_scope_ops(graph, "foo/bar"), ge.get_ops_ios(h.op), ge.get_ops_ios(c.op, control_ios=waiting)]
    found += ge.compute_boundary_ts([g.op, h.op])
    found += [ge.get_within_boundary_ops(graph, f.op, [c.op, h.op], False, control_ios=waiting)]
    found += [ge.get_walks_intersection_ops([a.op], [f.op]), ge.get_walks_union_ops([f.op], [g.op])]
    found += [ge.get_forward_walk_ops([c], inclusive=False), ge.get_backward_walk_ops(h, stop_at_ts=[c])]
    found += [ge.get_backward_walk_ops([h.op], control_inputs=True, within_ops_fn=lambda op: op.type != "Const")]
    found += ge.select_ops_and_ts("(?#ts)^foo/bar/e", "^foo/b$", graph=graph)
    errors = []
    for wrong in (
        lambda: ge.select_ops("a"),
        lambda: ge.make_list_of_op(3),
        lambda: ge.get_within_boundary_ops(graph, f.op, [f.op]),
    ):
        try:
            wrong()
        except (TypeError, ValueError) as error:
            errors.append(type(error).__name__)
    return [[sorted(x.name for x in part) for part in found], errors]
