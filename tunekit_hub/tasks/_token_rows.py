"""Tables with a word in each row, and a column that says which sentence it is of → lists of words and tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tunekit_hub.tasks import Match, _schemes
from tunekit_hub.tasks._columns import SAMPLE, as_text, is_scalar, name_words, same
from tunekit_hub.tasks._schemes import POS, POS_SHAPE, TYPES

if TYPE_CHECKING:
    from tunekit_hub.data import Rows

SENTENCE = "sentence"  # role of the column that numbers sentences
_WORDS = ("word", "words", "token", "tokens", "form")
_TAGS = ("ner_tag", "ner_tags", "ner", "iob", "bio", "tag", "tags", "label", "labels", "pos", "upos")


def find_token_rows(rows: Rows, mapped: Mapping[str, str]) -> Match | None:
    """The columns of words, tags and sentences, by their names; the tags must look like tags too."""
    if not set(mapped) <= {"tokens", "tags", SENTENCE}:
        return None
    names = [name for name in rows.table.column_names if is_scalar(rows.table.schema.field(name).type)]
    free = [name for name in names if name not in mapped.values()]
    columns = {
        "tokens": next((name for usual in _WORDS for name in free if same(name) == usual), None),
        "tags": next((name for usual in _TAGS for name in free if same(name) == usual), None),
        SENTENCE: next((name for name in free if {"sentence", "sent"} & set(name_words(name))), None),
    } | dict(mapped)
    found = {role: name for role, name in columns.items() if name is not None and name in names}
    if len(found) < len(columns):
        return None
    tags = as_text(rows.table.column(found["tags"]).slice(0, SAMPLE)).drop_null().to_pylist()
    scheme = _schemes.find([tags])
    if scheme is None or (scheme == TYPES and not mapped):
        return None  # words with a number or a word beside them may be anything
    sentences = as_text(rows.table.column(found[SENTENCE]).slice(0, SAMPLE))
    if pc.count_distinct(sentences).as_py() * 2 > len(sentences):
        return None  # a word beside a sentence of its own
    what = "parts of speech" if scheme == POS else f"{scheme} tags"
    why = (
        f"column `{found['tags']}` holds {what}, a word in each row; `{found[SENTENCE]}` says where sentences end"
    )
    return Match(POS_SHAPE if scheme == POS else f"{scheme} tags", found, why, {"scheme": scheme})


def regroup(rows: Rows, match: Match) -> Rows:
    """A row for each sentence; its line is that of its first word. Words without one go with the last."""
    words, tags, sentences = (as_text(rows.table.column(match.columns[r])) for r in ("tokens", "tags", SENTENCE))
    filled = pc.fill_null(pc.fill_null_forward(sentences), "").dictionary_encode().unify_dictionaries()
    codes = np.concatenate([np.empty(0, np.int64), *(chunk.indices.to_numpy() for chunk in filled.chunks)])
    starts = np.flatnonzero(np.diff(codes, prepend=-1)).astype(np.int64)
    ends = pa.array(np.append(starts, len(codes)), pa.int64())
    lists = [pa.LargeListArray.from_arrays(ends, pa.concat_arrays(column.chunks)) for column in (words, tags)]
    table = pa.table(lists, names=[match.columns["tokens"], match.columns["tags"]])
    return replace(rows, table=table, lines=np.asarray(rows.lines, np.int64)[starts].tolist())
