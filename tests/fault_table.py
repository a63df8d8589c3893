"""The table of the fault matrix: calls, faults, and what became of each command. `tests/faults/` fills it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PROPERTY = "fault cells"  # of the reports of tests that tell of cells
Cell = Mapping[str, Any]
# What a mark in the table means. Small: the command ended with an error, and the next one finished.
MARKS = {
    "F": "finished",
    "u": "error, the repository untouched",
    "e": "error, a new repository left empty, and said so",
    "c": "error, the repository complete",
    "r": "error; nothing is written by this command",
    "X": "BAD",
    "·": "cannot befall this call, or is not in its share",
}


def mark(cell: Cell) -> str:
    """One letter for one cell."""
    if cell["wrong"]:
        return "X"
    if cell["ended"] == "finished":
        return "F"
    return {"absent": "u", "untouched": "u", "empty": "e", "complete": "c", "-": "r"}[cell["repo"]]


def counts(cells: Sequence[Cell]) -> str:
    """How many of each, in a line."""
    marks = Counter(mark(cell) for cell in cells)
    again = sum(cell["again"] == "finished" for cell in cells)
    errors = sum(cell["again"] != "-" for cell in cells)
    parts = [f"{marks[letter]} {MARKS[letter]}" for letter in MARKS if marks[letter]]
    return f"{len(cells)} cells: {'; '.join(parts)}. Second run: {again} of {errors} finished."


def _ordered(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _grids(cells: Sequence[Cell]) -> list[tuple[str, list[str], list[str], dict[tuple[str, str], str]]]:
    """Per scene: its name, the calls, the faults, and the mark of each pair."""
    faults = sorted(_ordered(cell["fault"] for cell in cells), key=_rank(cells, "fault"))
    found = []
    for scene in sorted(_ordered(cell["scene"] for cell in cells), key=_rank(cells, "scene")):
        own = [cell for cell in cells if cell["scene"] == scene]
        spots = sorted(_ordered(cell["spot"] for cell in own), key=_rank(own, "spot"))
        found.append((scene, spots, faults, {(cell["spot"], cell["fault"]): mark(cell) for cell in own}))
    return found


def _rank(cells: Sequence[Cell], field: str) -> Any:
    """By the place that each cell tells of; tests may have run in any order."""
    places = {cell[field]: cell[f"{field}_at"] for cell in cells}
    return lambda value: places[value]


def text(cells: Sequence[Cell]) -> list[str]:
    """For the terminal: a letter per cell, the faults by number."""
    lines: list[str] = []
    for scene, spots, faults, marks in _grids(cells):
        width = max(len(spot) for spot in spots)
        lines += ["", f"{scene} ({counts([cell for cell in cells if cell['scene'] == scene])})"]
        lines.append(" " * width + " " + " ".join(f"{number:>2}" for number in range(1, len(faults) + 1)))
        for spot in spots:
            letters = " ".join(f"{marks.get((spot, fault), '·'):>2}" for fault in faults)
            lines.append(f"{spot:<{width}} {letters}")
    faults = _grids(cells)[0][2]
    lines += ["", *(f"{number:>2} {fault}" for number, fault in enumerate(faults, 1)), ""]
    lines += [f" {letter} {meaning}" for letter, meaning in MARKS.items()]
    return [*lines, "", counts(cells)]


def markdown(cells: Sequence[Cell]) -> str:
    """For `docs/faults.md`: a row per fault, a column per command, and in each how many calls ended how."""
    scenes = [scene for scene, _, _, _ in _grids(cells)]
    parts = [counts(cells), ""]
    for scene in scenes:
        own = [cell for cell in cells if cell["scene"] == scene]
        parts.append(f"- **{scene}**: {len({cell['spot'] for cell in own})} calls, {counts(own)}")
    parts += ["", f"| fault | {' | '.join(scenes)} |", f"|---{'|---' * len(scenes)}|"]
    for fault in _grids(cells)[0][2]:
        row = [_brief([c for c in cells if c["fault"] == fault and c["scene"] == scene]) for scene in scenes]
        parts.append(f"| {fault} | {' | '.join(row)} |")
    return "\n".join([*parts, "", *(f"- `{letter}` {MARKS[letter]}" for letter in MARKS if letter not in "X·")])


def _brief(cells: Sequence[Cell]) -> str:
    marks = Counter(mark(cell) for cell in cells)
    return " ".join(f"{marks[letter]} {letter}" for letter in MARKS if marks[letter]) or "-"


def reported(reports: Iterable[Any]) -> list[Cell]:
    """The cells that test reports tell of, from whatever process they came."""
    return [
        cell
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == PROPERTY and report.when == "call"
        for cell in value
    ]


def show(terminal: Any) -> None:
    """Write the table at the end of a session in which cells were run."""
    cells = reported(
        report for reports in terminal.stats.values() for report in reports if hasattr(report, "when")
    )
    if cells:
        terminal.section("faults")
        for line in text(cells):
            terminal.write_line(line)
