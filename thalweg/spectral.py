"""tf.spectral: Fourier transforms, as they were called until 1.13."""

from thalweg._src.ops.signals.fft import fft as fft
from thalweg._src.ops.signals.fft import fft2d as fft2d
from thalweg._src.ops.signals.fft import fft3d as fft3d
from thalweg._src.ops.signals.fft import ifft as ifft
from thalweg._src.ops.signals.fft import ifft2d as ifft2d
from thalweg._src.ops.signals.fft import ifft3d as ifft3d
from thalweg._src.ops.signals.fft import irfft as irfft
from thalweg._src.ops.signals.fft import irfft2d as irfft2d
from thalweg._src.ops.signals.fft import irfft3d as irfft3d
from thalweg._src.ops.signals.fft import rfft as rfft
from thalweg._src.ops.signals.fft import rfft2d as rfft2d
from thalweg._src.ops.signals.fft import rfft3d as rfft3d
from thalweg._src.ops.signals.spectra import dct as dct
from thalweg._src.ops.signals.spectra import idct as idct
