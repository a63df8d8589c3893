"""The outcome of a run in HTML: scores, labels, confusion, mistakes, answers side by side, how it was trained."""

from __future__ import annotations

import base64
import csv
import json
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pages import curve as drawing
from pages import look
from tunekit_hub import units, wording
from tunekit_hub.records import Evaluation, Supervision, TrainResult
from tunekit_hub.replies import Reply
from tunekit_hub.scores.answers import Answer
from tunekit_hub.tasks import TASKS
from tunekit_hub.text import count_rows

WORST = 15  # labels
SHOWN = 5  # answers
MISTAKES = 8


def scores(found: Evaluation) -> str:
    """Whether it helped, then every measure of every contender with its interval."""
    task = TASKS[found.training.plan.task]
    head, *rows = wording.scores(found, task.measures)
    gate = "pass" if found.reload.passed else "block"
    worst = wording.labels(found)
    helped = look.mark("pass", "yes") if found.helped else look.mark("warn", "no")
    listed = (
        "each label, the one found worst first"
        if len(worst) <= WORST
        else f"the {WORST} found worst of {len(worst)}"
    )
    return (
        look.panel("Did it help?", f"<p>{helped} {look.prose(found.verdict)}</p>")
        + look.panel(
            "Scores",
            look.table(f"On {wording.held_out(found)}, which no contender was trained on", head, rows),
            look.fields(
                [
                    ("gain", wording.gain(found, task.measures[found.metric])),
                    ("reload gate", f"{gate}: {wording.reloaded(found.reload)}"),
                ]
            ),
        )
        + (
            look.panel(
                "Labels",
                look.table(
                    listed.capitalize(),
                    ("label", "precision", "recall", "F1", "rows"),
                    worst[:WORST],
                    (1, 2, 3, 4),
                ),
            )
            if worst
            else ""
        )
    )


def training(found: TrainResult, proof: str) -> str:
    """How it was trained, beside what was predicted; and which tokens carried loss."""
    plan = found.plan
    facts = [
        ("steps", f"{units.count(found.steps)}, {found.epochs:.3g} times over the rows"),
        ("stopped early", found.stopped_early),
        ("adjusted", "; ".join(found.adjustments)),
        ("kept in validation", wording.kept(found)),
        ("speed", f"{units.count(found.tokens_per_second)} tokens/s, padding not counted"),
        ("time", f"{units.duration(found.seconds)}, predicted {units.duration(plan.train_seconds)}"),
        ("peak memory", f"{units.size(found.peak_memory)}, predicted {units.size(plan.memory.total)}"),
        *_supervised(found.supervision),
    ]
    losses = [(point.step, point.loss) for point in found.losses]
    validation = [(point.step, point.loss) for point in found.validation]
    shown = look.folded("A row as it is trained on", f"<pre>{look.text(proof)}</pre>") if proof else ""
    return look.panel("Training", drawing.draw(losses, validation), look.fields(facts), shown)


def _supervised(found: Supervision) -> list[tuple[str, str]]:
    dropped = ", ".join(f"{units.count(n)} × {why}" for why, n in found.dropped.items()) or "no row"
    return [
        ("trained tokens", wording.share(found.trained_tokens, found.tokens)),
        ("dropped", dropped),
        ("adapted", "; ".join(f"{count_rows(n)}: {how}" for how, n in found.adapted.items())),
        ("truncated", f"{units.count(found.truncated)} rows" if found.truncated else ""),
    ]


def confusion(picture: Path, table: Path | None) -> str:
    """Which labels are taken for which: the picture, and the same as a table."""
    data = base64.b64encode(picture.read_bytes()).decode("ascii")
    drawn = (
        f'<img class="tk-picture" src="data:image/png;base64,{data}" '
        'alt="Confusion matrix: rows are true labels, columns predicted ones; what is confused most stands below">'
    )
    return look.panel("Which labels are taken for which", drawn, _confused(table) if table else "")


def _confused(path: Path) -> str:
    """The pairs of labels that are confused most, in words."""
    with path.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    pairs = [
        (row[0], head[n], int(row[n]))
        for row in rows
        for n in range(1, len(row))
        if head[n] != row[0] and int(row[n])
    ]
    most = sorted(pairs, key=lambda pair: -pair[2])[:SHOWN]
    told = [(true, said, units.count(times)) for true, said, times in most]
    return (
        look.table("Confused most", ("true", "predicted", "times"), told, (2,))
        if told
        else look.said("No mistake.")
    )


def mistakes(path: Path) -> str:
    """The mistakes the model was surest of: wrong in the data, or blind spots."""
    with path.open(encoding="utf-8") as file:
        found = [json.loads(line) for line in islice(file, MISTAKES)]
    if not found:
        return ""
    head = list(found[0])
    rows = [[_cell(one.get(name)) for name in head] for one in found]
    return look.panel("Mistakes, the surest first", _quoted(head, rows))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.2f}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str("" if value is None else value)


def _quoted(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of what stands in the data: shown as it is."""
    tops = "".join(f'<th scope="col">{look.text(name)}</th>' for name in head)
    body = "".join(
        "<tr>"
        + "".join(f'<td data-name="{look.text(head[n])}">{look.text(cell)}</td>' for n, cell in enumerate(row))
        + "</tr>"
        for row in rows
    )
    return f'<table class="tk-table"><thead><tr>{tops}</tr></thead><tbody>{body}</tbody></table>'


def answers(found: Sequence[Answer]) -> str:
    """What the untuned and the tuned model say to the same held-out prompts."""
    made = [
        f'<p class="tk-asked">{n}. {look.text(one.prompt)}</p><div class="tk-sides">'
        f"<div><h5>untuned</h5>{look.text(one.untuned) or '(nothing)'}</div>"
        f"<div><h5>tuned</h5>{look.text(one.tuned) or '(nothing)'}</div></div>"
        for n, one in enumerate(found[:SHOWN], 1)
    ]
    return look.panel("Answers side by side", *made)


def reply(asked: str, found: Reply) -> str:
    """What the tuned model says of a text."""
    if found.scores:
        rows = [(label, round(1000 * share), f"{100 * share:.1f} %") for label, share in found.scores[:10]]
        said = look.said(", ".join(found.chosen) or "no label") + look.bars("How sure of each label", rows)
    elif found.text or not found.marks:
        cut = "" if found.stopped else " <span class='tk-quiet'>(cut off)</span>"
        said = f'<div class="tk-sides"><div>{look.text(found.text) or "(nothing)"}{cut}</div></div>'
    else:
        said = f"<p>{_marked(asked, found)}</p>"
    return f'<p class="tk-asked">{look.text(asked)}</p>{said}'


def _marked(asked: str, found: Reply) -> str:
    made, at = [], 0
    for mark in sorted(found.marks):
        words = look.text(asked[mark.start : mark.end])
        made.append(look.text(asked[at : mark.start]))
        made.append(f'<mark class="tk-marked">{words} <small>{look.text(mark.label)}</small></mark>')
        at = mark.end
    return "".join([*made, look.text(asked[at:])])
