"""Random numbers of every form, from seeds, in one graph: what they are in the first run and in the hundredth.

Kept to what Python 3.6 reads.
"""

RUNS = 100


def as_numbers(array):
    """An array of a type that NumPy can write."""
    return array.astype("float32") if array.dtype.name == "bfloat16" else array


def numbers(tf):
    """{name: (tensor, whether it must be equal to the last bit)}."""
    found = {}

    def add(name, tensor, exact=False):
        found[name] = (tensor, exact)

    tf.set_random_seed(87)
    # Seeds that follow from the graph's and from the number of operations before.
    add("derived_uniform", tf.random_uniform([3]), True)
    add("derived_normal", tf.random_normal([3]))
    add("derived_shuffle", tf.random_shuffle(tf.range(9)), True)
    add("derived_dropout", tf.nn.dropout(tf.ones([12]), 0.5), True)
    for dtype in (tf.float16, tf.bfloat16, tf.float32, tf.float64):
        add("unit_" + dtype.name, tf.random_uniform([5], dtype=dtype, seed=5), True)
        add("uniform_" + dtype.name, tf.random_uniform([5], -2, 5, dtype, seed=5), True)
        add("many_uniform_" + dtype.name, tf.random_uniform([5000], -2.1, 5.3, dtype, seed=7)[::97], True)
        add("normal_" + dtype.name, tf.random_normal([5], 1.0, 2.0, dtype, seed=5))
        add("truncated_" + dtype.name, tf.truncated_normal([7], dtype=dtype, seed=5))
    for dtype, most in ((tf.int32, 1000), (tf.int64, 2**40)):
        add("uniform_" + dtype.name, tf.random_uniform([7], -3, most, dtype, seed=5), True)
    add("many", tf.random_uniform([5000], seed=6)[::97], True)
    add("many_normal", tf.random_normal([5000], seed=6)[::97])
    rows = tf.reshape(tf.range(24), [6, 4])
    add("shuffle", tf.random_shuffle(rows, seed=5), True)
    add("crop", tf.random_crop(rows, [3, 2], seed=5), True)
    logits = tf.constant([[0.1, 1.0, -0.5, 2.0], [0.0, 0.0, 0.0, 0.0]])
    add("multinomial", tf.multinomial(logits, 6, seed=5), True)
    add("categorical", tf.random.categorical(tf.cast(logits, tf.float64), 5, tf.int32, seed=6), True)
    for dtype in (tf.float32, tf.float64):
        add("gamma_" + dtype.name, tf.random_gamma([4], [0.3, 1.0, 2.5], dtype=dtype, seed=5))
        add("poisson_" + dtype.name, tf.random_poisson([0.7, 4.0, 35.0], [4], dtype, seed=5), True)
    add("gamma_of_rate", tf.random_gamma([3], [0.3, 2.5], beta=[0.5, 3.0], seed=7))
    add("dropout", tf.nn.dropout(tf.ones([5, 6]), rate=0.3, noise_shape=[5, 1], seed=5), True)
    add("alpha_dropout", tf.contrib.nn.alpha_dropout(tf.ones([8]), 0.6, seed=5))
    add("layer_dropout", tf.layers.dropout(tf.ones([8]), 0.4, training=True, seed=5), True)
    initialized(tf, add)
    seed = tf.constant([12, -7], tf.int64)
    stateless = tf.random
    for dtype in (tf.float16, tf.float32, tf.float64):
        add("stateless_uniform_" + dtype.name, stateless.stateless_uniform([5], seed, dtype=dtype), True)
        ranged = stateless.stateless_uniform([5000], seed, -2.1, 5.3, dtype)
        add("stateless_ranged_" + dtype.name, ranged[::97], True)
        add("stateless_normal_" + dtype.name, stateless.stateless_normal([5], seed, dtype=dtype))
        add("stateless_truncated_" + dtype.name, stateless.stateless_truncated_normal([5], [3, 4], dtype=dtype))
    for dtype in (tf.int32, tf.int64):
        drawn = stateless.stateless_uniform([5], [1, 2], minval=-5, maxval=70, dtype=dtype)
        add("stateless_uniform_" + dtype.name, drawn, True)
    add("stateless_multinomial", stateless.stateless_multinomial(logits, 9, seed), True)
    add("stateless_categorical", stateless.stateless_categorical(logits, 7, seed, dtype=tf.int32), True)
    sampled(tf, add)
    return found


