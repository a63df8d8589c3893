"""What `text` does to one text, done to whole Arrow columns.

A million rows need no Python loop: texts are taken in blocks of a megabyte, so that memory stays bounded
whatever the column holds, and within a block NumPy sees the bytes of all texts as one array.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunekit_hub import text

BLOCK = 2**20  # bytes of text that are worked on at once: what NumPy makes of them fits a processor's cache
_LAST_CASED = 0x1F000  # no character above has upper and lower case
# What `str.split` splits at. RE2 spells it its own way.
_SPACE = r"[\t-\r\x1c-\x20\x{85}\x{1680}\x{2028}\x{2029}]+"
_UNEVEN = r"[\t-\r\x1c-\x1f\x{85}\x{1680}\x{2028}\x{2029}]|  |^ | $"
_PLAIN, _DIGIT, _CJK, _OTHER = range(4)


def blocks(texts: pa.Array | pa.ChunkedArray, size: int = BLOCK) -> Iterator[pa.LargeStringArray]:
    """The texts, `size` bytes at a time, without copying them. No value becomes an empty text."""
    for chunk in texts.chunks if isinstance(texts, pa.ChunkedArray) else [texts]:
        whole = chunk if pa.types.is_large_string(chunk.type) else chunk.cast(pa.large_string())
        if whole.null_count:
            whole = pc.fill_null(whole, "")
        ends = _offsets(whole)
        start = 0
        while start < len(whole):
            stop = int(np.searchsorted(ends, ends[start] + size, side="right")) - 1
            stop = max(stop, start + 1)  # a text longer than a block is a block
            yield whole.slice(start, stop - start)
            start = stop


def flat(block: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
    """The bytes of all texts as one array, uint8; and where each text begins in it, n + 1 of int64."""
    offsets = _offsets(block)
    buffer = block.buffers()[2]
    if buffer is None:
        return np.empty(0, np.uint8), np.zeros(len(block) + 1, np.int64)
    data = np.frombuffer(buffer, np.uint8)[offsets[0] : offsets[-1]]
    return data, offsets - offsets[0]


def sums(values: np.ndarray, starts: np.ndarray, dtype: type = np.int64) -> np.ndarray:
    """The sum of each segment of `values`; `starts` holds where each begins, and the end of the last."""
    out = np.zeros(len(starts) - 1, dtype)
    filled = np.flatnonzero(np.diff(starts))  # `reduceat` knows no empty segment
    if filled.size:
        out[filled] = np.add.reduceat(values, starts[:-1][filled], dtype=dtype)
    return out


def counts(marked: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """How many of each segment are marked, int64; faster than `sums` where few are."""
    return np.diff(np.searchsorted(np.flatnonzero(marked), starts))


def fold(block: pa.LargeStringArray) -> pa.LargeStringArray:
    """Each text as `text.fold` gives it."""
    folded = pc.ascii_lower(block) if _is_ascii(block) else _casefold(pc.utf8_normalize(block, "NFKC"))
    uneven = pc.match_substring_regex(folded, _UNEVEN)
    if not pc.any(uneven).as_py():
        return folded
    evened = pc.replace_substring_regex(folded.filter(uneven), _SPACE, " ")
    return pc.replace_with_mask(folded, uneven, pc.utf8_trim(evened, " "))


def estimate_tokens(texts: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """Of each text what `text.estimate_tokens` says, as int64."""
    counted = [_tokens(block) for block in blocks(texts)]
    return np.concatenate(counted) if counted else np.empty(0, np.int64)


def _tokens(block: pa.LargeStringArray) -> np.ndarray:
    data, starts = flat(block)
    if _is_ascii(block):
        digits = counts(data - ord("0") < 10, starts)  # uint8 wraps: what is below "0" becomes large
        return np.rint(digits + (np.diff(starts) - digits) / 4).astype(np.int64)
    # Surrogates cannot stand in an Arrow text, so every code point is whole.
    points = np.frombuffer(data.tobytes().decode("utf-8").encode("utf-32-le"), np.uint32)
    lengths = pc.utf8_length(block).to_numpy(zero_copy_only=False)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    kinds = _kinds()[np.minimum(points, len(_kinds()) - 1)]
    digits, cjk, other = (counts(kinds == kind, starts) for kind in (_DIGIT, _CJK, _OTHER))
    rest = lengths - digits - cjk - other
    return np.rint(digits + cjk / 1.5 + other / 2 + rest / 4).astype(np.int64)


@lru_cache(maxsize=1)
def _kinds() -> np.ndarray:
    """Of every character up to the last CJK one what it counts as; the last entry is for all above."""
    kinds = np.zeros(text.CJK[-1][1] + 2, np.uint8)
    kinds[ord("0") : ord("9") + 1] = _DIGIT
    for kind, ranges in ((_CJK, text.CJK), (_OTHER, text.OTHER_SCRIPTS)):
        for first, last in ranges:
            kinds[first : last + 1] = kind
    return kinds


def _casefold(block: pa.LargeStringArray) -> pa.LargeStringArray:
    """Arrow has no case folding; where it differs from lower case (`ß`, `ς`, …) Python does it."""
    lowered = pc.utf8_lower(block)
    special = pc.match_substring_regex(block, _folded_otherwise())
    if not pc.any(special).as_py():
        return lowered
    folded = [one.casefold() for one in block.filter(special).to_pylist()]
    return pc.replace_with_mask(lowered, special, pa.array(folded, pa.large_string()))


@lru_cache(maxsize=1)
def _folded_otherwise() -> str:
    characters = map(chr, range(0x80, _LAST_CASED))
    return f"[{re.escape(''.join(c for c in characters if c.casefold() != c.lower() or len(c.lower()) > 1))}]"


def _is_ascii(block: pa.LargeStringArray) -> bool:
    return bool(pc.all(pc.string_is_ascii(block), min_count=0).as_py())


def _offsets(array: pa.LargeStringArray) -> np.ndarray:
    buffer = array.buffers()[1]
    if buffer is None or not len(array):
        return np.zeros(len(array) + 1, np.int64)
    return np.frombuffer(buffer, np.int64)[array.offset : array.offset + len(array) + 1]
