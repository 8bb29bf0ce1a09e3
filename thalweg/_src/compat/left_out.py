"""What of TensorFlow 1.15's public names outside of contrib is left out, and why: told by errors, `thalweg check` and the tests."""

import re

# A pattern over the whole symbol, `tf.` included: the first that fits tells.
REASONS = {
    r"tf\.(data\.experimental\.)?TensorArray(Spec|Structure)(\..*)?": "TensorArrays as components of elements are TensorFlow 2's",
    r"tf\.distribute\..*": "there is one replica",
    r"tf\.(estimator\.)?tpu\..*": "there are no TPU pods",
    r"tf\.lite\..*": "models for mobile devices are another product",
    r"tf\.(config\.experimental_(connect|run)\w*|experimental(\..*)?)": "it steers the eager execution of TensorFlow 2",
    r"tf\.random\.experimental(\..*)?": "generators with a state of their own are TensorFlow 2's; tf.random.stateless_uniform takes a seed",
    r"tf\.(saved_model\.(experimental|save|load_v2)|train\.experimental\.PythonState|wrap_function)(\..*)?": "an object of TensorFlow 2",
    r"tf\.train\.do_quantize_training_on_graphdef": "tf.contrib.quantize rewrites graphs",
    r"tf\.(nn\.quantized_relu_x|raw_ops\.QuantizedReluX)": "TensorFlow 1.15 has no kernel for it",
    r"tf\.profiler\.(Profiler\.)?(advise|serialize_to_string)": "there is no advice, and no profile in a file",
    r"tf\.raw_ops\..*(TPU|Infeed|Outfeed|Prelinearize|CrossReplica|AllToAll|CollectivePermute|WorkerHeartbeat).*": "there are no TPU pods",
    r"tf\.raw_ops\.(Cudnn|Nccl|Collective).*": "it is a library's of NVIDIA, or of several devices; tf.contrib.cudnn_rnn has the layers",
    r"tf\.raw_ops\.(Empty)?TensorList.*": "lists of tensors are TensorFlow 2's; TensorArrays do their work",
    r"tf\.raw_ops\.(Batch(Cholesky|FFT|IFFT|Matrix|SelfAdjoint|Svd).*|SelfAdjointEig|MatrixExponential|TileGrad|RandomCrop|AdjustContrast"
    r"|TensorArray(Un)?[Pp]ack|PlaceholderV2|QuantizedBatchNormWithGlobalNormalization)": "TensorFlow 1.15 refuses it as removed",
    r"tf\.raw_ops\.(\w*Stateful\w*(Normal|Uniform\w*|Binomial)\w*|RngSkip|NonDeterministicInts)": "generators with a state",
    r"tf\.raw_ops\.Quantized.*|tf\.raw_ops\.Requantiz.*PerChannel": "it is made for Intel's processors by a rewriting of graphs",
}  # fmt: skip


def reason(symbol: str) -> str | None:
    """Why `tf.some.name` is not there, where that is on purpose."""
    return next((why for pattern, why in REASONS.items() if re.fullmatch(pattern, symbol)), None)
