"""Which languages texts are in.

Judged on chunks of at least 200 characters, because a guess on one short row is often wrong; a language
counts if a tenth of the characters is in it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

CHUNK = 200  # characters that a guess needs to be sound
_SHARE = 0.1  # of all characters, for a language to count
_CHUNKS = 600  # the most that are judged

_FENCED_CODE = re.compile(r"```.*?(```|\Z)", re.DOTALL)
_NOT_WORDS = re.compile(r"https?://\S+|\\[a-zA-Z]+|[0-9!-&(-/:-@\[-`{-~]+")

# Written varieties that py3langid tells apart and tokenizers, models and cards do not.
_SAME_AS = {"ary": "ar", "arz": "ar", "nn": "no", "pcm": "en", "sdh": "ku", "uzs": "uz", "wuu": "zh", "yue": "zh"}
_NO_LANGUAGE = "zxx"


def detect_languages(texts: Iterable[str]) -> tuple[str, ...]:
    """ISO 639-1 codes (639-3 where there is none), most frequent first; empty if there are no words.

    Fenced code, addresses, numbers and symbols are not judged.
    """
    import py3langid  # its model takes half a second to load

    characters: Counter[str] = Counter()
    for chunk in _spread(list(_chunks(texts))):
        code = py3langid.classify(chunk)[0]
        if code != _NO_LANGUAGE:
            characters[_SAME_AS.get(code, code)] += len(chunk)
    total = sum(characters.values())
    return tuple(code for code, count in characters.most_common() if count >= _SHARE * total)


def _chunks(texts: Iterable[str]) -> Iterator[str]:
    """The words of the texts, joined to chunks of at least `CHUNK` characters; less if there is no more."""
    waiting = ""
    whole = False
    for text in texts:
        words = " ".join(_NOT_WORDS.sub(" ", _FENCED_CODE.sub(" ", text)).split())
        waiting = f"{waiting} {words}".strip()
        pieces = len(waiting) // CHUNK
        for piece in range(pieces):
            yield waiting[piece * len(waiting) // pieces : (piece + 1) * len(waiting) // pieces]
        if pieces:
            waiting, whole = "", True
    if waiting and not whole:
        yield waiting


def _spread(chunks: list[str]) -> list[str]:
    """At most `_CHUNKS` of them, evenly spaced."""
    if len(chunks) <= _CHUNKS:
        return chunks
    return [chunks[i * len(chunks) // _CHUNKS] for i in range(_CHUNKS)]
