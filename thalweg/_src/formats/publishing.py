"""How the files of a bundle get their names: a reader finds the old bundle or the new one, whole, whenever the writer dies.

Under a new name the data files come first and the index last; without an index there is no bundle. Where a bundle of
that name stands, two files can't be replaced in one step, so the new ones first get the names of the old with `.pending`
behind them, again the index last. A pending index is the one that counts; its data is in the pending data files, and for
those that have moved on already, under the names themselves.
"""

from collections.abc import Sequence

from . import protos
from .files import Files
from .table import TableReader

HEADER = b""


def index_name(prefix: str) -> str:
    return f"{prefix}.index"


def data_name(prefix: str, shard: int, shards: int) -> str:
    return f"{prefix}.data-{shard:05d}-of-{shards:05d}"


def pending_name(path: str) -> str:
    return f"{path}.pending"


def publish(prefix: str, data: Sequence[str], index: str, files: Files) -> None:
    """Rename the files `data` and `index`, which are whole, to those of the bundle `prefix`.

    Where a file system refuses, the new files are removed, unless it was so late that the new bundle can be read.
    """
    final = index_name(prefix)
    targets = [data_name(prefix, i, len(data)) for i in range(len(data))]
    if not files.exists(final):
        _rename([*data, index], [*targets, final], files)
        return
    _settle(prefix, files)
    pending = [pending_name(t) for t in targets]
    _rename([*data, index], [*pending, pending_name(final)], files)
    _settle(prefix, files)


def _rename(sources: Sequence[str], targets: Sequence[str], files: Files) -> None:
    """All or none: what has been renamed is removed where one fails."""
    done: list[str] = []
    try:
        for source, target in zip(sources, targets, strict=True):
            files.rename(source, target)
            done.append(target)
    except OSError:
        for target in done:
            files.remove(target)
        raise


def _settle(prefix: str, files: Files) -> None:
    """Give a pending bundle its names: the new one, or one whose writer died before it could."""
    pending = pending_name(index_name(prefix))
    if not files.exists(pending):
        return
    with files.open(pending, "rb") as stream:
        header = protos.BundleHeaderProto.FromString(bytes(TableReader(stream, source=pending).get(HEADER) or b""))
    for target in (data_name(prefix, i, header.num_shards) for i in range(header.num_shards)):
        if files.exists(pending_name(target)):
            files.rename(pending_name(target), target)
    files.rename(pending, index_name(prefix))
