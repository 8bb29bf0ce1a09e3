"""Quantization: `tf.quantization`."""

from thalweg._src.ops.nets.fake_quantizing import fake_quant_with_min_max_args as fake_quant_with_min_max_args
from thalweg._src.ops.nets.fake_quantizing import (
    fake_quant_with_min_max_args_gradient as fake_quant_with_min_max_args_gradient,
)
from thalweg._src.ops.nets.fake_quantizing import fake_quant_with_min_max_vars as fake_quant_with_min_max_vars
from thalweg._src.ops.nets.fake_quantizing import (
    fake_quant_with_min_max_vars_gradient as fake_quant_with_min_max_vars_gradient,
)
from thalweg._src.ops.nets.fake_quantizing import (
    fake_quant_with_min_max_vars_per_channel as fake_quant_with_min_max_vars_per_channel,
)
from thalweg._src.ops.nets.fake_quantizing import (
    fake_quant_with_min_max_vars_per_channel_gradient as fake_quant_with_min_max_vars_per_channel_gradient,
)
from thalweg._src.ops.nets.fake_quantizing import quantize_and_dequantize as quantize_and_dequantize
from thalweg._src.ops.nets.quantizing import dequantize as dequantize
from thalweg._src.ops.nets.quantizing import quantize as quantize
from thalweg._src.ops.nets.quantizing import quantized_concat as quantized_concat
