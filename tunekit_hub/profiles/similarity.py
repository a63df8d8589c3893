"""Texts that are nearly the same, found without comparing every one with every other.

A text is the set of its shingles: three words in a row, after folding, without punctuation (Broder, "On the
resemblance and containment of documents", 1997). Two texts are near if their sets have a Jaccard similarity of at
least 0.8, the threshold of Lee et al., "Deduplicating training data makes language models better" (2022).
Candidates come from MinHash signatures, cut into bands (Leskovec, Rajaraman, Ullman, "Mining of massive datasets",
3.4); each is then compared in full, so what is found is certain. A pair at the threshold itself is missed in 1 of
68 cases, (1 - 0.8^4)^8; a closer one more rarely.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from tunekit_hub.profiles.fingerprints import coefficients, mix, of_segments
from tunekit_hub.profiles.text_columns import blocks, counts, flat, fold

NEAR = 0.8
_SHINGLE = 3  # words
_BANDS, _IN_BAND = 8, 4
_COMPARED = 20_000  # pairs at once

# ASCII letters and digits, and every byte of a character beyond ASCII.
_IN_WORD = np.array([byte >= 0x80 or chr(byte).isalnum() for byte in range(256)])
# Chinese and Japanese are written without spaces: each of their characters (three bytes) is a word.
_WIDE_FIRST, _WIDE_LAST, _WIDE_BYTES = 0xE3, 0xE9, 3


def band_keys(texts: pa.ChunkedArray) -> np.ndarray:
    """A key per text and band, uint64, n × bands; texts that share one may be near. 0: a text without words."""
    keys = [_keys_of(*_shingles(block)) for block in blocks(texts)]
    return np.concatenate(keys) if keys else np.empty((0, _BANDS), np.uint64)


def near_earlier(texts: pa.ChunkedArray, keys: np.ndarray, start: int | None = None) -> np.ndarray:
    """For each text the index of an earlier one that is near, or -1; int64.

    A text is compared with the first and with the last of those before it that share a key, not with all: enough
    to tell that there is one, in time that grows with the number of texts.

    Args:
        texts: n texts; equal ones count as near.
        keys: their `band_keys`.
        start: look only for those from here on, among those before. None: for each, among all before it.
    """
    found = np.full(len(texts), -1)
    for band in range(_BANDS):
        earlier, later = _candidates(keys[:, band], start)
        unknown = found[later] < 0
        earlier, later = earlier[unknown], later[unknown]
        for i in range(0, len(later), _COMPARED):
            pair = earlier[i : i + _COMPARED], later[i : i + _COMPARED]
            near = _similarity(texts, *pair) >= NEAR
            found[pair[1][near]] = pair[0][near]
    return found


def _keys_of(shingles: np.ndarray, starts: np.ndarray) -> np.ndarray:
    filled = np.flatnonzero(np.diff(starts))
    keys = np.zeros((len(starts) - 1, _BANDS), np.uint64)
    factors = coefficients(_BANDS * _IN_BAND) | np.uint64(1)  # odd, so that each permutes the numbers
    for band in range(_BANDS if filled.size else 0):
        key = np.zeros(filled.size, np.uint64)
        for factor in factors[band * _IN_BAND : (band + 1) * _IN_BAND]:
            key = mix(key + np.minimum.reduceat(shingles * factor, starts[:-1][filled]))
        keys[filled, band] = key
    return keys


def _candidates(keys: np.ndarray, start: int | None) -> tuple[np.ndarray, np.ndarray]:
    """(earlier, later): each text with the first and with the last before it of those with its key."""
    order = np.argsort(keys, kind="stable")  # so the texts of one key stand in their own order
    ordered, place = keys[order], np.arange(len(keys))
    begins = np.ones(len(keys), bool)
    begins[1:] = ordered[1:] != ordered[:-1]
    first = np.maximum.accumulate(np.where(begins, place, 0))
    known = order < (len(keys) if start is None else start)
    last = np.zeros(len(keys), np.int64)
    last[1:] = np.maximum.accumulate(np.where(known, place, 0))[:-1]
    asked = (ordered != 0) & ~begins & known[first] & (last >= first)
    if start is not None:
        asked &= ~known
    pairs = np.unique(np.concatenate([order[end[asked]] * len(keys) + order[asked] for end in (first, last)]))
    return pairs // max(len(keys), 1), pairs % max(len(keys), 1)


def _similarity(texts: pa.ChunkedArray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The Jaccard similarity of each pair, of their shingles."""
    pair, shingle = (np.concatenate(both) for both in zip(_sets(texts, left), _sets(texts, right), strict=True))
    order = np.lexsort((shingle, pair))
    pair, shingle = pair[order], shingle[order]
    shared = pair[1:][(pair[1:] == pair[:-1]) & (shingle[1:] == shingle[:-1])]
    both = np.bincount(shared, minlength=len(left))
    either = np.bincount(pair, minlength=len(left)) - both
    return both / np.maximum(either, 1)


def _sets(texts: pa.ChunkedArray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The shingles of each chosen text, each once: (place in `chosen`, shingle)."""
    places, found, before = [], [], 0
    for block in blocks(texts.take(pa.array(chosen))):
        shingles, starts = _shingles(block)
        place = np.repeat(np.arange(len(block)) + before, np.diff(starts))
        order = np.lexsort((shingles, place))
        place, shingles = place[order], shingles[order]
        once = np.ones(len(place), bool)
        once[1:] = (place[1:] != place[:-1]) | (shingles[1:] != shingles[:-1])
        places.append(place[once])
        found.append(shingles[once])
        before += len(block)
    return np.concatenate(places), np.concatenate(found)


def _shingles(block: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
    """Every three words in a row of each text, as numbers; and where each text's begin, n + 1.

    A text of fewer than three words is one shingle, one of none has none.
    """
    words, starts = _words(fold(block))
    per_text = np.diff(starts)
    place = np.arange(len(words)) - np.repeat(starts[:-1], per_text)
    left = np.repeat(per_text, per_text) - place  # words from here to the end of the text
    shingles = np.zeros(len(words), np.uint64)
    for ahead in range(_SHINGLE):
        following = np.zeros(len(words), np.uint64)
        following[: len(words) - ahead] = words[ahead:]
        shingles = mix(shingles + np.where(left > ahead, following, np.uint64(0)))
    kept = (left >= _SHINGLE) | (place == 0)
    return shingles[kept], np.concatenate([[0], np.cumsum(counts(kept, starts))])


def _words(block: pa.LargeStringArray) -> tuple[np.ndarray, np.ndarray]:
    """A fingerprint of every word of each text, in order; and where each text's begin, n + 1."""
    data, starts = flat(block)
    inside = _IN_WORD[data]
    begins = inside.copy()
    begins[1:] &= ~inside[:-1]
    filled = starts[:-1][np.diff(starts) > 0]
    begins[filled] = inside[filled]
    wide = np.flatnonzero((data >= _WIDE_FIRST) & (data <= _WIDE_LAST))
    begins[wide] = True
    behind = wide[wide + _WIDE_BYTES < len(data)] + _WIDE_BYTES
    begins[behind] |= inside[behind]
    first = np.flatnonzero(begins)
    written = np.flatnonzero(inside)  # what stands between words counts for nothing
    ends = np.append(np.searchsorted(written, first), len(written))
    return of_segments(data[written], ends), np.searchsorted(first, starts)
