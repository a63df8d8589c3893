"""Imports of what trains, without what takes seconds and is not used."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager, nullcontext

from tunekit_hub.facts import Method

_OFF = "TORCHDYNAMO_DISABLE"


def adapters(method: Method) -> None:
    """Import peft, which transformers' Trainer does wherever it is installed, as `method` needs it."""
    with nullcontext() if method == "qlora" else _compiler_off():
        import peft  # noqa: F401


@contextmanager
def _compiler_off() -> Generator[None]:
    """Torch's compiler is not asked for in here.

    peft imports bitsandbytes, and that wraps two functions in `torch.compile`, for which torch imports all of its
    compiler. They are for 4-bit weights on hardware without kernels of its own, and work the same without.
    """
    before = os.environ.get(_OFF)
    os.environ[_OFF] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[_OFF]
        else:
            os.environ[_OFF] = before
