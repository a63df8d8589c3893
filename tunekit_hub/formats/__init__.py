"""Which format a file has, and one reader per format. Every reader says what is wrong with line numbers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from tunekit_hub.errors import DataError
from tunekit_hub.formats.binary import refuse_binary
from tunekit_hub.formats.decoding import TextFile, look, open_bytes
from tunekit_hub.formats.delimited import read_csv, read_tsv
from tunekit_hub.formats.dialogues import are_dialogues, read_dialogues
from tunekit_hub.formats.json_rows import is_json, read_json, read_jsonl
from tunekit_hub.formats.parquet import MAGIC, read_parquet
from tunekit_hub.formats.raw import Parsed
from tunekit_hub.formats.suffixes import ACCEPTED as ACCEPTED
from tunekit_hub.formats.suffixes import SUFFIXES as SUFFIXES
from tunekit_hub.formats.suffixes import suffix_of as suffix_of
from tunekit_hub.formats.tokens import find_layout, read_tokens


def load(path: Path, wanted: Sequence[str] = ()) -> tuple[str, Parsed]:
    """The name of the format, and the rows, of a file that exists and is not empty.

    The format follows from what is in the file, and from its name where that leaves a choice.

    Args:
        path: The file.
        wanted: Columns that somebody has named.

    Raises:
        DataError: It cannot be read, or its format is not known.
    """
    with open_bytes(path) as file:
        start = file.read(512)
    if not start.strip():
        raise DataError(f"`{path.name}` is empty", "give a file with at least one row")
    if start.startswith(MAGIC) or SUFFIXES.get(suffix_of(path)) == "parquet":
        if not start.startswith(MAGIC):
            refuse_binary(path, start)
            message = f"`{path.name}` is named for Parquet and is not: it does not begin with `PAR1`"
            raise DataError(message, "give it the ending of the format it has, or write it again")
        table = read_parquet(path)
        return "parquet", Parsed(table, range(1, table.num_rows + 1))
    text = look(path)
    known = SUFFIXES.get(suffix_of(path))
    if known in ("json", "jsonl"):
        return _json(text, known)
    layout = find_layout(text, 0.5) if known == "conll" else find_layout(text)
    if layout is not None:
        return "conll", read_tokens(text, layout)
    return _by_content(text, known, wanted)


def _json(text: TextFile, known: str | None) -> tuple[str, Parsed]:
    """One object per line, whatever the name; else one value."""
    start, after = _first_lines(text)
    if start.startswith("["):
        by_line = after.startswith("[") and is_json(start)
    else:
        by_line = known == "jsonl" or (start.startswith("{") and is_json(start) and bool(after or not known))
    if by_line:
        return "jsonl", read_jsonl(text)
    return "json", read_json(text)


def _by_content(text: TextFile, known: str | None, wanted: Sequence[str]) -> tuple[str, Parsed]:
    if known == "csv":
        return "csv", read_csv(text, wanted)
    if known == "tsv":
        return "tsv", read_tsv(text, wanted)
    if known == "conll":
        raise DataError(
            f"`{text.name}` is no token file: its lines do not have equally many columns with tags in the last",
            "each token stands on a line with its tag after a tab or a space, and a blank line ends a sentence",
        )
    start, _ = _first_lines(text)
    if start[:1] in ("{", "["):
        return _json(text, None)
    if are_dialogues(text):
        return "dialogues", read_dialogues(text)
    for separator, name in (("\t", "tsv"), (",", "csv"), (";", "csv"), ("|", "csv")):
        if separator in start:
            return name, (read_tsv if name == "tsv" else read_csv)(text, wanted)
    raise DataError(
        f"the format of `{text.name}` is not known, neither from its name nor from its first line",
        f"rows are read from {ACCEPTED}",
    )


def _first_lines(text: TextFile) -> tuple[str, str]:
    """The first two lines that are not blank."""
    filled = [*islice((line.strip() for line in text.lines() if line.strip()), 2), "", ""]
    return filled[0], filled[1]
