"""Records of control dependencies, groups, names and scopes, and of gradients as graph."""

from cases.base import WIDE, Fails, OpCase, Steps, given, normal, spread

CASES = []


def scoped(tf, x):
    with tf.name_scope("outer") as outer:
        a = tf.add(x, 1.0, name="sum")
        with tf.name_scope("inner"):
            b = tf.multiply(a, 2.0, name="product")
        with tf.name_scope("inner"):
            c = tf.multiply(a, 3.0)
        with tf.name_scope(outer):
            d = tf.add(x, 2.0, name="sum")
        with tf.name_scope(None):
            e = tf.identity(d, name="top")
        f = tf.identity(e, name="abs/")
    return a, b, c, d, e, f, tf.add(x, 1.0, name="sum")


def depends(tf, x):
    v = tf.Variable(1.0, name="v")
    with tf.control_dependencies([tf.assign_add(v, 2.0)]):
        y = tf.identity(x)
        with tf.control_dependencies(None):
            z = tf.identity(x)
        with tf.control_dependencies([y]):
            w = v.read_value() + 0.0
    return Steps(y, z, w)


def variable_scopes(tf):
    with tf.variable_scope("a"):
        v = tf.get_variable("v", [1], initializer=tf.zeros_initializer())
        with tf.variable_scope("b", initializer=tf.ones_initializer()):
            w = tf.get_variable("w", [2])
        c = v + 1.0
    with tf.variable_scope("a", reuse=True):
        same = tf.get_variable("v", [1])
        d = same * 2.0
    with tf.variable_scope(None, default_name="a"):
        e = tf.get_variable("v", [1], initializer=tf.ones_initializer())
    with tf.variable_scope("a", reuse=tf.AUTO_REUSE):
        f = tf.get_variable("v", [1])
    return v, w, c, d, e, same is v, f is v, [x.name for x in (v, w, c, d, e)]


def asserted(tf, x):
    with tf.control_dependencies([tf.Assert(tf.reduce_all(x > -99.0), [x])]):
        return tf.identity(x)


def reuse_of_nothing(tf):
    with tf.variable_scope("a", reuse=True):
        return tf.get_variable("v", [1])


CASES += [
    OpCase("NoOp", [], lambda tf: tf.no_op(name="nothing")),
    OpCase("NoOp", [normal(2)], lambda tf, x: tf.group(x, tf.identity(x), name="all"), "group", misuse=False,
           grad=False),
    OpCase("NoOp", [normal(2), normal(3)], lambda tf, x, y: tf.tuple([x, None, y]), "tuple", misuse=False),
    OpCase("Identity", [normal(2)], depends, "control_dependencies", grad=False, misuse=False),
    OpCase("Identity", [normal(2)], scoped, "name_scope", misuse=False),
    OpCase("Identity", [normal(2)], lambda tf, x: [tf.identity(x, name="n") for _ in range(3)], "unique names",
           misuse=False),
    OpCase("Identity", [normal(2)],
           lambda tf, x: tf.identity(x, "1.a-b/c_d"), "odd name",
           misuse=False),
    OpCase("VariableV2", [], variable_scopes, "variable_scope"),
    Fails("Identity", [normal(2)], lambda tf, x: tf.identity(x, "a b"), "bad name"),
    Fails("Identity", [normal(2)], lambda tf, x: tf.name_scope("-a").__enter__(), "bad scope"),
    Fails("VariableV2", [], reuse_of_nothing, "reuse of nothing"),
    OpCase("StopGradient", [normal(3)], lambda tf, x: x * tf.stop_gradient(x), "half of a product", smooth=False),
    OpCase("Mul", [normal(3)], lambda tf, x: tf.gradients(x * x * x, x), "gradients", WIDE, graph=False, misuse=False),
    OpCase("Mul", [normal(3)], lambda tf, x: tf.gradients(tf.gradients(x * x * x, x), x), "gradients twice",
           graph=False,
           misuse=False),
    OpCase("Mul", [normal(3), normal(3)], lambda tf, x, y: tf.gradients([x * y, x + 0.0], [x, y], grad_ys=[None, y]),
           "grad_ys", graph=False, misuse=False),
    OpCase("Mul", [normal(3), normal(3)], lambda tf, x, y: tf.gradients(x * y * y, [x, y], stop_gradients=[y * y]),
           "stop_gradients", graph=False, misuse=False, grad=False),
    OpCase("Identity", [normal(3), normal(3)], lambda tf, x, y: tf.gradients(tf.identity(x), [x, y])[:1], "unconnected",
           graph=False, misuse=False, grad=False),
    OpCase("Identity", [normal(3), normal(3)],
           lambda tf, x, y: tf.gradients(tf.identity(x), [x, y], unconnected_gradients="zero"), "unconnected zero",
           graph=False, misuse=False, grad=False),
    OpCase("Mul", [normal(3)], lambda tf, x: tf.hessians(tf.reduce_sum(x * x * x), x), "hessians", graph=False,
           misuse=False,
           grad=False),
    OpCase("GatherV2", [normal(4, 2), given([1, 1, 3], "int32")],
           lambda tf, x, i: tf.gradients(tf.gather(x, i) ** 2, x), "gradient is IndexedSlices", graph=False,
           shapes=False, misuse=False),  # ours tell more
    Fails("Mul", [normal(3)], lambda tf, x: tf.gradients(x * x, x, [x, x]), "too many grad_ys"),
    OpCase("Cast", [spread(3)], lambda tf, x: tf.gradients(tf.cast(x, tf.float64) ** 2, x), "gradient through a cast",
           graph=False, misuse=False),
    OpCase("Assert", [normal(2)], asserted, misuse=False, graph=False),  # guarded by a cond there
    Fails("Assert", [given([-1.0])], lambda tf, x: tf.Assert(tf.reduce_all(x > 0), [x]), "fails"),
    OpCase("Print", [normal(2)], lambda tf, x: tf.Print(x, [x], "seen: ") * 2.0, misuse=False),
    OpCase("PyFunc", [normal(2)], lambda tf, x: tf.py_func(lambda a: a * 2, [x], tf.float32), misuse=False, grad=False,
           graph=False, portable=False),  # the token is a process's own
    OpCase("IdentityN", [normal(3)], lambda tf, x: custom(tf)(x), "custom_gradient", smooth=False, misuse=False),
]  # fmt: skip


def custom(tf):
    @tf.custom_gradient
    def triple(x):
        return x * 2.0, lambda dy: dy * 3.0

    return triple
