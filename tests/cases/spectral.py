"""Records of tf.signal: Fourier and cosine transforms, frames, windows, spectra over time, the mel scale."""

from cases.base import COMPLEX, Fails, OpCase, normal

CASES = []
for word, shape in (("fft", (2, 5)), ("fft2d", (2, 4, 3)), ("fft3d", (2, 3, 4, 3))):
    CASES += [
        OpCase(word.upper(), [normal(*shape)], lambda tf, x, f=word: getattr(tf.signal, f)(x), "", COMPLEX, tol=20),
        OpCase("I" + word.upper(), [normal(*shape)], lambda tf, x, f="i" + word: getattr(tf.signal, f)(x), "", COMPLEX,
               tol=20),
    ]  # fmt: skip
for n, (word, shape) in enumerate((("rfft", (2, 6)), ("rfft2d", (2, 4, 6)), ("rfft3d", (2, 4, 3, 6)))):
    has_gradient = n < 2  # there is none of three axes
    CASES += [
        OpCase(word.upper(), [normal(*shape)], lambda tf, x, f=word: getattr(tf.signal, f)(x), "", grad=has_gradient,
               smooth=False, tol=20, misuse=False),
        OpCase("I" + word.upper(), [normal(*shape)],
               lambda tf, x, f="i" + word, lengths=shape[1:-1] + (10,): getattr(tf.signal, f)(x, lengths), "",
               ("complex64",), grad=has_gradient, smooth=False, tol=20, misuse=False),
    ]  # fmt: skip
CASES += [
    OpCase("RFFT", [normal(2, 5)], lambda tf, x: tf.signal.rfft(x), "odd", smooth=False, tol=20, misuse=False),
    OpCase("RFFT", [normal(2, 5)], lambda tf, x: tf.signal.rfft(x, [8]), "longer", grad=False, tol=20, misuse=False),
    OpCase("RFFT", [normal(2, 9)], lambda tf, x: tf.signal.rfft(x, [4]), "shorter", grad=False, tol=20, misuse=False),
    OpCase("IRFFT", [normal(2, 4)], lambda tf, x: tf.signal.irfft(x, [7]), "odd", ("complex64",), smooth=False, tol=20,
           misuse=False),
    Fails("FFT2D", [normal(3)], lambda tf, x: tf.signal.fft2d(tf.cast(x, tf.complex64)), "a vector"),
    OpCase("Roll", [normal(5)], lambda tf, x: (tf.signal.fftshift(x), tf.signal.ifftshift(x)), "fftshift",
           misuse=False),
    OpCase("RFFT", [normal(2, 5)], lambda tf, x: [tf.signal.dct(x, type=n) for n in (1, 2, 3)], "dct", smooth=False,
           tol=20, misuse=False),
    OpCase("RFFT", [normal(2, 5)], lambda tf, x: [tf.signal.idct(x, type=n) for n in (1, 2, 3)], "idct", smooth=False,
           tol=20, misuse=False),
    OpCase("RFFT", [normal(2, 5)], lambda tf, x: tf.signal.dct(x, norm="ortho"), "dct ortho", tol=20, misuse=False),
    # 1.15 gathers pieces of frames; here whole frames are gathered.
    OpCase("GatherV2", [normal(2, 9)], lambda tf, x: tf.signal.frame(x, 4, 2), "frame", graph=False, misuse=False),
    OpCase("GatherV2", [normal(9, 2)], lambda tf, x: tf.signal.frame(x, 4, 3, pad_end=True, pad_value=1.5, axis=0),
           "frame pad_end", graph=False, misuse=False),
    OpCase("Reshape", [normal(2, 3, 4)], lambda tf, x: tf.signal.overlap_and_add(x, 2), "overlap_and_add", graph=False,
           misuse=False),
    OpCase("Reshape", [normal(2, 3, 4)], lambda tf, x: tf.signal.overlap_and_add(x, 4), "no overlap", graph=False,
           misuse=False),
    OpCase("RFFT", [normal(2, 20)], lambda tf, x: tf.signal.stft(x, 6, 3), "stft", grad=False, tol=20, graph=False,
           misuse=False),
    OpCase("IRFFT", [normal(2, 20)], lambda tf, x: tf.signal.inverse_stft(
               tf.signal.stft(x, 8, 2), 8, 2, window_fn=tf.signal.inverse_stft_window_fn(2)),
           "inverse_stft", grad=False, tol=50, graph=False, misuse=False),
    OpCase("Cos", [normal(2)], lambda tf, x: (tf.signal.hann_window(6), tf.signal.hamming_window(5, periodic=False)),
           "windows", grad=False, graph=False, misuse=False),
    OpCase("LinSpace", [normal(2)], lambda tf, x: tf.signal.linear_to_mel_weight_matrix(6, 17), "mel", grad=False,
           graph=False, tol=20, misuse=False),
    OpCase("RFFT", [normal(2, 6)], lambda tf, x: tf.signal.mfccs_from_log_mel_spectrograms(x), "mfcc", tol=20,
           misuse=False),
]  # fmt: skip
