"""Records of sound: spectrograms and cepstral coefficients. One channel: of several, TensorFlow 1.15 counts the windows wrongly."""

from cases.base import Fails, OpCase, given, normal, raw

SOUND = normal(2000, 1, dtype="float32")


def spectrogram(tf, x, size=256, stride=100, squared=True):
    return raw(tf, "AudioSpectrogram", input=x, window_size=size, stride=stride, magnitude_squared=squared)


CASES = [
    OpCase("AudioSpectrogram", [SOUND], lambda tf, x: spectrogram(tf, x), "", grad=False, tol=50),
    OpCase("AudioSpectrogram", [SOUND], lambda tf, x: spectrogram(tf, x, 300, 64, False), "root", grad=False, tol=50),
    OpCase("AudioSpectrogram", [SOUND], lambda tf, x: spectrogram(tf, x, 4000), "too_short", grad=False),
    Fails("AudioSpectrogram", [SOUND], lambda tf, x: spectrogram(tf, x, 1), "window of one"),
    OpCase(
        "Mfcc",
        [SOUND, given(16000, "int32")],
        lambda tf, x, r: raw(tf, "Mfcc", spectrogram=spectrogram(tf, x), sample_rate=r),
        "",
        grad=False,
        tol=50,
    ),
    OpCase(
        "Mfcc",
        [SOUND, given(8000, "int32")],
        lambda tf, x, r: raw(
            tf,
            "Mfcc",
            spectrogram=spectrogram(tf, x, 400),
            sample_rate=r,
            upper_frequency_limit=3000.0,
            lower_frequency_limit=100.0,
            filterbank_channel_count=20,
            dct_coefficient_count=20,
        ),
        "attrs",
        grad=False,
        tol=50,
    ),
]
