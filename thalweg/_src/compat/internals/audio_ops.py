"""tensorflow.contrib.framework.python.ops.audio_ops, and python.ops.gen_audio_ops."""

from thalweg._src.ops.signals.audio import decode_wav as decode_wav
from thalweg._src.ops.signals.audio import encode_wav as encode_wav
from thalweg._src.ops.signals.spectrograms import audio_spectrogram as audio_spectrogram
from thalweg._src.ops.signals.spectrograms import mfcc as mfcc
