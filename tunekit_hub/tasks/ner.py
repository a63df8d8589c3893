"""Entities in sentences, or parts of speech: a tag for each word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tunekit_hub.labelled import Tagged
from tunekit_hub.tasks import Match, Measure, Task, _use
from tunekit_hub.tasks._encoder_evaluation import evaluate, replay
from tunekit_hub.tasks._snippets import finds
from tunekit_hub.tasks._snippets import ner as snippet
from tunekit_hub.tasks._span_columns import find_spans
from tunekit_hub.tasks._tag_columns import find_tags
from tunekit_hub.tasks._tag_examined import examine, parse
from tunekit_hub.tasks._token_head import HEAD
from tunekit_hub.tasks._token_rows import find_token_rows

if TYPE_CHECKING:
    from tunekit_hub.data import Rows


def _detect(rows: Rows, columns: Mapping[str, str]) -> Match | None:
    """Words and tags, or texts and spans.

    Raises:
        DataError: several columns could have the role, or the mapped one holds something else.
    """
    return find_tags(rows, columns) or find_spans(rows, columns) or find_token_rows(rows, columns)


def _stratum(row: Tagged) -> str:
    """The types of its entities. Of parts of speech every sentence has most, so there it says nothing."""
    return " ".join(sorted({tag[2:] for tag in row.tags if tag.startswith("B-")}))


NER = Task(
    name="ner",
    pipeline_tag="token-classification",
    trainer="encoder",
    accepts=(
        "`tokens` and `tags` (a tag for each word, in any of the usual schemes; with `sentence` where each word "
        "has a row of its own), or `text` and `spans` (start, end and label of each entity, as spaCy, Doccano, "
        "Label Studio and Prodigy write them)"
    ),
    detect=_detect,
    examine=examine,
    parse=parse,
    text=lambda row: " ".join(row.tokens),
    measures={
        "f1": Measure("entity F1", "share"),
        "precision": Measure("entity precision", "share"),
        "recall": Measure("entity recall", "share"),
        "macro_f1": Measure("macro F1", "share"),
        "accuracy": Measure("accuracy of words", "share"),
    },
    evaluate=evaluate,
    replay=replay,
    snippet=snippet,
    purpose=finds,
    use=_use.tag,
    stratum=_stratum,
    head=HEAD,
    # A sentence teaches with every word: on ncbi_disease four passes did no worse than five.
    epochs=((500, 15.0), (2000, 8.0), (float("inf"), 4.0)),
)
