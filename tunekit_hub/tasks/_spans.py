"""Entities given by their places in a text (spaCy, Doccano, Label Studio, Prodigy) → tagged words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from tunekit_hub.scores.entities import OUTSIDE
from tunekit_hub.tasks._literal import read

_START = ("start", "start_offset", "begin", "start_char")
_END = ("end", "end_offset", "stop", "end_char")
_LABEL = ("label", "labels", "entity_type", "entity_group", "entity", "type", "tag", "category", "class")
_INSIDE = ("entities", "spans", "label", "labels", "annotations", "result")
_NO_SPAN = {"choices", "relation", "textarea", "rating", "number", "taxonomy", "datetime"}  # of Label Studio

# Marks of a script that Python does not count as letters, and joiners, stay within a word.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0dff\u0e00-\u0eff\u1000-\u109f\u200c\u200d"
_WIDE = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # Chinese and Japanese write no spaces: a character is a word
_WORD = re.compile(rf"[{_WIDE}]|[^\W{_WIDE}](?:[^\W{_WIDE}]|[{_MARKS}])*|[^\s\w\u00ad\u200b-\u200f\u2060\ufeff]")


class Span(NamedTuple):
    """Characters `start` to before `end`."""

    start: int
    end: int
    label: str


class BadSpans(Exception):
    """These are no spans of this text; `code` says why."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


def text_of(value: Any) -> str:
    """The text of a row; of an object (Label Studio's `data`), its `text` or its longest text."""
    if isinstance(value, Mapping):
        texts = [one for one in value.values() if isinstance(one, str)]
        value = value.get("text") or max(texts, key=len, default="")
    return value if isinstance(value, str) else ""


def spans_of(value: Any) -> list[Span]:
    """The spans that a value holds, in the order they stand.

    Raises:
        BadSpans: it holds something else, or nobody has annotated it.
    """
    if isinstance(value, str) and value.strip():
        value = read(value)
        if value is None:
            raise BadSpans("unreadable-spans")
    if value is None or value == "":
        return []
    if isinstance(value, Mapping):
        inner = next((value[key] for key in _INSIDE if value.get(key) is not None), None)
        if inner is None and any(value.values()):
            raise BadSpans("unreadable-spans")
        return spans_of(inner)
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise BadSpans("unreadable-spans")
    if are_annotations(value):
        return spans_of(_first_annotation(value))
    return [span for one in value for span in _one(one)]


def are_annotations(value: Any) -> bool:
    """Whether these are what Label Studio keeps of several annotators."""
    if isinstance(value, str):
        value = read(value)
    return bool(value) and isinstance(value, list) and all(isinstance(o, Mapping) and "result" in o for o in value)


def tag(text: str, spans: Sequence[Span]) -> tuple[list[str], list[str], set[str]]:
    """Words, their IOB2 tags, and what was done to the spans on the way.

    Words are runs of letters and digits; any other character is a word of its own, and a word is cut where an
    entity begins or ends within it. Of spans that overlap the longest is kept.

    Raises:
        BadSpans: a span is not within the text.
    """
    trimmed, codes = _trimmed(text, spans)
    kept: list[Span] = []
    for span in sorted(trimmed, key=lambda one: (one.start - one.end, one.start)):
        if all(span.end <= other.start or other.end <= span.start for other in kept):
            kept.append(span)
        else:
            codes.add("overlapping-spans")
    kept.sort()
    tokens: list[str] = []
    tags: list[str] = []
    place = 0
    for span in [*kept, None]:
        outside = _WORD.findall(text, place, span.start if span else len(text))
        tokens += outside
        tags += [OUTSIDE] * len(outside)
        if span:
            inside = _WORD.findall(text, span.start, span.end)
            tokens += inside
            tags += [
                f"{'B' if first else 'I'}-{span.label}" for first in [True, *[False] * len(inside)][: len(inside)]
            ]
            place = span.end
    return tokens, tags, codes


def _trimmed(text: str, spans: Sequence[Span]) -> tuple[list[Span], set[str]]:
    """The spans without the space at their ends, each once."""
    done: dict[Span, None] = {}
    codes: set[str] = set()
    for span in spans:
        if not 0 <= span.start < span.end <= len(text):
            raise BadSpans("spans-out-of-range")
        inside = text[span.start : span.end]
        start = span.start + len(inside) - len(inside.lstrip())
        end = span.end - len(inside) + len(inside.rstrip())
        if (start, end) != (span.start, span.end):
            codes.add("trimmed-spans")
        if start < end:
            done[Span(start, end, span.label)] = None
    return list(done), codes


def _first_annotation(annotations: Sequence[Mapping[str, Any]]) -> Any:
    """What the first annotator said who did not cancel."""
    for one in annotations:
        if not one.get("was_cancelled"):
            return one.get("result")
    raise BadSpans("cancelled")


def _one(item: Any) -> list[Span]:
    """A span; several where one place has several labels; none where Label Studio notes something else."""
    if isinstance(item, list | tuple):
        if len(item) < 3:
            raise BadSpans("unreadable-spans")
        return [Span(_number(item[0]), _number(item[1]), label) for label in _names(item[2])]
    if not isinstance(item, Mapping):
        raise BadSpans("unreadable-spans")
    value = item.get("value")
    fields = {**item, **value} if isinstance(value, Mapping) else item
    if item.get("type") in _NO_SPAN and _field(fields, _START) is None:
        return []
    start, end = _number(_field(fields, _START)), _number(_field(fields, _END))
    labels = _field(fields, _LABEL) if not isinstance(value, Mapping) else _field(value, _LABEL)
    return [Span(start, end, label) for label in _names(labels)]


def _field(item: Mapping[str, Any], names: Sequence[str]) -> Any:
    return next((item[name] for name in names if item.get(name) is not None), None)


def _names(value: Any) -> list[str]:
    names = value if isinstance(value, list | tuple) else [value]
    found = [str(name).strip() for name in names if isinstance(name, str | int) and str(name).strip()]
    if not found:
        raise BadSpans("unreadable-spans")
    return found


def _number(value: Any) -> int:
    """A place, which some tools write as text or as a decimal."""
    try:
        if isinstance(value, bool) or value is None or float(value) != int(float(value)):
            raise BadSpans("unreadable-spans")
        return int(float(value))
    except (TypeError, ValueError, OverflowError) as error:
        raise BadSpans("unreadable-spans") from error
