"""tf.contrib.signal: frames of signals and their spectra."""

from thalweg._src.ops.signals.frames import frame as frame
from thalweg._src.ops.signals.frames import frame as frames
from thalweg._src.ops.signals.frames import hamming_window as hamming_window
from thalweg._src.ops.signals.frames import hann_window as hann_window
from thalweg._src.ops.signals.frames import overlap_and_add as overlap_and_add
from thalweg._src.ops.signals.spectra import inverse_stft as inverse_stft
from thalweg._src.ops.signals.spectra import inverse_stft_window_fn as inverse_stft_window_fn
from thalweg._src.ops.signals.spectra import linear_to_mel_weight_matrix as linear_to_mel_weight_matrix
from thalweg._src.ops.signals.spectra import mfccs_from_log_mel_spectrograms as mfccs_from_log_mel_spectrograms
from thalweg._src.ops.signals.spectra import stft as stft
