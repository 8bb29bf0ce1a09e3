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


def branches(tf, x, p):
    """A branch that captures, one that makes a constant, and one inside the other."""
    return tf.cond(
        p, lambda: (x * 2.0, tf.reduce_sum(x)), lambda: (x - 1.0, tf.cond(x[0] > 0.0, lambda: 3.0, lambda: x[1] * x[1]))
    )


def turns(tf, x, n):
    """A loop whose number of turns is fed: x <- x * tanh(x) + i."""
    _, y = tf.while_loop(lambda i, a: i < n, lambda i, a: (i + 1, a * tf.tanh(x) + tf.cast(i, x.dtype)), [0, x])
    return y


def powers(tf, x):
    """A loop whose turns can be counted, with a variable that grows."""
    _, y = tf.while_loop(
        lambda i, a: i < 3,
        lambda i, a: (i + 1, tf.concat([a, [a[-1] * x[0]]], 0)),
        [0, x],
        shape_invariants=[tf.TensorShape([]), tf.TensorShape([None])],
    )
    return y


# TensorFlow 1.15 makes Switch, Merge, Enter and Exit, thalweg If and While: the nodes are others on purpose.
FLOW = {"graph": False, "misuse": False}
CASES += [
    OpCase("Merge", [normal(3), given(True, "bool")], branches, "cond true", ("float32", "float64"), **FLOW),
    OpCase("Merge", [normal(3), given(False, "bool")], branches, "cond false", ("float32", "float64"), **FLOW),
    OpCase("Merge", [normal(3)], lambda tf, x: tf.cond(tf.constant(True), lambda: x, lambda: x * x), "cond known", **FLOW),
    OpCase("Merge", [normal(3)], lambda tf, x: tf.case(
        [(x[0] > 9.0, lambda: x), (x[1] > -9.0, lambda: x * 2.0)], default=lambda: -x), "case", **FLOW),
    OpCase("Exit", [normal(3), given(4, "int32")], turns, "while", ("float32", "float64"), tol=5, **FLOW),
    OpCase("Exit", [normal(3), given(0, "int32")], turns, "while not at all", **FLOW),
    OpCase("Exit", [normal(2)], powers, "while that grows", **FLOW),
    OpCase("Exit", [normal(3)], lambda tf, x: tf.while_loop(
        lambda a: tf.reduce_sum(tf.abs(a)) > 0.1, lambda a: a * 0.5, [x]), "while by value", smooth=False, **FLOW),
    *[OpCase("Case", [normal(3), given(n, "int32")], lambda tf, x, n: tf.switch_case(
        n, [lambda: x * 2.0, lambda: tf.exp(x), lambda: x * x], default=lambda: -x), "number %d" % n, WIDE, graph=False,
        misuse=False, shapes=False) for n in (-1, 0, 2, 7)],
    Fails("Case", [normal(3)], lambda tf, x: tf.switch_case(tf.constant(0), {1: lambda: x}), "numbers"),
    Fails("Case", [normal(3)], lambda tf, x: tf.switch_case(0, [lambda: x]), "no tensor"),
    Fails("Merge", [normal(3)], lambda tf, x: tf.cond(x[0] > 0.0, lambda: x, lambda: (x, x)), "other structure"),
    Fails("Merge", [normal(3)], lambda tf, x: tf.cond(x[0] > 0.0, lambda: x, lambda: 1), "other dtypes"),
    Fails("Merge", [normal(3)], lambda tf, x: tf.cond(True, lambda: x, lambda: x), "Python bool"),
    Fails("Merge", [normal(3)], lambda tf, x: tf.cond(x[0] > 0.0, x, x), "no functions"),
    Fails("Merge", [normal(3)], lambda tf, x: tf.cond(x[0], lambda: x, lambda: x), "float predicate"),
    Fails("Exit", [normal(3)], lambda tf, x: tf.while_loop(
        lambda i, a: i < 3, lambda i, a: (i + 1, tf.concat([a, a], 0)), [0, x]), "shape changes"),
    Fails("Exit", [normal(3)], lambda tf, x: tf.while_loop(lambda a: True, lambda a: (a, a), [x]), "other structure"),
    Fails("Exit", [], lambda tf: tf.while_loop(lambda: True, lambda: (), []), "no variables"),
]  # fmt: skip
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
           shapes=False, misuse=False,
           grad=False),  # the shape of x must be known here
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
