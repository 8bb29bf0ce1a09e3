"""Records of variables and of the ops that write them, of both kinds of variable."""

from cases.base import EVERY, Fails, OpCase, Steps, given, normal, raw

CASES = []


def variable(tf, value=((1.0, 2.0), (3.0, 4.0), (5.0, 6.0)), **more):
    return tf.Variable(tf.constant(value), name=more.pop("name", "v"), **more)


def resource(tf, value=((1.0, 2.0), (3.0, 4.0), (5.0, 6.0)), **more):
    return variable(tf, value, use_resource=True, **more)


CASES += [
    OpCase("VariableV2", [], lambda tf: variable(tf)),
    OpCase("VariableV2", [], lambda tf: (tf.Variable(3), tf.Variable([1.0, 2]), tf.Variable("ab"), tf.Variable(True)),
           "python values"),
    OpCase("VariableV2", [], lambda tf: tf.Variable([1, 2], dtype=tf.float32, trainable=False, name="named"),
           "arguments"),
    OpCase("VariableV2", [], lambda tf: tf.Variable(lambda: tf.ones([2, 3]), dtype=tf.float32), "callable"),
    OpCase("VariableV2", [], lambda tf: tf.get_variable("w", initializer=tf.constant([1.0, 2])), "get_variable"),
    OpCase("VariableV2", [], lambda tf: tf.get_variable("w", [2, 3], initializer=tf.zeros_initializer()), "zeros"),
    OpCase("VariableV2", [], lambda tf: tf.get_variable("w", [2], tf.int32, tf.constant_initializer([4, 5])),
           "constant"),
    OpCase("VariableV2", [normal(2, 3)], lambda tf, x: tf.Variable(tf.placeholder_with_default(tf.ones([2]), None),
           validate_shape=False).get_shape(), "validate_shape", grad=False, misuse=False),
    OpCase("VariableV2", [], lambda tf: (variable(tf).initialized_value() * 2.0), "initialized_value", graph=False),
    OpCase("VariableV2", [], lambda tf: (variable(tf) + 1.0, variable(tf)[1], -variable(tf)), "operators",
           misuse=False),
    OpCase("VarHandleOp", [], lambda tf: resource(tf)),
    OpCase("ReadVariableOp", [], lambda tf: resource(tf).read_value(), misuse=False),
    OpCase("ReadVariableOp", [], lambda tf: (resource(tf) + 1.0, resource(tf)[1], tf.square(resource(tf))),
           "operators"),
    Fails("VariableV2", [], lambda tf: tf.Variable(tf.placeholder(tf.float32)), "unknown shape"),
    Fails("VariableV2", [], lambda tf: tf.Variable(), "no value"),
    Fails("VariableV2", [], lambda tf: tf.get_variable("w"), "get_variable without shape"),
    Fails("VariableV2", [], lambda tf: [tf.get_variable("w", [2]), tf.get_variable("w", [2])], "twice"),
    Fails("VariableV2", [], lambda tf: iter(variable(tf)), "iterated"),
    Fails("VariableV2", [], lambda tf: tf.Variable([1.0], dtype=tf.int32), "wrong dtype"),
]  # fmt: skip

