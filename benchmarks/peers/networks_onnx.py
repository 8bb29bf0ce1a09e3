"""The image networks as ONNX models, which ONNX Runtime and OpenVINO read."""

import numpy as np

from benchmarks.peers.networks import NETWORKS, Layers


class Nodes(Layers):
    """Nodes of an ONNX graph. A value is (its name, its channels)."""

    def __init__(self, onnx):
        super().__init__()
        self.onnx, self.nodes, self.constants = onnx, [], []

    def model(self, network, shape):
        """The model of `network` for images of `shape`, [batch, rows, columns, channels]."""
        floats, helper = self.onnx.TensorProto.FLOAT, self.onnx.helper
        images = self._node("Transpose", ["images"], shape[3], perm=[0, 3, 1, 2])
        out, _ = network(self, images)
        given = helper.make_tensor_value_info("images", floats, shape)
        made = helper.make_tensor_value_info(out, floats, [shape[0], 1000])
        graph = helper.make_graph(self.nodes, "network", [given], [made], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)

    def _node(self, kind, inputs, channels, **attributes):
        name = f"value{len(self.nodes)}"
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [name], **attributes))
        return name, channels

    def _constant(self, array):
        name = f"constant{len(self.constants)}"
        self.constants.append(self.onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def _window(self, size, stride, padding):
        how = {"auto_pad": "SAME_UPPER"} if padding == "SAME" else {}
        return {"kernel_shape": list(size), "strides": [stride, stride], **how}

    def channels(self, x):
        return x[1]

    def convolved(self, x, w, stride, padding):
        filters = self._constant(w.transpose(3, 2, 0, 1))
        return self._node("Conv", [x[0], filters], w.shape[3], **self._window(w.shape[:2], stride, padding))

    def filtered(self, x, w, stride):
        filters = self._constant(w.transpose(2, 3, 0, 1))
        return self._node("Conv", [x[0], filters], x[1], group=x[1], **self._window(w.shape[:2], stride, "SAME"))

    def batch_norm(self, x, *vectors):
        return self._node("BatchNormalization", [x[0], *map(self._constant, vectors)], x[1], epsilon=1e-3)

    def plus(self, x, bias):
        return self._node("Add", [x[0], self._constant(bias[:, None, None])], x[1])

    def product(self, x, w, bias):
        return self._node("Gemm", [x[0], self._constant(w), self._constant(bias)], w.shape[1])

    def relu(self, x):
        return self._node("Relu", [x[0]], x[1])

    def sum(self, x, y):
        return self._node("Add", [x[0], y[0]], x[1])

    def max_pool(self, x, size=3, stride=2, padding="SAME"):
        return self._node("MaxPool", [x[0]], x[1], **self._window((size, size), stride, padding))

    def mean_pool(self, x):
        return self._node("AveragePool", [x[0]], x[1], **self._window((3, 3), 1, "SAME"))

    def mean(self, x):
        return self._node("Flatten", [self._node("GlobalAveragePool", [x[0]], x[1])[0]], x[1])

    def flat(self, x, size):
        turned, _ = self._node("Transpose", [x[0]], x[1], perm=[0, 2, 3, 1])
        return self._node("Flatten", [turned], size)

    def joined(self, *parts):
        return self._node("Concat", [name for name, _ in parts], sum(n for _, n in parts), axis=1)

    def softmax(self, x):
        return self._node("Softmax", [x[0]], x[1], axis=1)


def programs(onnx, loaded):
    """name -> function of a workload that returns its step. `loaded` makes a function of images from the bytes of a model."""

    def program(workload):
        ((shape, _),) = workload.feeds
        run = loaded(Nodes(onnx).model(NETWORKS[workload.size["network"]], shape).SerializeToString())
        return lambda batch: float(run(batch)[0].max())

    return {f"inference/{name}-{n}": program for name in NETWORKS for n in (1, 16)}
