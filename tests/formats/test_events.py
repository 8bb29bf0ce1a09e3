"""Event files against the one that TensorFlow 1.15 wrote (record_records.py), and against TensorBoard's reader."""

import io
import pathlib
import re

import pytest

from thalweg._src.formats import protos
from thalweg._src.formats.errors import DataLoss
from thalweg._src.formats.events import EventWriter, event_file_name, read_events
from thalweg._src.formats.records import frame

GOLDEN = pathlib.Path(__file__).parent / "golden"


def event():
    summary = protos.Summary(value=[protos.Summary.Value(tag="loss", simple_value=0.5)])
    return protos.Event(wall_time=1500000000.5, step=7, summary=summary)


def test_tensorflows_file_is_read_and_written():
    data = (GOLDEN / "events-1.15.tfevents").read_bytes()
    first, second = read_events(io.BytesIO(data))
    assert first.file_version == "brain.Event:2"
    assert second == event()
    stream = io.BytesIO()
    writer = EventWriter(stream, first.wall_time + 0.75)
    assert stream.getvalue() == frame(first.SerializeToString())  # before any event of the caller's
    writer.write(event())
    writer.close()
    assert stream.getvalue() == data


def test_the_name_is_tensorflows():
    name = (GOLDEN / "events-1.15.name").read_text().strip()
    seconds = int(re.search(r"\d+", name)[0])
    assert event_file_name("events", seconds + 0.9, "host", ".golden") == name
    assert event_file_name("events", 12, "host") == "events.out.tfevents.0000000012.host"


def test_serialized_events_are_written_as_they_are():
    stream = io.BytesIO()
    EventWriter(stream, 1.0).write(event().SerializeToString())
    assert list(read_events(io.BytesIO(stream.getvalue())))[1] == event()


def test_damage_is_told():
    data = (GOLDEN / "events-1.15.tfevents").read_bytes()
    with pytest.raises(DataLoss, match="truncated record"):
        list(read_events(io.BytesIO(data[:-1])))
    with pytest.raises(DataLoss, match="record at 0 is not an Event"):
        list(read_events(io.BytesIO(frame(b"\xff\xff"))))


def test_tensorboard_reads_it(tmp_path):
    loader = pytest.importorskip("tensorboard.backend.event_processing.event_file_loader")
    path = tmp_path / event_file_name("events", 5, "host")
    with path.open("wb") as stream:
        writer = EventWriter(stream, 5)
        writer.write(event())
        writer.close()
    first, second = loader.LegacyEventFileLoader(str(path)).Load()
    assert (first.file_version, second.step, second.summary.value[0].simple_value) == ("brain.Event:2", 7, 0.5)
