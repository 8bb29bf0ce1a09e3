"""tf.signal: Fourier transforms and frames."""

from thalweg._src.ops.signals.fft import fft as fft
from thalweg._src.ops.signals.fft import fft2d as fft2d
from thalweg._src.ops.signals.fft import fft3d as fft3d
from thalweg._src.ops.signals.fft import fftshift as fftshift
from thalweg._src.ops.signals.fft import ifft as ifft
from thalweg._src.ops.signals.fft import ifft2d as ifft2d
from thalweg._src.ops.signals.fft import ifft3d as ifft3d
from thalweg._src.ops.signals.fft import ifftshift as ifftshift
from thalweg._src.ops.signals.fft import irfft as irfft
from thalweg._src.ops.signals.fft import irfft2d as irfft2d
from thalweg._src.ops.signals.fft import irfft3d as irfft3d
from thalweg._src.ops.signals.fft import rfft as rfft
from thalweg._src.ops.signals.fft import rfft2d as rfft2d
from thalweg._src.ops.signals.fft import rfft3d as rfft3d
from thalweg._src.ops.signals.frames import frame as frame
from thalweg._src.ops.signals.frames import hamming_window as hamming_window
from thalweg._src.ops.signals.frames import hann_window as hann_window
from thalweg._src.ops.signals.frames import overlap_and_add as overlap_and_add
from thalweg._src.ops.signals.spectra import dct as dct
from thalweg._src.ops.signals.spectra import idct as idct
from thalweg._src.ops.signals.spectra import inverse_stft as inverse_stft
from thalweg._src.ops.signals.spectra import inverse_stft_window_fn as inverse_stft_window_fn
from thalweg._src.ops.signals.spectra import linear_to_mel_weight_matrix as linear_to_mel_weight_matrix
from thalweg._src.ops.signals.spectra import mfccs_from_log_mel_spectrograms as mfccs_from_log_mel_spectrograms
from thalweg._src.ops.signals.spectra import stft as stft
