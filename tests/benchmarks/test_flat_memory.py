"""Pipelines of input keep nothing of the records that have gone by."""

import gc

import pytest

from benchmarks import flat_memory


@pytest.mark.parametrize("pipeline", [flat_memory.by_dataset, flat_memory.by_queues])
def test_all_records_come_and_nothing_stays(tmp_path, pipeline):
    path, count = str(tmp_path / "records"), 12000
    flat_memory.write(path, count)
    sizes = pipeline(path)
    alive = []
    seen = 0
    for i, size in enumerate(sizes):
        seen += size
        if i in (40, 100):
            gc.collect()
            alive.append(len(gc.get_objects()))
    assert seen == count
    assert alive[1] - alive[0] < 3000  # 6,000 records went by in between
