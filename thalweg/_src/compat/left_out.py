"""What of TensorFlow 1.15's public names is left out, and why: told by errors, `thalweg check` and the tests."""

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
    r"tf\.contrib\.(cloud|bigtable|ffmpeg|hadoop|ignite|kafka|kinesis|libsvm|mpi_collectives|rpc|remote_fused_graph)(\..*)?": "it speaks "
    "to a service or a program outside, or to a device that is gone",
    r"tf\.contrib\.cluster_resolver\.(GCE|Kubernetes|Slurm|Union)\w*(\..*)?": "it asks a cluster's manager",
    r"tf\.contrib\.lite(\..*)?": "models for mobile devices are another product",
    r"tf\.contrib\.(kfac|coder|receptive_field|specs|ndlstm|stat_summarizer|labeled_tensor)(\..*)?": "a library of its own in contrib",
    r"tf\.contrib\.quantization(\..*)?": "the names of tf, by another path",
    r"tf\.contrib\.tpu\..*": "there are no TPU pods",
    r"tf\.contrib\.distribute\..*": "there is one replica",
    r"tf\.contrib\.distributions\.(Autoregressive|BatchReshape|ConditionalDistribution|PoissonLogNormal\w*|VectorDiffeomixture|VectorSinh\w*|quadrature\w*"
    r"|estimator_head\w*)(\..*)?": "not rewritten; tf.contrib.distributions.TransformedDistribution makes distributions of others",
    r"tf\.contrib\.saved_model(\..*)?": "Keras saves its own models: model.save",
    r"tf\.contrib\.timeseries\.StructuralEnsembleRegressor(\..*)?": "state space models are not rewritten; ARRegressor and LSTMs are there",
    r"tf\.contrib\.image\.single_image_random_dot_stereograms": "not rewritten",
    r"tf\.contrib\.autograph\.\w+": "a private part of the converter",
    r"tf\.contrib\.checkpoint\.\w+": "containers of objects are TensorFlow 2's; lists, dicts and tf.train.Checkpoint are tracked",
    r"tf\.contrib\.tfprof\.model_analyzer\.(advise|ALL_ADVICE)": "there is no advice",
}  # fmt: skip


def reason(symbol: str) -> str | None:
    """Why `tf.some.name` is not there, where that is on purpose."""
    return next((why for pattern, why in REASONS.items() if re.fullmatch(pattern, symbol)), None)
