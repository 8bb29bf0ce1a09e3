"""Write thalweg/_src/core/signatures.json: the ops of TensorFlow 1.15's library that thalweg does not declare, from the record of all ops.

python tests/oracle/write_signatures.py
"""

import gzip
import json
from pathlib import Path

import thalweg._src.ops
from thalweg._src.core import opdef, signatures

RECORD = Path(__file__).parents[1] / "golden" / "opdefs.json.gz"

if __name__ == "__main__":
    assert thalweg._src.ops
    registry = json.loads(gzip.decompress(RECORD.read_bytes()))
    missing = {
        name: fact
        for name, fact in sorted(registry.items())
        if name not in opdef.OPS and "contrib" not in fact and not name.startswith("_")
    }
    lines = [f"{json.dumps(name)}: {json.dumps(fact, sort_keys=True)}" for name, fact in missing.items()]
    Path(signatures.__file__).with_name("signatures.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(len(missing), "ops without a kernel")
