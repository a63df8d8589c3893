"""Tables as rows of data, and how a task reads them."""

import pyarrow as pa
import pytest

from tunekit_hub import data
from tunekit_hub.errors import DataError
from tunekit_hub.figures import DataRef

TEXTS = [
    "The plot is thin, and yet I stayed to the end of it.",
    "A dull afternoon, saved by the music.",
    "I would see it again with my sister.",
    "Nobody laughed at the jokes in the second act.",
    "The cast is splendid and the sets are better still.",
    "It drags on for an hour and then simply stops.",
    "My neighbour slept through the whole of it.",
    "What a voice she has, and what a stage presence!",
]


def rows_of(table):
    table = table if isinstance(table, pa.Table) else pa.table(table)
    ref = DataRef(source="made.jsonl", format="jsonl", sha256="0" * 64)
    return data.Rows(table, range(1, table.num_rows + 1), ref)


def read_twice(task, table, **columns):
    """What the profile counts and what is trained on, of the same rows."""
    rows = rows_of(table)
    match = task.detect(rows, columns)
    assert match is not None
    examined, examples = task.examine(rows, match), task.parse(rows, match)
    assert examined.texts.to_pylist() == [task.text(row) for row in examples.rows]
    assert examined.lines.tolist() == list(examples.lines)
    assert len(examined.tokens) == len(examined.keys) == len(examples.rows)
    assert list(examined.notes) == list(examples.notes)
    return match, examined, examples


def refusal(task, table, **columns):
    """The error that such a table ends in."""
    with pytest.raises(DataError) as caught:
        read_twice(task, table, **columns)
    return caught.value


def notes_of(examples):
    return {note.code: (note.count, note.lines) for note in examples.notes}