# Initializers whose numbers take a product and a sum, nothing else.
UNIFORM = {"unit_scaling", "xavier"}


def initialized(tf, add):
    """What the initializers draw; each call of one is an operation of its own."""
    i = tf.initializers
    made = {
        "uniform": i.random_uniform(-1.0, 1.0, seed=5),
        "normal": i.random_normal(1.0, 2.0, seed=5),
        "truncated": i.truncated_normal(stddev=0.5, seed=5),
        "unit_scaling": i.uniform_unit_scaling(1.5, seed=5),
        "glorot_uniform": i.glorot_uniform(seed=5),
        "glorot_normal": i.glorot_normal(seed=5),
        "he_uniform": i.he_uniform(seed=5),
        "he_normal": i.he_normal(seed=5),
        "lecun_uniform": i.lecun_uniform(seed=5),
        "lecun_normal": i.lecun_normal(seed=5),
        "xavier": tf.contrib.layers.xavier_initializer(seed=5),
        "xavier_normal": tf.contrib.layers.xavier_initializer(uniform=False, seed=5),
        "contrib_scaling": tf.contrib.layers.variance_scaling_initializer(2.0, "FAN_OUT", True, seed=5),
    }
    for mode in ("fan_in", "fan_out", "fan_avg"):
        for kind in ("uniform", "truncated_normal", "untruncated_normal"):
            made["scaling_%s_%s" % (mode, kind)] = i.variance_scaling(1.5, mode, kind, seed=5)
    for name in sorted(made):
        add("initial_" + name, made[name]([3, 2, 4]), name in UNIFORM or name.endswith("uniform"))
    add("initial_orthogonal", i.orthogonal(0.5, seed=5)([4, 3]))
    add("initial_orthogonal_wide", i.orthogonal(seed=5)([2, 3, 7]))
    add("initial_delta", tf.initializers.orthogonal(seed=6)([5, 5]))
    more = tf.contrib.framework if hasattr(tf.contrib.framework, "convolutional_delta_orthogonal") else None
    if more is not None:
        add("initial_delta_orthogonal", more.convolutional_delta_orthogonal(1.5, seed=5)([3, 3, 2, 4]))
        add("initial_convolutional_1d", more.convolutional_orthogonal_1d(seed=5)([3, 2, 4]))
        add("initial_convolutional_2d", more.convolutional_orthogonal_2d(seed=5)([2, 2, 2, 4]))
        add("initial_convolutional_3d", more.convolutional_orthogonal_3d(seed=5)([2, 2, 2, 2, 3]))


def sampled(tf, add):
    """What distributions draw."""
    d = tf.distributions
    for name, one, exact in (
        ("normal", d.Normal([0.0, 3.0], 2.0), False),
        ("uniform", d.Uniform(-1.0, [2.0, 5.0]), False),
        ("bernoulli", d.Bernoulli(probs=[0.2, 0.7]), True),
        ("categorical", d.Categorical(logits=[[1.0, 2.0, 0.5]]), True),
        ("gamma", d.Gamma([0.5, 3.0], 2.0), False),
        ("beta", d.Beta([0.5, 3.0], 2.0), False),
        ("dirichlet", d.Dirichlet([0.5, 3.0, 1.0]), False),
        ("exponential", d.Exponential([0.5, 3.0]), False),
        ("laplace", d.Laplace([0.5, 3.0], 2.0), False),
        ("student", d.StudentT(3.0, 0.0, 2.0), False),
    ):
        add("sample_" + name, one.sample(4, seed=5), exact)
