"""The rows of classification data: which are well-formed, and what there is to say about them.

Profile and training see the same rows because both come from `read`. It works on whole columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from tunekit_hub.errors import DataError
from tunekit_hub.labelled import Labelled
from tunekit_hub.profiles import text_columns
from tunekit_hub.profiles.notes import note
from tunekit_hub.records import Note
from tunekit_hub.tasks import Examined
from tunekit_hub.tasks import _labels as labelling
from tunekit_hub.tasks._accepted import accepted
from tunekit_hub.tasks._columns import as_text
from tunekit_hub.tasks._labels import MULTI, Labels
from tunekit_hub.text import count_rows, name_lines, quote

if TYPE_CHECKING:
    from tunekit_hub.data import Rows
    from tunekit_hub.tasks import Match

_MANY = 50  # rows from which on labels must repeat


@dataclass(frozen=True)
class Read:
    """Well-formed rows, column by column; `codes` are places in `labels.values`."""

    texts: pa.ChunkedArray
    lines: np.ndarray
    codes: np.ndarray
    labels: Labels
    counted: dict[str, int]
    multi: bool
    notes: list[Note]


def read(rows: Rows, match: Match) -> Read:
    """The rows that have a text and, unless they may have none, a label.

    Raises:
        DataError: no row is left, or the labels tell nothing apart.
    """
    multi = match.shape == MULTI
    texts = as_text(rows.table.column(match.columns["text"]))
    labels = labelling.read(rows.table, match)
    lines = np.asarray(rows.lines, np.int64)
    sizes = np.array([len(value) for value in labels.values] or [0])
    number = np.where(labels.codes >= 0, sizes[labels.codes], 0)
    use = np.ones(len(lines), bool)
    problems: dict[str, np.ndarray] = {}
    for code, bad in (
        ("rejected", ~accepted(rows.table)),
        ("empty-text", texts.is_null().to_numpy()),
        ("empty-label", labels.codes < 0 if multi else number == 0),
        ("several-labels", np.zeros(len(lines), bool) if multi else number > 1),
    ):
        problems[code] = use & bad
        use &= ~bad
    notes = [
        note(code, _why(code, lines[bad]), lines[bad].tolist()) for code, bad in problems.items() if bad.any()
    ]
    if not use.any():
        raise _nothing_left(rows, problems, lines)
    counted = labelling.count(labels, use)
    kept = Read(texts.filter(pa.array(use)), lines[use], labels.codes[use], labels, counted, multi, notes)
    notes += _about_labels(kept)
    return kept


def rows_of(found: Read) -> Sequence[Labelled]:
    """What is trained on."""
    values = found.labels.values
    return [
        Labelled(text, values[code])
        for text, code in zip(found.texts.to_pylist(), found.codes.tolist(), strict=True)
    ]


def examined(found: Read) -> Examined:
    """What the profile counts."""
    sizes = np.array([len(value) for value in found.labels.values])[found.codes]
    counts = {"labels": len(found.counted)}
    if found.multi:
        counts |= {
            "rows_with_several_labels": int((sizes > 1).sum()),
            "rows_without_a_label": int((sizes == 0).sum()),
        }
    return Examined(
        texts=found.texts,
        lines=found.lines,
        tokens=text_columns.estimate_tokens(found.texts),
        notes=found.notes,
        labels=found.counted,
        counts=counts,
        keys=_keys(found),
    )


def _keys(found: Read) -> np.ndarray:
    """Equal where the labels are equal, in whatever order they stand."""
    place: dict[frozenset[str], int] = {}
    of_value = [place.setdefault(frozenset(value), len(place)) for value in found.labels.values]
    return np.array(of_value, np.int64)[found.codes]


def _why(code: str, lines: np.ndarray) -> str:
    why = {
        "rejected": "marked as rejected or ignored by the annotator",
        "empty-text": "they have no text",
        "empty-label": "they have no label",
        "several-labels": "they have several labels where the others have one",
    }[code]
    if len(lines) == 1:
        why = why.replace("they have", "it has")
    return f"{count_rows(len(lines))} not used: {why}"


def _nothing_left(rows: Rows, problems: dict[str, np.ndarray], lines: np.ndarray) -> DataError:
    said = "; ".join(
        f"{_why(code, lines[bad])} ({name_lines(lines[bad].tolist())})"
        for code, bad in problems.items()
        if bad.any()
    )
    return DataError(
        f"no row of `{rows.ref.source}` can be used: {said}",
        "fill them in, or name other columns with `--column text=NAME` and `--column label=NAME`",
    )


def check_labels(rows: Rows, match: Match) -> None:
    """Raise where the labels are one, or nearly as many as the rows. Of a test file neither would be wrong."""
    labels = labelling.read(rows.table, match)
    given = labels.codes >= 0
    counted, number, multi = labelling.count(labels, given), int(given.sum()), match.shape == MULTI
    hint = "name the column that holds the labels: `--column label=NAME`"
    if not counted:
        raise DataError(f"no row of `{rows.ref.source}` has a label, so there is nothing to learn", hint)
    if len(counted) == 1 and (not multi or next(iter(counted.values())) == number):
        label = next(iter(counted))
        which = "the only row has" if number == 1 else f"all {number:,} rows have"
        raise DataError(
            f"{which} the label `{label}`; nothing to tell apart", f"add rows of other labels, or {hint}"
        )
    if number >= _MANY and len(counted) * 2 > sum(counted.values()):
        raise DataError(
            f"`{rows.ref.source}` has {len(counted):,} different labels in {number:,} rows; labels must repeat",
            hint,
        )


def _about_labels(found: Read) -> list[Note]:
    """Labels that are rare, and labels that look like one another."""
    notes = []
    rare = [name for name, rows in found.counted.items() if rows < 2]
    if rare:
        lines = found.lines[np.isin(found.codes, _codes_with(found.labels, set(rare)))].tolist()
        have = "label has one row, which" if len(rare) == 1 else "labels have one row each, which"
        shown = quote(rare[:5]) + (f" and {len(rare) - 5:,} more" if len(rare) > 5 else "")
        notes.append(
            note("rare-labels", f"{len(rare):,} {have} cannot be both trained on and tested: {shown}", lines)
        )
    for group in labelling.alike(list(found.counted))[:5]:
        lines = found.lines[np.isin(found.codes, _codes_with(found.labels, set(group[1:])))].tolist()
        message = f"labels {quote(group)} differ in case or spacing only; they count as different labels"
        notes.append(note("similar-labels", message, lines))
    return notes


def _codes_with(labels: Labels, names: set[str]) -> list[int]:
    return [code for code, value in enumerate(labels.values) if names & set(value)]
