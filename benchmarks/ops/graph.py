"""The cases as TensorFlow 1 graphs, for TensorFlow 1.15, 2.21 (compat.v1) and thalweg."""

import numpy as np

from benchmarks.ops.cases import WORKLOADS
from benchmarks.workloads import array


def programs(tf):
    """name -> function of a workload that returns its step."""

    def build(workload):
        case, random = workload.size["case"], np.random.RandomState(7)
        tf.reset_default_graph()
        inputs = [tf.Variable(array(random, *i)) for i in case.inputs]
        result = case.graph(tf, *inputs)
        if case.gradient:
            g = tf.Variable(array(random, result.get_shape().as_list(), "normal"))
            result = tf.gradients(result, [x for x in inputs if x.dtype.base_dtype == tf.float32], g)
            result = [r for r in result if r is not None]  # labels have none
        s = tf.Session()
        s.run(tf.global_variables_initializer())
        return lambda: len(s.run([result]))

    return {workload.name: build for workload in WORKLOADS}
