"""tf.contrib.hooks: hooks of sessions."""

from thalweg._src.lib.hooks.saving import ProfilerHook as ProfilerHook
