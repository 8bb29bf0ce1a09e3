"""tf.signal: Fourier transforms and frames."""

from thalweg._src.ops.fft import fft as fft
from thalweg._src.ops.fft import fft2d as fft2d
from thalweg._src.ops.fft import fft3d as fft3d
from thalweg._src.ops.fft import fftshift as fftshift
from thalweg._src.ops.fft import ifft as ifft
from thalweg._src.ops.fft import ifft2d as ifft2d
from thalweg._src.ops.fft import ifft3d as ifft3d
from thalweg._src.ops.fft import ifftshift as ifftshift
from thalweg._src.ops.fft import irfft as irfft
from thalweg._src.ops.fft import irfft2d as irfft2d
from thalweg._src.ops.fft import irfft3d as irfft3d
from thalweg._src.ops.fft import rfft as rfft
from thalweg._src.ops.fft import rfft2d as rfft2d
from thalweg._src.ops.fft import rfft3d as rfft3d
