"""Which labels are taken for which: a table of all of them, and a picture of those that are confused most."""

from __future__ import annotations

import csv
import textwrap
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SHOWN = 20  # labels in a picture; more cannot be read
_WIDTH = 22  # characters of a label in a line
_LINES = 3  # of a label; the rest is cut


@dataclass(frozen=True)
class Confusion:
    """`table[i, j]`: how often the true label i was predicted as j."""

    labels: tuple[str, ...]
    table: np.ndarray

    @property
    def mistakes(self) -> np.ndarray:
        """Per label: how often it was missed or wrongly predicted."""
        return self.table.sum(axis=0) + self.table.sum(axis=1) - 2 * self.table.diagonal()


def confusion(truth: Sequence[str], predicted: Sequence[str]) -> Confusion:
    """Over pairs of one true and one predicted label."""
    labels = sorted({*truth, *predicted})
    at = {label: i for i, label in enumerate(labels)}
    table = np.zeros((len(labels), len(labels)), dtype=np.int64)
    np.add.at(table, ([at[true] for true in truth], [at[said] for said in predicted]), 1)
    return Confusion(tuple(labels), table)


def write_table(found: Confusion, path: Path) -> None:
    """As CSV: a row for each true label, a column for each predicted one."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["true \\ predicted", *found.labels])
        out.writerows([label, *row.tolist()] for label, row in zip(found.labels, found.table, strict=True))


def write_picture(found: Confusion, path: Path, *, of: str) -> None:
    """As PNG; of more than `SHOWN` labels those with the most mistakes.

    Shading is by share of the true label's row, and the number stands in the cell: colour alone says nothing.

    Args:
        found: what to draw.
        path: where to.
        of: what was counted, such as "held-out rows".
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = _shown(found)
    cells, columns = _cells(found, shown)
    names = [found.labels[i] for i in shown]
    side = 0.5 * max(len(names), 3)
    figure = Figure(figsize=(side + 4.0, side + 3.2), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    shares = cells / np.maximum(found.table.sum(axis=1)[shown], 1)[:, None]
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(columns)), [_wrapped(name) for name in columns], rotation=90, fontsize=8)
    axes.set_yticks(range(len(names)), [_wrapped(name) for name in names], fontsize=8)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set_parse_math(False)  # a label may hold a dollar sign
    for i, j in zip(*np.nonzero(cells), strict=True):
        colour = "white" if shares[i, j] > 0.5 else "black"
        axes.text(j, i, f"{cells[i, j]:,}", ha="center", va="center", fontsize=8, color=colour)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title(_title(found, len(names), of), fontsize=10)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # glyphs that the font lacks
        figure.savefig(path, metadata={"Software": None})


def _shown(found: Confusion) -> list[int]:
    if len(found.labels) <= SHOWN:
        return list(range(len(found.labels)))
    return sorted(np.argsort(-found.mistakes, kind="stable")[:SHOWN].tolist())


def _cells(found: Confusion, shown: list[int]) -> tuple[np.ndarray, list[str]]:
    """The part of the table that is drawn, with a column for all other labels together."""
    cells, columns = found.table[np.ix_(shown, shown)], [found.labels[i] for i in shown]
    if len(shown) == len(found.labels):
        return cells, columns
    rest = found.table[shown].sum(axis=1) - cells.sum(axis=1)
    return np.column_stack([cells, rest]), [*columns, "any other"]


def _title(found: Confusion, shown: int, of: str) -> str:
    right, every = int(found.table.trace()), int(found.table.sum())
    scored = f"{right:,} of {every:,} {of} are right"
    if shown == len(found.labels):
        return scored
    return f"{scored}\nthe {shown} labels with the most mistakes, of {len(found.labels)}"


def _wrapped(label: str) -> str:
    """In lines of at most `_WIDTH` characters, broken after underscores too."""
    spaced = label.replace("_", "_\u200b")
    words = " ".join(spaced.split("\u200b")) if len(label) > _WIDTH else label
    lines = textwrap.wrap(words, _WIDTH, max_lines=_LINES, placeholder=" …") or [label]
    return "\n".join(line.replace("_ ", "_") for line in lines)
