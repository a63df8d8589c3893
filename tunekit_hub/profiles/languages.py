"""Which languages texts are in.

Judged on chunks of at least 200 characters, because a guess on one short row is often wrong; a language
counts if a tenth of the characters is in it. A chunk whose language is in doubt is left out, and if that is most
of the text, no language is named: a handful of words is too little to tell, and a wrong guess would choose the
wrong model.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

CHUNK = 200  # characters that a guess needs to be sound
_SHARE = 0.1  # of all characters, for a language to count
_SURE = 0.9  # probability, as py3langid gives it
_DECIDED = 0.5  # of the characters, for any language to be named
_CHUNKS = 600  # the most that are judged

_FENCED_CODE = re.compile(r"```.*?(```|\Z)", re.DOTALL)
_NOT_WORDS = re.compile(r"https?://\S+|\\[a-zA-Z]+|[0-9!-&(-/:-@\[-`{-~]+")

# Written varieties that py3langid tells apart and tokenizers, models and cards do not.
_SAME_AS = {"ary": "ar", "arz": "ar", "nn": "no", "pcm": "en", "sdh": "ku", "uzs": "uz", "wuu": "zh", "yue": "zh"}
_NO_LANGUAGE = "zxx"


def detect_languages(texts: Iterable[str]) -> tuple[str, ...]:
    """ISO 639-1 codes (639-3 where there is none), most frequent first; empty if there are too few words to tell.

    Fenced code, addresses, numbers and symbols are not judged.
    """
    identifier = _identifier()
    characters: Counter[str] = Counter()
    doubtful = 0
    for chunk in _spread(list(_chunks(_alike_together(texts)))):
        code, probability = identifier.classify(chunk)
        if probability < _SURE:
            doubtful += len(chunk)
        elif code != _NO_LANGUAGE:
            characters[_SAME_AS.get(code, code)] += len(chunk)
    total = sum(characters.values())
    if total < _DECIDED * (total + doubtful):
        return ()
    return tuple(code for code, count in characters.most_common() if count >= _SHARE * total)


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # its model takes half a second to load

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


def _alike_together(texts: Iterable[str]) -> list[str]:
    """The words of the texts, so ordered that short ones in what seems to be one language stand side by side.

    Otherwise a chunk of short rows in several languages would count for one of them.
    """
    identifier = _identifier()
    words = [" ".join(_NOT_WORDS.sub(" ", _FENCED_CODE.sub(" ", text)).split()) for text in texts]
    seems = {one: identifier.classify(one)[0] for one in set(words) if len(one) < CHUNK}
    return sorted(words, key=lambda one: seems.get(one, ""))


def _chunks(texts: Iterable[str]) -> Iterator[str]:
    """The texts, joined to chunks of at least `CHUNK` characters; less if there is no more."""
    waiting = ""
    whole = False
    for text in texts:
        waiting = f"{waiting} {text}".strip()
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
