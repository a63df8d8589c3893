"""What names of files say about formats."""

from __future__ import annotations

from pathlib import PurePath

ACCEPTED = "CSV, TSV, JSON, JSONL, Parquet and CoNLL files (or `.gz` of them), and folders of text files by label"
SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".conll": "conll",
    ".conllu": "conll",
    ".conllx": "conll",
    ".iob": "conll",
    ".iob2": "conll",
    ".bio": "conll",
}


def suffix_of(path: PurePath) -> str:
    """The ending that says the format: of `rows.csv.gz` it is `.csv`."""
    suffix = path.suffix.lower()
    return PurePath(path.stem).suffix.lower() if suffix in (".gz", ".gzip") else suffix
