"""The page of a profile."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tunekit_hub import units
from tunekit_hub.profiles import meaning
from tunekit_hub.profiles.sensitive import NAMES as SENSITIVE
from tunekit_hub.render.layout import cells, pad, plain
from tunekit_hub.wording import counted, sentence

if TYPE_CHECKING:
    from tunekit_hub.records import Note, Profile
    from tunekit_hub.render.layout import Page

_LABELS = 12  # that are shown one by one
_LINES = 8  # line numbers of a note
_WIDEST_NAME, _WIDEST_BAR = 32, 40  # cells
_BAR = "▇"
_BY_NUMBER = ("json", "parquet", "folder")  # formats whose rows are known by number, not by line
_REPEATED = ("duplicates", "near-duplicates", "label-conflicts")
_TESTED = ("leakage", "near-leakage", "unseen-labels")


def profile(page: Page, record: Profile) -> None:
    """What the data holds, what is odd about it, and what that means."""
    _data(page, record)
    if record.found:
        page.heading("Columns")
        rows = [
            (one.name, one.role or "", one.kind, units.count(one.empty), units.count(one.distinct))
            for one in record.found
        ]
        page.table(("name", "used as", "kind", "empty", "distinct"), rows, right={3, 4})
    if record.labels:
        _labels(page, record)
    _texts(page, record)
    _notes(page, record)
    said = meaning.explain(record)
    if said:
        page.heading("What this means")
        for one in said:
            _item(page, "·", sentence(one))


def _data(page: Page, record: Profile) -> None:
    rows = units.count(record.num_rows)
    if record.used_rows < record.num_rows:
        rows += f", of which {units.count(record.used_rows)} are used (`--max-rows`)"
    test = f"{units.count(record.test_rows)} rows of {record.test.source}" if record.test else ""
    mapped = ", ".join(f"{role} = `{column}`" for role, column in record.columns.items())
    page.fields(
        [
            ("data", f"{record.data.source} ({record.data.format}, sha256 {record.data.sha256[:12]})"),
            ("rows", rows),
            ("tested on", test),
            ("task", f"{record.task}, {record.shape}"),
            ("because", record.why),
            ("columns", "" if record.found else mapped),
        ]
    )


def _texts(page: Page, record: Profile) -> None:
    tokens = record.tokens
    domain = record.domain or ""
    if record.domain_words:
        domain += f" ({', '.join(record.domain_words)})"
    page.heading("Texts")
    page.fields(
        [
            ("languages", ", ".join(record.languages) or "none recognised"),
            ("domain", domain or "general"),
            (
                "tokens",
                f"p50 {units.count(tokens.p50)} · p95 {units.count(tokens.p95)} · max {units.count(tokens.max)} · "
                f"{units.count(tokens.total)} in all" + (" (estimated)" if tokens.estimated else ""),
            ),
            ("counted", counted({name: count for name, count in record.counts.items() if name != "labels"})),
        ]
    )


def _labels(page: Page, record: Profile) -> None:
    """Each label with its count, share and a bar; of many the most frequent, and how frequent the others are."""
    # Rows with several labels count under each, so shares are of the rows; entities have one type each.
    several = "rows_with_several_labels" in record.counts
    whole = record.num_rows if several else sum(record.labels.values())
    kind = "Entity types" if "entities" in record.counts else "Labels"
    page.heading(f"{kind} ({units.count(len(record.labels))})")
    ordered = sorted(record.labels.items(), key=lambda item: -item[1])
    shown = ordered if len(ordered) <= _LABELS + 1 else ordered[:_LABELS]
    rest = [count for _, count in ordered[len(shown) :]]
    names = [_cut(name, min(_WIDEST_NAME, page.width // 3)) for name, _ in shown]
    counts = [units.count(count) for _, count in shown]
    shares = [f"{100 * count / whole:.1f} %" for _, count in shown]
    widths = [max(map(cells, column)) for column in (names, counts, shares)]
    room = min(_WIDEST_BAR, page.width - sum(widths) - 8)
    for name, number, part, (_, count) in zip(names, counts, shares, shown, strict=True):
        bar = _BAR * max(1, round(room * count / ordered[0][1]))
        texts = pad(name, widths[0]), pad(number, widths[1], right=True), pad(part, widths[2], right=True)
        page.lines.append(f"  {'  '.join(texts)}  {page.dim(bar)}")
    if rest:
        fewest, most = units.count(min(rest)), units.count(max(rest))
        page.say(f"{units.count(len(rest))} more, {fewest if fewest == most else f'{fewest} to {most}'} each")


def _cut(text: str, width: int) -> str:
    """The text on one line, in at most `width` cells."""
    text = " ".join(plain(text).split())
    if cells(text) <= width:
        return text
    return next(text[:n] for n in range(len(text), -1, -1) if cells(text[:n]) < width) + "…"


def _notes(page: Page, record: Profile) -> None:
    for title, notes in _grouped(record.notes):
        page.heading(title)
        for note in notes:
            unit = "row" if record.data.format in _BY_NUMBER else "line"
            message = note.message
            if f"{note.count:,} " not in message and note.count:
                message = f"{units.count(note.count)} × {message}"
            _item(page, "!", f"{message}{_where(note, unit)}")


def _grouped(notes: Sequence[Note]) -> Iterable[tuple[str, list[Note]]]:
    """Notes by what they are about; what is not named is about rows that cannot be read or used as they are."""
    groups: dict[str, list[Note]] = {
        "Rows to look at": [],
        "Repeated rows": [],
        "Test file": [],
        "Secrets and personal data": [],
    }
    for note in notes:
        if note.code in _REPEATED:
            groups["Repeated rows"].append(note)
        elif note.code in _TESTED or note.code.startswith("test-"):
            groups["Test file"].append(note)
        elif note.code in SENSITIVE:
            groups["Secrets and personal data"].append(note)
        else:
            groups["Rows to look at"].append(note)
    return ((title, found) for title, found in groups.items() if found)


def _where(note: Note, unit: str) -> str:
    """` (lines 3, 9 and 38 more)`."""
    if not note.lines or (note.count == 1 and f"line {note.lines[0]}" in note.message):
        return ""
    shown = note.lines if note.count <= _LINES else note.lines[:_LINES]
    numbers = [str(line) for line in shown]
    if note.count > len(shown):
        return f" ({unit}s {', '.join(numbers)} and {note.count - len(shown):,} more)"
    if len(numbers) == 1:
        return f" ({unit} {numbers[0]})"
    return f" ({unit}s {', '.join(numbers[:-1])} and {numbers[-1]})"


def _item(page: Page, mark: str, text: str) -> None:
    """A paragraph that hangs on its mark."""
    start = len(page.lines)
    page.say(text, indent=4)
    page.lines[start] = f"  {mark} {page.lines[start].strip()}"
