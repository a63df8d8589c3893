"""64-bit fingerprints of values, computed a column at a time.

Equal values have equal fingerprints. Different ones differ but for chance: bytes are combined by multilinear
hashing (Carter and Wegman: a random 64-bit number for each place, products summed modulo 2^64), whose chance of a
collision is at most 2^-57 for one pair, so about 1 in 300,000 for all pairs of a million rows together.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunekit_hub.profiles.text_columns import blocks, flat, fold, sums

_PIECE = 2**16  # rows of other kinds than text that are worked on at once
_NULL = np.uint64(0x9E3779B97F4A7C15)


def of_column(column: pa.Array | pa.ChunkedArray) -> np.ndarray:
    """A fingerprint for each value of a column of any type, uint64; lists and objects count by what they hold."""
    chunks = column.chunks if isinstance(column, pa.ChunkedArray) else [column]
    parts = [_of_array(chunk.slice(i, _PIECE)) for chunk in chunks for i in range(0, len(chunk), _PIECE)]
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def of_folded(texts: pa.ChunkedArray) -> np.ndarray:
    """A fingerprint for each text, the same for texts that differ only in case, spacing or form; uint64."""
    parts = [of_texts(fold(block)) for block in blocks(texts)]
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)


def of_texts(block: pa.LargeStringArray) -> np.ndarray:
    """A fingerprint for each text of one block, uint64."""
    data, starts = flat(block)
    return of_segments(data, starts)


def of_segments(values: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """A fingerprint for each segment of unsigned values.

    `starts` holds where each begins, and where the last ends.
    """
    lengths = np.diff(starts)
    place = np.arange(len(values)) - np.repeat(starts[:-1], lengths)
    products = coefficients(int(lengths.max(initial=0)))[place]
    products *= values + np.uint64(1)
    return mix(sums(products, starts, np.uint64) + mix(lengths.astype(np.uint64)))


def coefficients(count: int) -> np.ndarray:
    """At least `count` random numbers, always the same ones."""
    return _coefficients(max(count, 1024).bit_length())


def mix(values: np.ndarray) -> np.ndarray:
    """Spread the bits: the last step of Vigna's SplitMix64, which is one to one."""
    values = values.astype(np.uint64)
    values ^= values >> np.uint64(30)
    values *= np.uint64(0xBF58476D1CE4E5B9)
    values ^= values >> np.uint64(27)
    values *= np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@lru_cache(maxsize=4)
def _coefficients(bits: int) -> np.ndarray:
    return mix((np.arange(2**bits, dtype=np.uint64) + np.uint64(1)) * _NULL)


def _of_array(array: pa.Array) -> np.ndarray:
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _of_array(array.dictionary_decode())
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind):
        found = _of_lists(array)
    elif pa.types.is_struct(kind):
        found = np.zeros(len(array), np.uint64)
        for child in array.flatten():
            found = mix(found + _of_array(child))
    else:
        found = _of_scalars(array)
    missing = array.is_null().to_numpy(zero_copy_only=False)
    return np.where(missing, _NULL, found) if missing.any() else found


def _of_lists(array: pa.Array) -> np.ndarray:
    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy(zero_copy_only=False)
    starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    return of_segments(_of_array(array.flatten()), starts)


def _of_scalars(array: pa.Array) -> np.ndarray:
    try:
        written = array.cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):  # bytes that are no text, maps, …
        written = pa.array([repr(value) for value in array.to_pylist()], pa.large_string())
    parts = [of_texts(block) for block in blocks(written)]
    return np.concatenate(parts) if parts else np.empty(0, np.uint64)
