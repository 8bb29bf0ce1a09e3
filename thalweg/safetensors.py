"""Variables as safetensors files, as PyTorch and JAX users exchange them."""

from thalweg._src.lib.saving.safetensors import load as load
from thalweg._src.lib.saving.safetensors import restore as restore
from thalweg._src.lib.saving.safetensors import save as save
