"""`librosa.output` of before librosa 0.8: sound written as WAV."""

from typing import Any

import numpy as np


def write_wav(path: Any, y: Any, sr: int, norm: bool = False) -> None:
    """Write samples ([n], or [channels, n]) at `sr` a second; with `norm`, scaled so that the loudest is 1."""
    from scipy.io import wavfile

    y = np.asarray(y)
    if norm and np.issubdtype(y.dtype, np.floating):
        y = y / max(np.abs(y).max(initial=0.0), np.finfo(y.dtype).tiny)
    wavfile.write(path, sr, y.T)
