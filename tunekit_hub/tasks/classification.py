"""Text classification: a label for each text, or any number of labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tunekit_hub.errors import DataError
from tunekit_hub.labelled import Labelled
from tunekit_hub.tasks import Examined, Examples, Match, Measure, Task, _use
from tunekit_hub.tasks._columns import is_scalar, look, sample
from tunekit_hub.tasks._encoder_evaluation import evaluate, replay
from tunekit_hub.tasks._label_columns import find_label
from tunekit_hub.tasks._label_rows import check_labels, examined, read, rows_of
from tunekit_hub.tasks._labels import LABEL, PER_LABEL
from tunekit_hub.tasks._sequence_head import HEAD
from tunekit_hub.tasks._snippets import classification as snippet
from tunekit_hub.tasks._snippets import sorts
from tunekit_hub.tasks._text_columns import find_text
from tunekit_hub.text import quote

if TYPE_CHECKING:
    from tunekit_hub.data import Rows


def _detect(rows: Rows, columns: Mapping[str, str]) -> Match | None:
    """Columns of text and of labels.

    Raises:
        DataError: several columns could have the role, or the one that has it holds something else.
    """
    if any(role not in ("text", LABEL) and not role.startswith(PER_LABEL) for role in columns):
        return None
    seen = look(sample(rows.table))
    texts = [one for one in seen if one.kind == "text"]
    found = find_label(rows, seen, columns) if texts or "text" in columns else None
    if found is None:
        return None
    text = _mapped_text(rows, columns) or find_text(seen, list(found.columns.values()))
    if text is None:
        return None
    why = f"{found.why}; column `{text[0]}` {text[1]}"
    match = Match(found.shape, {"text": text[0], **found.columns}, why, dict(found.details))
    check_labels(rows, match)
    return match


def _mapped_text(rows: Rows, columns: Mapping[str, str]) -> tuple[str, str] | None:
    if "text" not in columns:
        return None
    name = columns["text"]
    if not is_scalar(rows.table.column(name).type):
        raise DataError(
            f"column `{name}` of `{rows.ref.source}` holds no text but {rows.table.column(name).type}",
            f"the columns are {quote(rows.table.column_names)}; name one of text: `--column text=NAME`",
        )
    return name, "holds text"


def _examine(rows: Rows, match: Match) -> Examined:
    return examined(read(rows, match))


def _parse(rows: Rows, match: Match) -> Examples:
    found = read(rows, match)
    return Examples(rows_of(found), found.lines.tolist(), found.notes)


def _stratum(row: Labelled) -> str:
    """The label. Of several, the whole set: sets recur, and the split puts rare ones where there is room."""
    return "\x1f".join(sorted(row.labels))


CLASSIFICATION = Task(
    name="classification",
    pipeline_tag="text-classification",
    trainer="encoder",
    accepts=(
        "a column of text (`text`) and one of labels (`label`) that repeat; several labels in a row as a list, "
        "between `;`, `|` or `,`, or as one column of 0 and 1 per label (`label:NAME`)"
    ),
    detect=_detect,
    examine=_examine,
    parse=_parse,
    text=lambda row: row.text,
    measures={
        "accuracy": Measure("accuracy", "share"),
        "macro_f1": Measure("macro F1", "share"),
        "macro_precision": Measure("macro precision", "share"),
        "macro_recall": Measure("macro recall", "share"),
        "micro_f1": Measure("micro F1", "share"),
    },
    evaluate=evaluate,
    replay=replay,
    snippet=snippet,
    purpose=sorts,
    use=_use.classify,
    stratum=_stratum,
    head=HEAD,
    weighs_labels=True,
)
