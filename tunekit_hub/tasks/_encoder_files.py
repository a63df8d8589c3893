"""Tables, the confusion picture and the mistakes of an encoder, beside `run.json`."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tunekit_hub.profiles.sensitive import find_sensitive
from tunekit_hub.records import LabelScore
from tunekit_hub.scores.confusion import confusion, write_picture, write_table
from tunekit_hub.scores.entities import Entity, are_entity_tags, entities
from tunekit_hub.tasks._encoder import probabilities
from tunekit_hub.tasks._heads import MULTI, Encoded, Head, Labels

MISTAKES = 20
_LONGEST = 600  # characters of a text that are shown


@dataclass(frozen=True)
class Scored:
    """The tuned model's predictions of the held-out rows."""

    head: Head
    labels: Labels
    rows: Sequence[Any]
    predicted: Sequence[tuple[str, ...]]
    logits: Sequence[np.ndarray]
    encoded: Sequence[Encoded]
    by_label: Mapping[str, LabelScore]


def write_files(scored: Scored, folder: Path) -> tuple[str, ...]:
    """`labels.csv`, `mistakes.jsonl` and, where each row or word has one label, `confusion.png` and `.csv`.

    Texts that hold what looks like a secret or personal data are left out of the mistakes.
    """
    _write_labels(scored.by_label, folder / "labels.csv")
    of_words = scored.labels.problem is None
    names = ["labels.csv"]
    if of_words and are_entity_tags(scored.labels.names):
        mistakes = _entity_mistakes(scored)
    else:
        mistakes = _mistakes(scored, _sentence_mistakes if of_words else _text_mistakes)
        if scored.labels.problem != MULTI:
            _write_confusion(scored, folder, of="held-out words" if of_words else "held-out rows")
            names = ["confusion.png", "confusion.csv", *names]
    lines = [json.dumps(mistake, ensure_ascii=False) + "\n" for mistake in mistakes]
    (folder / "mistakes.jsonl").write_text("".join(lines), encoding="utf-8")
    return (*names, "mistakes.jsonl")


def _write_labels(by_label: Mapping[str, LabelScore], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["label", "precision", "recall", "f1", "rows"])
        for name, one in by_label.items():
            out.writerow([name, *(f"{value:.4f}" for value in (one.precision, one.recall, one.f1)), one.rows])


def _write_confusion(scored: Scored, folder: Path, *, of: str) -> None:
    truth = [label for row in scored.rows for label in scored.head.truth(row)]
    found = confusion(truth, [label for labels in scored.predicted for label in labels])
    write_table(found, folder / "confusion.csv")
    write_picture(found, folder / "confusion.png", of=of)


Found = Iterator[tuple[float, dict[str, Any]]]


def _mistakes(scored: Scored, of_row: Callable[[Scored, int], Found]) -> list[dict[str, Any]]:
    """The most confident ones: the likeliest to be wrong in the data, or to be blind spots."""
    found = [one for i in range(len(scored.rows)) for one in of_row(scored, i)]
    shown = []
    for confidence, mistake in sorted(found, key=lambda one: -one[0]):
        if not _is_sensitive(mistake["text"]):
            shown.append({**mistake, "confidence": round(confidence, 4)})
        if len(shown) == MISTAKES:
            break
    return shown


def _text_mistakes(scored: Scored, i: int) -> Found:
    """A text whose labels are not exactly right. Several labels: as sure as of the surest that is wrong."""
    true, said = scored.head.truth(scored.rows[i]), scored.predicted[i]
    if set(true) == set(said):
        return
    shares = probabilities(scored.logits[i], scored.labels.problem)
    if scored.labels.problem == MULTI:
        wrong = [scored.labels.ids[name] for name in set(true) ^ set(said) if name in scored.labels.ids]
        confidence = max((abs(shares[j] - 0.5) + 0.5 for j in wrong), default=0.5)
        yield float(confidence), {"text": _clip(scored.rows[i].text), "true": list(true), "predicted": list(said)}
        return
    mistake = {"text": _clip(scored.rows[i].text), "true": true[0], "predicted": said[0]}
    yield float(shares.max()), mistake


def _sentence_mistakes(scored: Scored, i: int) -> Found:
    """The word of a sentence whose wrong tag the model is surest of."""
    row, said = scored.rows[i], scored.predicted[i]
    places = scored.encoded[i].places
    shares = probabilities(scored.logits[i], None).max(axis=-1)
    wrong = [
        (float(shares[place]), at)
        for at, place in enumerate(places)
        if place is not None and row.tags[at] != said[at]
    ]
    if wrong:
        confidence, at = max(wrong)
        text = _clip(" ".join(row.tokens))
        yield confidence, {"text": text, "word": row.tokens[at], "true": row.tags[at], "predicted": said[at]}


def _entity_mistakes(scored: Scored) -> list[dict[str, Any]]:
    """The most frequent entities that were missed, invented, or found with other bounds or another type."""
    times: Counter[tuple[str, str, str, str]] = Counter()
    example: dict[tuple[str, str, str, str], str] = {}
    for row, said in zip(scored.rows, scored.predicted, strict=True):
        for kind, true, found in _compare(entities(row.tags), entities(said)):
            at = true or found
            assert at
            words = _words(row, at)
            key = (kind, at.type, words, _words(row, found) if kind == "wrong bounds" and found else "")
            if kind == "wrong type" and found:
                key = (*key[:3], found.type)
            times[key] += 1
            example.setdefault(key, " ".join(row.tokens))
    shown = []
    for (kind, label, words, other), number in times.most_common():
        text = example[kind, label, words, other]
        if _is_sensitive(text):
            continue
        named = {"predicted": other} if other else {}
        shown.append(
            {"mistake": kind, "type": label, "entity": words, **named, "times": number, "text": _clip(text)}
        )
        if len(shown) == MISTAKES:
            break
    return shown


def _compare(true: list[Entity], said: list[Entity]) -> Iterator[tuple[str, Entity | None, Entity | None]]:
    """Each difference once: what kind it is, the true entity, the predicted one."""
    missed = [entity for entity in true if entity not in said]
    invented = [entity for entity in said if entity not in true]
    for entity in missed:
        other = next((one for one in invented if one.first <= entity.last and entity.first <= one.last), None)
        if other is None:
            yield "missed", entity, None
            continue
        invented.remove(other)
        same = (other.first, other.last) == (entity.first, entity.last)
        yield "wrong type" if same else "wrong bounds", entity, other
    for entity in invented:
        yield "invented", None, entity


def _words(row: Any, entity: Entity) -> str:
    return _clip(" ".join(row.tokens[entity.first : entity.last + 1]))


def _is_sensitive(text: str) -> bool:
    return bool(find_sensitive([text], [1]))


def _clip(text: str) -> str:
    return text if len(text) <= _LONGEST else text[:_LONGEST].rstrip() + " …"
