"""Symbols that few programs use: critical sections, maps over rows, labels of CTC, marks and switches."""

from . import After, raised


def critical(tf):
    section, v = (
        tf.CriticalSection(name="only"),
        tf.get_variable("critical", [], initializer=tf.ones_initializer(), use_resource=True),
    )
    changed = section.execute(lambda: (v.assign_add(2.0), tf.constant(5)))
    nested = raised(section.execute, lambda: section.execute(lambda: tf.constant(1)))
    return [section.name, changed, nested]


def mapped(tf):
    pair = (tf.constant([1.0, 2.0]), tf.constant([[1.0, 2.0], [3.0, 4.0]]))
    return [
        tf.vectorized_map(lambda x: x * x + 1.0, pair[1]),
        list(tf.vectorized_map(lambda a: (a[0] + a[1], a[0] > 1.0), pair)),
    ]


def collapsed(tf):
    labels = [[1, 1, 2, 2, 1], [1, 2, 3, 4, 5], [7, 7, 7, 7, 7]]
    return [list(tf.nn.collapse_repeated(labels, [5, 3, 4])), list(tf.nn.collapse_repeated(labels, [0, 0, 0]))]


def unique(tf):
    return list(tf.nn.ctc_unique_labels([[3, 3, 5], [1, 2, 1], [4, 4, 4]]))


def switches(tf):
    c, d = tf.config.experimental, tf.debugging
    found = [c.get_device_policy(), c.get_synchronous_execution(), d.get_log_device_placement()]
    c.set_device_policy("silent")
    c.set_synchronous_execution(True)
    found += [len(tf.config.experimental_list_devices()) > 0, tf.CXX11_ABI_FLAG, tf.MONOLITHIC_BUILD]
    return found + [
        tf.test.is_built_with_gpu_support(),
        tf.test.is_built_with_rocm(),
        tf.GraphKeys.TRAINABLE_RESOURCE_VARIABLES,
    ]


def rewriting(tf):
    a = tf.autograph
    f = a.experimental.do_not_convert(len)
    a.set_verbosity(0)
    features = sorted(f.name for f in a.experimental.Feature)
    return [f([1, 2]), a.experimental.do_not_convert()(len)([1]), features, a.trace("traced")]


def compiled(tf):
    with tf.xla.experimental.jit_scope():
        pair = tf.xla.experimental.compile(lambda x, y: [x + y, x * y], [tf.constant(2), tf.constant(3)])
    return list(pair)


def rows_of_variables(tf):
    rows = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    made = [tf.Variable(rows, use_resource=True) for _ in range(4)]
    delta = tf.IndexedSlices([[4.0, 1.0]], [1])
    names = "scatter_max scatter_min scatter_mul scatter_div".split()
    changes = [getattr(v, name)(delta).op for v, name in zip(made, names)]
    v = tf.Variable(rows, use_resource=True)
    return After(
        [
            made[0].value(),
            made[1].value(),
            made[2].value(),
            made[3].value(),
            v.sparse_read([2, 0]),
            v.gather_nd([[1, 1]]),
        ],
        *changes,
    )


def quantized(tf):
    return sorted(t.name for t in tf.QUANTIZED_DTYPES) + [tf.dtypes.QUANTIZED_DTYPES == tf.QUANTIZED_DTYPES]


def resource_methods(tf):
    v = tf.contrib.eager.Variable(1.0)
    return [raised(v.numpy), callable(tf.contrib.eager.Variable.numpy)]


TABLES = {
    "leftovers": {
        "CriticalSection": critical,
        "vectorized_map": mapped,
        "nn.collapse_repeated": collapsed,
        "nn.ctc_unique_labels": unique,
        "config.experimental_list_devices": switches,
        "autograph.experimental.do_not_convert": rewriting,
        "xla.experimental.compile": compiled,
        "Variable.scatter_max": rows_of_variables,
        "QUANTIZED_DTYPES": quantized,
        "contrib.eager.Variable.numpy": resource_methods,
    },
}
