"""Which column of a table holds the text: by its name first, then by what it holds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from tunekit_hub.errors import DataError
from tunekit_hub.tasks._columns import Seen, name_words, named, same
from tunekit_hub.text import quote

# The body of something comes before its title.
TEXT_NAMES = (
    *("text", "sentence", "message", "body", "content", "review", "tweet", "utterance", "comment", "document"),
    *("post", "question", "query", "description", "abstract", "article", "sms", "email", "mail", "transcript"),
    *("passage", "paragraph", "feedback", "complaint", "ticket", "statement", "quote", "input", "prompt", "story"),
    *("summary", "headline", "title", "subject"),
)
_PAIR = re.compile(r"(.*?)_?([12ab])")


def find_text(seen: Sequence[Seen], taken: Sequence[str]) -> tuple[str, str] | None:
    """The column that holds the text, and the reason.

    Raises:
        DataError: several columns could be the one.
    """
    texts = [one for one in seen if one.name not in taken and one.kind == "text"]
    exact = named(texts, TEXT_NAMES)
    _refuse_pairs([one for one in texts if one.reads_like_text], exact)
    if exact:
        aside = [one.name for one in exact[1:]]
        return exact[0].name, "holds text" + (f" ({quote(aside)} left aside)" if aside else "")
    partly = [one for one in texts if set(name_words(one.name)) & set(TEXT_NAMES) and one.reads_like_text]
    candidates = partly or [one for one in texts if one.reads_like_text and one.distinct * 3 > one.filled]
    candidates.sort(key=lambda one: -one.length)
    if len(candidates) > 1 and candidates[0].length < 3 * candidates[1].length:
        raise ambiguous("text", [one.name for one in candidates])
    if not candidates:
        return None
    return candidates[0].name, "holds text" + (", the longest" if len(candidates) > 1 else "")


def ambiguous(role: str, names: list[str]) -> DataError:
    """What to raise where several columns could have a role."""
    what = "the label" if role == "label" else "the text to classify"
    return DataError(
        f"{what} could be any of the columns {quote(names)}", f"say which: `--column {role}={names[0]}`"
    )


def _refuse_pairs(texts: Sequence[Seen], exact: Sequence[Seen]) -> None:
    """Raise if each row is two texts to compare."""
    stems: defaultdict[str, list[str]] = defaultdict(list)
    for one in texts:
        match = _PAIR.fullmatch(same(one.name))
        if match and match[1] in TEXT_NAMES:
            stems[match[1]].append(one.name)
        if same(one.name) in ("premise", "hypothesis"):
            stems["premise"].append(one.name)
    pairs = [names for names in stems.values() if len(names) > 1]
    if pairs and not exact:
        raise DataError(
            f"columns {quote(pairs[0])} are two texts in each row; a label of a pair is not among the tasks here",
            f"join the two in one column, or choose one with `--column text={pairs[0][0]}`",
        )
