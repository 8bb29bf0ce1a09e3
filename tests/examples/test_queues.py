"""examples/digits/queues.py: digits through TFRecord files and queues."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

import thalweg as tf

FOLDER = Path(__file__).parents[2] / "examples" / "digits"

pytest.importorskip("sklearn")
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def queues(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("queues")
    for name in ("data", "queues"):
        sys.modules.pop(name, None)


def some(queues, count):
    part = queues.load().test
    return queues.Examples(part.images[:count], part.labels[:count])


def test_records_hold_every_picture_once(queues, tmp_path):
    part = some(queues, 50)
    paths = queues.write(part, tmp_path, "test", shards=3)
    assert Path(paths[0]).name == "test-00000-of-00003.tfrecords"
    with tf.Graph().as_default(), tf.Session() as sess:
        images, labels = queues.read(paths, 8, passes=2, shuffle=True, batch=16)
        sess.run(tf.local_variables_initializer())
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess, coord)
        seen = []
        try:
            while True:
                x, y = sess.run([images, labels])
                seen += [(int(digit), row.tobytes()) for digit, row in zip(y, np.round(x * 255), strict=True)]
        except tf.errors.OutOfRangeError:
            coord.request_stop()
        coord.join(threads)
    wanted = [
        (int(d), row.tobytes()) for d, row in zip(part.labels.argmax(1), np.round(part.images * 255), strict=True)
    ]
    assert sorted(seen) == sorted(wanted * 2)


def test_it_learns(queues, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(queues, "load", lambda folder: queues_data(queues))
    assert queues.main(["--passes", "3", "--records", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert float(out.rpartition(" ")[2]) > 0.8
    assert len(list(tmp_path.iterdir())) == queues.SHARDS + 1


def queues_data(queues):
    return sys.modules["data"].bundled()


def test_missing_data_is_an_error_in_words(queues, capsys, tmp_path):
    assert queues.main(["--data", str(tmp_path / "none")]) == 1
    assert "is not a folder" in capsys.readouterr().err
