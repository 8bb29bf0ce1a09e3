"""The golden file of a family of records: an index in JSON, one blob of values, one of GraphDefs.

    {id: {"types": {dtype: {"out": [array...], "grad": [array or None...]}}, "shapes": {...}, "graph": [at, size], ...}}

An array is [dtype, shape, at] or [dtype, shape, at, sums] (a sample, see `base.digest`) in the blob of values; strings
and plain Python values stand in the index itself, as ["string", shape, [latin-1 text...]] and ["python", value].
Runs on Python 3.6 and newer.
"""

import json
import os

import numpy as np

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden")


class Writer:
    def __init__(self):
        self.index, self.values, self.graphs = {}, bytearray(), bytearray()

    def array(self, digest):
        """Keep what `base.digest` made of a result; gives its entry for the index."""
        kind, shape, elements, sums = digest
        if elements.dtype.kind in "OSU":
            return [
                "string",
                shape,
                [(e if isinstance(e, bytes) else str(e).encode()).decode("latin-1") for e in elements],
            ]
        if kind == "bfloat16":
            elements = elements.astype(np.float32).view(np.uint32).__rshift__(16).astype(np.uint16)
        entry = [kind, shape, len(self.values)]
        self.values += elements.tobytes()
        return entry + [[float("%.9g" % s) for s in sums]] if sums else entry

    def graph(self, data):
        at = len(self.graphs)
        self.graphs += data
        return [at, len(data)]

    def save(self, name):
        path = os.path.join(FOLDER, name + ".npz")
        parts = {"index": json.dumps(self.index, sort_keys=True, separators=(",", ":")).encode()}
        parts.update(values=bytes(self.values), graphs=bytes(self.graphs))
        np.savez_compressed(path, **{k: np.frombuffer(v, np.uint8) for k, v in parts.items()})
        return os.path.getsize(path)


class Golden:
    """Reads what `Writer` kept."""

    def __init__(self, name):
        path = os.path.join(FOLDER, name + ".npz")
        if not os.path.exists(path):
            self.index = {}  # nothing recorded yet: each record's tests say so
            return
        with np.load(path) as f:
            parts = {k: f[k].tobytes() for k in f.files}
        self.index = json.loads(parts["index"].decode())
        self._values, self._graphs = parts["values"], parts["graphs"]

    def array(self, entry):
        """(dtype, shape, elements, sums) of an entry that holds an array."""
        kind, shape, at = entry[:3]
        sums = entry[3] if len(entry) > 3 else None
        if kind == "string":
            return kind, shape, np.array([e.encode("latin-1") for e in at] + [None], object)[:-1], None
        count = int(np.prod(shape)) if sums is None else 48
        stored = np.dtype(np.uint16 if kind == "bfloat16" else kind)
        elements = np.frombuffer(self._values, stored, count, at)
        if kind == "bfloat16":
            elements = (elements.astype(np.uint32) << 16).view(np.float32)
        return kind, shape, elements, sums

    def graph(self, case_id):
        at, size = self.index[case_id]["graph"]
        return self._graphs[at : at + size]
