"""Writes database.mdb.gz with the `lmdb` package: branch pages, values of many sizes, one on pages of its own.

python record_lmdb.py    (in an environment that has lmdb)
"""

import gzip
import pathlib
import tempfile

import lmdb

with tempfile.TemporaryDirectory() as folder:
    with lmdb.open(folder, map_size=1 << 24) as database, database.begin(write=True) as transaction:
        for i in range(400):
            transaction.put(b"%04d" % i, b"ab" * (i % 50))
        transaction.put(b"long", bytes(range(256)) * 40)
    data = (pathlib.Path(folder) / "data.mdb").read_bytes()
pathlib.Path(__file__).with_name("database.mdb.gz").write_bytes(gzip.compress(data, mtime=0))
