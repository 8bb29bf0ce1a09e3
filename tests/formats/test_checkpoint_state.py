"""The file `checkpoint`, as TensorFlow writes it."""

import pytest

from thalweg._src.formats import protos
from thalweg._src.formats.checkpoint_state import read_state, write_state
from thalweg._src.formats.errors import DataLoss


def test_the_text_is_tensorflows():
    state = protos.CheckpointState(model_checkpoint_path="m-2", all_model_checkpoint_paths=["m-1", 'm"2'])
    text = b'model_checkpoint_path: "m-2"\nall_model_checkpoint_paths: "m-1"\nall_model_checkpoint_paths: "m\\"2"\n'
    assert write_state(state) == text
    assert read_state(text) == state


def test_later_fields_are_kept():
    text = b'model_checkpoint_path: "m"\nall_model_checkpoint_timestamps: 1.5\nlast_preserved_timestamp: 1.25\n'
    assert read_state(text).last_preserved_timestamp == 1.25
    assert write_state(read_state(text)) == text


@pytest.mark.parametrize("text", [b"model_checkpoint_path: ", b"unknown: 1", b"\xff"])
def test_other_text_is_told(text):
    with pytest.raises(DataLoss, match="^checkpoint: not a CheckpointState"):
        read_state(text, source="checkpoint")
