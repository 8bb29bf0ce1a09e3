"""thalweg's worker on a GPU: graphs as a TensorFlow program builds them. `--small` for the small sizes."""

import sys

from benchmarks.gpu.workloads import everything
from benchmarks.peers import graph
from benchmarks.peers.networks import NETWORKS, Graph
from benchmarks.protocol import serve, timed_import


class Trained(Graph):
    """Layers with variables, statistics of the batch, and products in the type of the images."""

    def _variable(self, value, dtype):
        return self.tf.cast(self.tf.Variable(value), dtype)

    def convolved(self, x, w, stride, padding):
        return super().convolved(x, self._variable(w, x.dtype), stride, padding)

    def batch_norm(self, x, scale, offset, mean, variance):
        vectors = self._variable(scale, self.tf.float32), self._variable(offset, self.tf.float32)
        return self.tf.nn.fused_batch_norm(x, *vectors, epsilon=1e-3, is_training=True)[0]

    def product(self, x, w, bias):
        return super().product(x, self._variable(w, x.dtype), self._variable(bias, x.dtype))


class Frozen(Graph):
    """Layers with constants in the type of the images."""

    def convolved(self, x, w, stride, padding):
        return super().convolved(x, self.tf.cast(w, x.dtype), stride, padding)

    def product(self, x, w, bias):
        return super().product(x, self.tf.cast(w, x.dtype), self.tf.cast(bias, x.dtype))


def programs(tf, jax):
    """name -> function of a workload that returns its step."""

    def precise(workload):
        precision = workload.size["precision"]
        jax.config.update("jax_default_matmul_precision", "float32" if precision == "float32" else "tensorfloat32")
        return tf.bfloat16 if precision == "bfloat16" else tf.float32

    def fresh(workload):
        dtype = precise(workload)
        tf.reset_default_graph()
        tf.set_random_seed(1)
        return dtype

    def rate(workload):
        dtype, side = fresh(workload), workload.size["side"]
        a, b = (tf.Variable(tf.cast(tf.random_normal([side, side], stddev=side**-0.5), dtype)) for _ in range(2))
        turn = lambda i, x: (i + 1, tf.matmul(a, x))
        _, last = tf.while_loop(lambda i, x: i < workload.size["turns"], turn, (0, b.read_value()))
        return fetching(tf.cast(last[0, 0], tf.float32))

    def bandwidth(workload):
        tf.reset_default_graph()
        x = tf.Variable(tf.ones([workload.size["count"]]))
        turn = lambda i, x: (i + 1, x * 0.5 + 1.0)
        _, last = tf.while_loop(lambda i, x: i < workload.size["turns"], turn, (0, x.read_value()))
        return fetching(last[0])

    def fetching(value):
        session = tf.Session()
        session.run(tf.global_variables_initializer())
        return lambda: float(session.run(value))

    def network(workload):
        dtype, trained = fresh(workload), workload.size["trained"]
        feeds = [tf.placeholder(tf.float32 if len(shape) > 1 else tf.int32, shape) for shape, _ in workload.feeds]
        net = (Trained if trained else Frozen)(tf)
        if not trained:
            out = tf.cast(tf.reduce_max(NETWORKS[workload.size["network"]](net, tf.cast(feeds[0], dtype))), tf.float32)
            session = tf.Session()
            return lambda *arrays: float(session.run(out, dict(zip(feeds, arrays, strict=True))))
        net.softmax = lambda x: x
        logits = tf.cast(NETWORKS[workload.size["network"]](net, tf.cast(feeds[0], dtype)), tf.float32)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=feeds[1], logits=logits))
        train = tf.train.MomentumOptimizer(0.01, 0.9).minimize(loss)
        session = tf.Session()
        session.run(tf.global_variables_initializer())
        return lambda *arrays: float(session.run([train, loss], dict(zip(feeds, arrays, strict=True)))[1])

    def of_precision(build):
        def program(workload):
            precise(workload)
            return build(workload)

        return program

    ready = graph.programs(tf)
    found = {name: network for name in everything(False) if name.startswith(("resnet", "inception"))}
    found |= {name: rate for name in everything(False) if name.startswith("rate")}
    return found | {"bandwidth": bandwidth} | {name: of_precision(ready[name]) for name in ("digits", "lstm")}


def main():
    tf, seconds = timed_import("thalweg")
    import jax
    from thalweg._src.version import __version__

    facts = {"peer": "thalweg", "version": __version__, "imported": seconds, "device": jax.devices()[0].device_kind}
    serve(facts, programs(tf, jax), everything("--small" in sys.argv))


if __name__ == "__main__":
    main()