# Writes: each step runs alone, the last reads.
for kind, make in (("", variable), ("resource", resource)):

    def after(call, make=make):
        """The value of what `call(tf, v, *xs)` gives, then of the variable."""

        def build(tf, *xs):
            v = make(tf)
            out = call(tf, v, *xs)
            return Steps(*(list(out) if isinstance(out, (list, tuple)) else [out]), tf.identity(v))

        return build

    op = {"": "", "resource": "VariableOp"}[kind]
    label = (lambda text, kind=kind: (kind + " " + text).strip()) if kind else (lambda text: text)
    row = [given([[7.0, 8], [9, 10]], "float32"), given([2, 0], "int32")]
    scatter = {"": "Scatter%s", "resource": "ResourceScatter%s"}[kind]
    CASES += [
        OpCase("Assign" + op, [normal(3, 2)], after(lambda tf, v, x: tf.assign(v, x)), label("assign"), grad=False),
        OpCase("Assign" + op, [normal(3, 2)], after(lambda tf, v, x: v.assign(x)), label("method"), grad=False),
        OpCase("AssignAdd" + op, [normal(3, 2)], after(lambda tf, v, x: [tf.assign_add(v, x)] * 2), label("add"),
               grad=False),
        OpCase("AssignSub" + op, [normal(3, 2)], after(lambda tf, v, x: v.assign_sub(x)), label("sub"), grad=False),
        OpCase("Assign" + op, [], after(lambda tf, v: [v.assign(tf.zeros([3, 2])), tf.global_variables_initializer()]),
               label("initialize again")),
        Fails("Assign" + op, [normal(2, 2)], after(lambda tf, v, x: tf.assign(v, x)), label("another shape")),
        Fails("AssignAdd" + op, [normal(2, 2)], after(lambda tf, v, x: tf.assign_add(v, x)),
              label("add another shape")),
        Fails("Assign" + op, [given([1], "int32")], after(lambda tf, v, x: tf.assign(v, x)), label("another dtype")),
        OpCase(scatter % "Update", row, after(lambda tf, v, x, i: tf.scatter_update(v, i, x)), label(""), grad=False),
        OpCase(scatter % "Add", row, after(lambda tf, v, x, i: tf.scatter_add(v, i, x)), label(""), grad=False),
        OpCase(scatter % "Sub", row, after(lambda tf, v, x, i: tf.scatter_sub(v, i, x)), label(""), grad=False),
        OpCase(scatter % "Mul", row, after(lambda tf, v, x, i: tf.scatter_mul(v, i, x)), label(""), grad=False),
        OpCase(scatter % "Div", row, after(lambda tf, v, x, i: tf.scatter_div(v, i, x)), label(""), grad=False),
        OpCase(scatter % "Max", row, after(lambda tf, v, x, i: tf.scatter_max(v, i, x)), label(""), grad=False),
        OpCase(scatter % "Min", row, after(lambda tf, v, x, i: tf.scatter_min(v, i, x)), label(""), grad=False),
        OpCase(scatter % "Add", [given([[7.0, 8], [9, 10]]), given([1, 1], "int32")],
               after(lambda tf, v, x, i: tf.scatter_add(v, i, x)), label("same row twice"), grad=False),
        OpCase(scatter % "NdUpdate" if not kind else "ResourceScatterNdUpdate",
               [given([7.0, 8]), given([[2, 0], [0, 1]], "int32")],
               after(lambda tf, v, x, i: tf.scatter_nd_update(v, i, x)), label(""), grad=False),
        OpCase(scatter % "NdAdd" if not kind else "ResourceScatterNdAdd",
               [given([7.0, 8]), given([[2, 0], [0, 1]], "int32")],
               after(lambda tf, v, x, i: tf.scatter_nd_add(v, i, x)), label(""), grad=False),
        Fails(scatter % "Add", [normal(1, 2), given([3], "int32")], after(lambda tf, v, x, i: tf.scatter_add(v, i, x)),
              label("out of range")),
        OpCase("IsVariableInitialized" if not kind else "VarIsInitializedOp", [],
               after(lambda tf, v: tf.is_variable_initialized(v)), label("")),
        OpCase("StridedSliceAssign" if not kind else "ResourceStridedSliceAssign", [normal(2, 2)],
               after(lambda tf, v, x: v[1:].assign(x)), label(""), grad=False),
    ]  # fmt: skip

CASES += [
    OpCase("CountUpTo", [], lambda tf: (lambda v: Steps(tf.count_up_to(v, 3), v.count_up_to(3), v.initializer, v))(
           tf.Variable(0))),
    Fails("CountUpTo", [], lambda tf: tf.count_up_to(tf.Variable(3), 3), "at its limit"),
    OpCase("Assign", [given([1.5])], lambda tf, x: tf.assign(tf.Variable(tf.zeros([1], x.dtype)), x), "dtypes", EVERY,
           grad=False, misuse=False),
    OpCase("Assign", [], lambda tf: tf.assign(tf.Variable([1.0, 2]), [[3.0]], validate_shape=False), "new shape"),
    OpCase("AssignAddVariableOp", [],
           lambda tf: (lambda v: Steps(v.assign_add(1.0), v.assign_add(1.0), v.read_value()))(
           resource(tf, 0.0)), "two steps"),
    OpCase("Assign", [], lambda tf: (lambda v: Steps(v.assign(5.0).op, v))(variable(tf, 1.0)), "an operation"),
    OpCase("NoOp", [], lambda tf: Steps(tf.no_op(), tf.group(variable(tf, 1.0).assign(2.0)))),
]  # fmt: skip


# The update rules of optimizers: two steps from the same start, dense and sparse.
def trained(make, rows=None):
    def build(tf, *xs):
        v = make(tf)
        g = tf.constant([[0.5, -1.0], [0.25, 0.0], [-2.0, 4.0]]) if rows is None else None
        g = g if g is not None else tf.IndexedSlices(tf.constant([[0.5, -1.0], [0.25, 0.0]]), tf.constant(rows), [3, 2])
        optimizer = build.optimizer(tf)
        step = optimizer.apply_gradients([(g, v)])
        slots = [optimizer.get_slot(v, s) for s in optimizer.get_slot_names()]
        return Steps(step, step, [tf.identity(v)] + [tf.identity(s) for s in slots])

    return build


