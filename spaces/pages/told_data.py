"""A profile in HTML: what was found in the data, what it means, and what is worth a look."""

from __future__ import annotations

from collections.abc import Sequence

from pages import look
from tunekit_hub import units, wording
from tunekit_hub.profiles import meaning
from tunekit_hub.records import Note, Profile

LABELS = 15  # shown one by one


def show(record: Profile) -> str:
    """A profile as tables and bars."""
    texts = [
        ("languages", ", ".join(record.languages) or "none recognised"),
        (
            "domain",
            (record.domain or "general") + (f" ({', '.join(record.domain_words)})" if record.domain_words else ""),
        ),
        ("tokens a row", _lengths(record)),
        ("counted", wording.counted({name: n for name, n in record.counts.items() if name != "labels"})),
    ]
    columns = [
        (f"`{one.name}`", one.role or "", one.kind, units.count(one.empty), units.count(one.distinct))
        for one in record.found
    ]
    heads = ("name", "used as", "kind", "empty", "distinct")
    return look.page(
        look.panel("What was found", look.fields(_facts(record))),
        look.panel("What this means", look.items(wording.sentence(one) for one in meaning.explain(record))),
        _labels(record),
        look.panel("Texts", look.fields(texts)),
        look.panel(f"Columns ({len(columns)})", look.table("As they were found", heads, columns, right=(3, 4)))
        if columns
        else "",
        look.panel("Worth a look", look.items(_note(note, record) for note in record.notes)),
    )


def _facts(record: Profile) -> Sequence[tuple[str, str]]:
    rows = units.count(record.num_rows)
    if record.used_rows < record.num_rows:
        rows += f", of which {units.count(record.used_rows)} are used"
    return (
        ("data", f"`{wording.file_name(record.data.source)}`, {record.data.format}"),
        ("rows", rows),
        ("task", f"{record.task.replace('_', ' ')}, {record.shape}"),
        ("because", record.why),
        ("tested on", f"{units.count(record.test_rows)} rows of their own" if record.test else ""),
    )


def _lengths(record: Profile) -> str:
    tokens = record.tokens
    guess = ", estimated until a model is chosen" if tokens.estimated else ""
    return (
        f"half up to {units.count(tokens.p50)}, 95 % up to {units.count(tokens.p95)}, longest "
        f"{units.count(tokens.max)}; {units.count(tokens.total)} in all{guess}"
    )


def _labels(record: Profile) -> str:
    """How often each label occurs."""
    if not record.labels:
        return ""
    kind = "Entity types" if "entities" in record.counts else "Labels"
    whole = record.num_rows if "rows_with_several_labels" in record.counts else sum(record.labels.values())
    ordered = sorted(record.labels.items(), key=lambda item: -item[1])
    rest = ordered[LABELS:]
    rows = [(name, n, f"{units.count(n)} · {100 * n / max(whole, 1):.1f} %") for name, n in ordered[:LABELS]]
    more = f"{units.count(len(rest))} more, {units.count(sum(n for _, n in rest))} together" if rest else ""
    return look.panel(
        f"{kind} ({len(ordered)})", look.bars("Most frequent first", rows), look.said(more) if more else ""
    )


def _note(note: Note, record: Profile) -> str:
    unit = "row" if record.data.format in ("json", "parquet", "folder") else "line"
    message = note.message
    if note.count and f"{note.count:,} " not in message:
        message = f"{units.count(note.count)} × {message}"
    if not note.lines or (note.count == 1 and f"line {note.lines[0]}" in note.message):
        return message
    shown = ", ".join(str(line) for line in note.lines[:8])
    more = f" and {note.count - 8:,} more" if note.count > 8 else ""
    return f"{message} ({unit}{'' if note.count == 1 else 's'} {shown}{more})"
