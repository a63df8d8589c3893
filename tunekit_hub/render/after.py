"""Pages of the outcome: evaluation, answers side by side."""

from __future__ import annotations

from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

from tunekit_hub.render.layout import SYMBOLS, Page, pad, terminal_width, wrap
from tunekit_hub.scores.answers import read
from tunekit_hub.tasks import TASKS
from tunekit_hub.wording import gain, held_out, labels, reloaded, scores

if TYPE_CHECKING:
    from tunekit_hub.records import Evaluation

SHOWN = 3  # answers side by side
LONGEST = 14  # lines of an answer
WORST = 12  # labels


def evaluation(page: Page, record: Evaluation) -> None:
    """Tuned against baselines, in figures and in words; the labels that are found worst."""
    task = TASKS[record.training.plan.task]
    page.say(f"On {held_out(record)}, which no contender was trained on:")
    page.blank()
    head, *rows = scores(record, task.measures)
    page.table(head, rows)
    page.blank()
    gate = "pass" if record.reload.passed else "block"
    helped = "pass" if record.helped else "warn"
    page.fields(
        [
            ("gain", gain(record, task.measures[record.metric])),
            ("verdict", f"{SYMBOLS[helped]} {record.verdict}"),
            ("reload gate", f"{SYMBOLS[gate]} {gate}: {reloaded(record.reload)}"),
            ("files", ", ".join(record.files)),
        ]
    )
    if record.labels:
        shown = labels(record)[:WORST]
        whole = len(record.labels)
        page.heading("Labels" if whole == len(shown) else f"Labels: the {len(shown)} found worst of {whole}")
        page.table(("label", "precision", "recall", "F1", "rows"), shown, right={1, 2, 3, 4})


def answers(path: Path, *, color: bool = False, width: int | None = None) -> str:
    """The first answers of a run's `answers.jsonl`, untuned and tuned side by side."""
    width = width or terminal_width()
    page = Page("Answers", color=color, width=width)
    half = (width - 5) // 2
    for number, answer in enumerate(read(path)[:SHOWN], 1):
        page.blank()
        page.say(f"{number}. {answer.prompt}")
        page.lines.append("  " + page.dim(pad("untuned", half) + " │ " + "tuned"))
        for left, right in zip_longest(_cut(answer.untuned, half), _cut(answer.tuned, half), fillvalue=""):
            page.lines.append(f"  {pad(left, half)} │ {right}")
    return str(page)


def _cut(text: str, width: int) -> list[str]:
    """An answer's lines, no more than fit a glance."""
    lines = wrap(text.strip(), width) if text.strip() else ["(nothing)"]
    return lines if len(lines) <= LONGEST else [*lines[: LONGEST - 1], "…"]
