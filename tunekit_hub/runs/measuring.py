"""How large a file is once it is unpacked, found without holding it: a small file can unpack to any size."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tunekit_hub import units
from tunekit_hub.errors import DataError
from tunekit_hub.formats.decoding import open_bytes
from tunekit_hub.formats.parquet import MAGIC

if TYPE_CHECKING:
    from tunekit_hub.dataset_ids import DatasetId
    from tunekit_hub.hub import Hub

_BLOCK = 1 << 20
_ROWS = 256  # of a Parquet file at a time
_ROOM = 1 << 30  # bytes of address space that reading Parquet takes by itself
_TIMEOUT = 120.0
_TOO_LARGE, _BROKEN = 3, 4  # exit codes


def refuse_large(path: Path, name: str, limit: int) -> None:
    """Let through what unpacks to at most `limit` bytes, and what is no packed file at all.

    Raises:
        DataError: it is larger, or damaged.
    """
    with path.open("rb") as file:
        start = file.read(4)
    if _parquet_is_larger(path, name, limit) if start == MAGIC else _stream_is_larger(path, limit):
        raise DataError(
            f"`{name}` unpacks to more than {units.size(limit)}, which is the most that is read here",
            "give fewer rows; or publish it as a dataset of the Hub, and use some of its rows on your own machine",
        )


def refuse_large_dataset(hub: Hub, dataset: DatasetId, limit: int, unpacked: int) -> None:
    """The same of a dataset of the Hub, which is fetched if its files have at most `limit` bytes.

    Raises:
        DataError: they have more, as they are or unpacked.
        HubError: it is missing, or the token may not read it.
    """
    from tunekit_hub.hub import spaces as hub_spaces

    for path in hub_spaces.fetch_dataset(hub, dataset, limit):
        refuse_large(path, path.name, unpacked)


def _stream_is_larger(path: Path, limit: int) -> bool:
    seen = 0
    with open_bytes(path) as file:
        while block := file.read(_BLOCK):
            seen += len(block)
            if seen > limit:
                return True
    return False


def _parquet_is_larger(path: Path, name: str, limit: int) -> bool:
    """Asked of a process with little memory: one dictionary entry of a gigabyte can stand in every row."""
    command = [sys.executable, "-m", "tunekit_hub.runs.measuring", str(path), str(limit)]
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, env=environment, timeout=_TIMEOUT, check=False, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return True
    if done.returncode == _BROKEN:
        raise DataError(f"`{name}` is a damaged Parquet file", "write it again")
    return done.returncode != 0


def _measure(path: str, limit: int) -> int:
    """The exit code: 0 where the rows take at most `limit` bytes."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            groups = [file.metadata.row_group(i) for i in range(file.metadata.num_row_groups)]
            if sum(group.total_byte_size for group in groups) > limit:
                return _TOO_LARGE
            seen = 0
            for batch in file.iter_batches(batch_size=_ROWS, use_threads=False):
                seen += batch.nbytes
                if seen > limit:
                    return _TOO_LARGE
    except (MemoryError, pa.ArrowMemoryError, pa.ArrowCapacityError):
        return _TOO_LARGE
    except (pa.ArrowException, OSError, ValueError):
        return _BROKEN
    return 0


def _main() -> None:
    path, limit = sys.argv[1], int(sys.argv[2])
    if sys.platform != "win32":
        import resource

        most = _ROOM + 2 * limit
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    sys.exit(_measure(path, limit))


if __name__ == "__main__":
    _main()
