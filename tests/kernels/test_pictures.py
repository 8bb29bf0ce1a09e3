"""Pictures resized by a kernel of machine code: the numbers of the plain lowering, to the last bit, however the picture lies."""

import numpy as np
import pytest

import thalweg as tf
from thalweg._src.kernels import library, pictures
from thalweg._src.ops.images.resizing import resize_bilinear_op
from thalweg._src.runtime.numpy_lowering import lowering

pytestmark = pytest.mark.skipif(library.library().path is None, reason=library.library().reason)
KERNEL = resize_bilinear_op.platforms["host"]
PLAIN = lowering(resize_bilinear_op)
WHOLE = np.random.RandomState(1).randint(0, 256, (2, 21, 18, 3)).astype(np.uint8)
LIES = {
    "whole": WHOLE,
    "cut out": WHOLE[:, 3:17, 2:15],
    "mirrored": WHOLE[:, :, ::-1],
    "upside down": WHOLE[:1, ::-1],
    "channels turned round": WHOLE[..., ::-1],
    "one channel": WHOLE[..., 1:2],
    "four channels": np.concatenate([WHOLE, WHOLE[..., :1]], -1),
    "floats": WHOLE[:, ::2].astype(np.float32) / 3,
    "one pixel": WHOLE[:1, :1, :1],
}


@pytest.fixture(autouse=True)
def any_size(monkeypatch):
    monkeypatch.setattr(pictures, "LEAST", 0)


@pytest.mark.parametrize("lies", LIES)
@pytest.mark.parametrize("how", ["", "align_corners", "half_pixel_centers"])
def test_as_the_plain_lowering(lies, how):
    attrs = {how: True} if how else {}
    for size in ((9, 11), (40, 7), (21, 18), (1, 60)):
        wanted = PLAIN(LIES[lies], np.array(size), **attrs)
        found = KERNEL(LIES[lies], np.array(size, np.int32), **attrs)
        np.testing.assert_array_equal(found, wanted)


def test_what_it_does_not_take_is_left_to_the_lowering():
    size = np.array([4, 4], np.int32)
    assert KERNEL(WHOLE.astype(np.float64), size) is NotImplemented
    assert KERNEL(WHOLE[0], size) is NotImplemented
    assert KERNEL(WHOLE, np.array([4], np.int32)) is NotImplemented
    assert KERNEL(WHOLE, size, align_corners=True, half_pixel_centers=True) is NotImplemented


def test_a_dataset_uses_it(monkeypatch):
    called = []
    monkeypatch.setitem(resize_bilinear_op.platforms, "host", lambda *x, **how: called.append(1) or KERNEL(*x, **how))
    dataset = tf.data.Dataset.from_tensor_slices(WHOLE).map(lambda x: tf.image.resize_images(x[:, ::-1], [9, 11]))
    with tf.Session() as sess:
        found = sess.run(tf.data.make_one_shot_iterator(dataset).get_next())
    assert called
    wanted = PLAIN(WHOLE[:1, :, ::-1], np.array([9, 11]))[0]
    np.testing.assert_array_equal(found, wanted)