RULES = {
    "GradientDescent": lambda tf: tf.train.GradientDescentOptimizer(0.1),
    "Momentum": lambda tf: tf.train.MomentumOptimizer(0.1, 0.9),
    "Momentum nesterov": lambda tf: tf.train.MomentumOptimizer(0.1, 0.9, use_nesterov=True),
    "Adam": lambda tf: tf.train.AdamOptimizer(0.1),
    "Adagrad": lambda tf: tf.train.AdagradOptimizer(0.1),
    "RMSProp": lambda tf: tf.train.RMSPropOptimizer(0.1, momentum=0.5),
    "CenteredRMSProp": lambda tf: tf.train.RMSPropOptimizer(0.1, centered=True),
    "Adadelta": lambda tf: tf.train.AdadeltaOptimizer(0.5),
    "Ftrl": lambda tf: tf.train.FtrlOptimizer(0.1, l1_regularization_strength=0.01, l2_regularization_strength=0.02),
    "ProximalGradientDescent": lambda tf: tf.train.ProximalGradientDescentOptimizer(0.1, 0.01, 0.02),
    "ProximalAdagrad": lambda tf: tf.train.ProximalAdagradOptimizer(0.1, 0.1, 0.01, 0.02),
    "AdagradDA": lambda tf: tf.train.AdagradDAOptimizer(0.1, tf.train.create_global_step()),
}
for rule, optimizer in RULES.items():
    for kind, make in (("", variable), ("resource", resource)):
        for rows in (None, [2, 0]):
            build = trained(make, rows)
            build.optimizer = optimizer
            name = rule.split()[0]
            if name == "GradientDescent" and rows:
                op = "ResourceScatterAdd" if kind else "ScatterSub"
            elif name == "Adam" and rows:
                op = "ResourceScatterAdd" if kind else "ScatterAdd"
            else:
                op = ("Resource" if kind else "") + ("Sparse" if rows else "") + "Apply" + name
            words = [rule.split()[-1] if " " in rule else "", "of " + rule if op.endswith(("Add", "Sub")) else ""]
            CASES.append(OpCase(op, [], build, " ".join(w for w in words if w), tol=2))


# Update rules that no optimizer of tf.train uses: two steps, then the variable and its slots.
SCALARS = {
    "AdaMax": (["m", "v"], {"beta1_power": 0.9, "lr": 0.1, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-3}),
    "AdagradV2": (["accum"], {"lr": 0.1, "epsilon": 1e-3}),
    "AddSign": (["m"], {"lr": 0.1, "alpha": 1.0, "sign_decay": 0.9, "beta": 0.9}),
    "PowerSign": (["m"], {"lr": 0.1, "logbase": 1.0, "sign_decay": 0.9, "beta": 0.9}),
    "FtrlV2": (
        ["accum", "linear"],
        {"lr": 0.1, "l1": 0.01, "l2": 0.02, "l2_shrinkage": 0.1, "lr_power": -0.5},
    ),
    "AdamWithAmsgrad": (
        ["m", "v", "vhat"],
        {"beta1_power": 0.9, "beta2_power": 0.99, "lr": 0.1, "beta1": 0.9, "beta2": 0.99, "epsilon": 1e-3},
    ),
    "KerasMomentum": (["accum"], {"lr": 0.1, "momentum": 0.9}),
}


def stepped(rule, kind, rows):
    slots, scalars = SCALARS[rule]

    def build(tf):
        variables = [tf.Variable(tf.constant(x), use_resource=bool(kind)) for x in [[[1.0, 2.0], [3.0, 4.0]]]]
        variables += [tf.Variable(tf.fill([2, 2], 0.25), use_resource=bool(kind)) for _ in slots]
        handles = [v.handle if kind else v._ref() for v in variables]
        args = dict(zip(["var"] + slots, handles))
        args.update((k, tf.constant(x)) for k, x in scalars.items())
        args["grad"] = tf.constant([[0.5, -1.0]] if rows else [[0.5, -1.0], [0.25, 0.0]])
        if rows:
            args["indices"] = tf.constant([1])
        step = raw(tf, kind + ("Sparse" if rows else "") + "Apply" + rule, **args)
        step = step if kind else step.op
        return Steps(step, step, [tf.identity(v) for v in variables])

    return build


for rule, kind, rows in (
    ("AdaMax", "", False),
    ("AdaMax", "Resource", False),
    ("AdagradV2", "", False),
    ("AdagradV2", "", True),
    ("AdagradV2", "Resource", False),
    ("AdagradV2", "Resource", True),
    ("AddSign", "", False),
    ("AddSign", "Resource", False),
    ("PowerSign", "", False),
    ("PowerSign", "Resource", False),
    ("FtrlV2", "", False),
    ("FtrlV2", "", True),
    ("FtrlV2", "Resource", False),
    ("FtrlV2", "Resource", True),
    ("AdamWithAmsgrad", "Resource", False),
    ("KerasMomentum", "Resource", False),
    ("KerasMomentum", "Resource", True),
):
    CASES.append(OpCase(kind + ("Sparse" if rows else "") + "Apply" + rule, [], stepped(rule, kind, rows), tol=2))
CASES += [
    OpCase(
        "ScatterNdSub",
        [given([7.0, 8]), given([[2, 0], [0, 1]], "int32")],
        lambda tf, x, i: (lambda v: Steps(tf.scatter_nd_sub(v, i, x), tf.identity(v)))(variable(tf)),
        grad=False,
    ),
    OpCase(
        "ResourceScatterNdSub",
        [given([7.0, 8]), given([[2, 0], [0, 1]], "int32")],
        lambda tf, x, i: (lambda v: Steps(tf.scatter_nd_sub(v, i, x), tf.identity(v)))(resource(tf)),
        grad=False,
    ),
]
