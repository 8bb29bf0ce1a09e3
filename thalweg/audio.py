"""tf.audio: WAV files."""

from thalweg._src.ops.signals.audio import decode_wav as decode_wav
from thalweg._src.ops.signals.audio import encode_wav as encode_wav
