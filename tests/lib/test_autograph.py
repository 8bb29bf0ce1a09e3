"""tf.autograph: what rewrites functions in TensorFlow is refused here; its marks and settings do nothing."""

import pytest

import thalweg as tf


def test_rewriting_is_refused():
    for asked in (tf.autograph.to_graph, tf.autograph.to_code):
        with pytest.raises(tf.errors.UnimplementedError, match=r"\(len\).*tf.while_loop and tf.cond"):
            asked(len)


def test_settings_are_taken():
    tf.autograph.experimental.set_loop_options(parallel_iterations=1)
    tf.debugging.set_log_device_placement(True)
    assert tf.debugging.get_log_device_placement()
    tf.debugging.set_log_device_placement(False)
    assert not tf.debugging.get_log_device_placement()
