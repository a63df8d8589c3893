"""Which tokens carry loss, and the proof of it.

A chat is rendered with the model's own template. The assistant's part is what the rendering gains when an
assistant turn is added to the turns before it, so it is found for any template, without `{% generation %}`
markers. What is trained is what is seen in use: an answer that the template writes otherwise once later turns
follow carries no loss. The end-of-turn token is part of the answer: a model that never trains it never stops.
docs/supervision.md says the same for those who use it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from typing import Any

from tunekit_hub.errors import SupervisionError
from tunekit_hub.facts import Running
from tunekit_hub.records import Lengths, Supervision
from tunekit_hub.supervision.answer_spans import SHARED, Answers, answers
from tunekit_hub.supervision.chat_templates import Template, Turns
from tunekit_hub.supervision.chat_templates import render as render
from tunekit_hub.units import count

IGNORED = -100  # the label torch's cross entropy skips
MAX_DROPPED: float = Running.model_fields["max_dropped"].default
_CUT, _REFUSED = "no answer within the first", "the chat template refuses it"  # how reasons of dropping begin
LEGEND = "A row of median length as the model reads it; what is trained stands in ⟦ ⟧:\n\n"
_SAID, _REASONS = 120, 10  # characters of a template's words that are kept; different words
_PART = 1000  # chats tokenized at a time


@dataclass(frozen=True)
class Encoded:
    """One chat as token ids; `labels` equal them where loss is carried."""

    input_ids: list[int]
    labels: list[int]
    lost: int = 0  # tokens cut off
    changes: tuple[str, ...] = ()


@dataclass
class Supervised:
    """All chats, encoded, with what became of the others and of the tokens."""

    rows: list[Encoded] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)  # index of each row in what was given
    dropped: Counter[str] = field(default_factory=Counter)
    adapted: Counter[str] = field(default_factory=Counter)  # what was changed → rows
    eos_rows: int = 0


def load_tokenizer(folder: Path, *, padding: bool = True) -> Any:
    """The tokenizer in `folder`; with a padding token, the EOS where it has none of its own.

    That is safe for training because labels are explicit: the EOS that ends an answer keeps its label.
    """
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    if padding and tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def encode(tokenizer: Any, turns: Turns, max_tokens: int) -> Encoded:
    """Token ids and labels of one chat, cut to `max_tokens` from the end."""
    return _encoded(tokenizer, [answers(Template(tokenizer), turns)], max_tokens)[0]


def supervise(
    tokenizer: Any, chats: Sequence[Turns], max_tokens: int, ends: Collection[int] | None = None
) -> Supervised:
    """Encode every chat; rows that would carry no loss, or cannot be rendered, are dropped and counted.

    Args:
        tokenizer: with a chat template.
        chats: each ends with the assistant's turn.
        max_tokens: what is beyond is cut off.
        ends: tokens at which the model stops when it generates; the template's end of turn when left out.

    Raises:
        SupervisionError: there is no chat template.
    """
    template, done = Template(tokenizer), Supervised()
    if ends is None:
        ends = {tokenizer.convert_tokens_to_ids(template.end)} if template.end else ()
    for begin in range(0, len(chats), _PART):
        found, places = [], []
        for place, turns in enumerate(chats[begin : begin + _PART], start=begin):
            try:
                found.append(answers(template, turns))
                places.append(place)
            except SupervisionError as error:
                done.dropped[error.message] += 1
            except Exception as error:  # a template raises what it likes: jinja2, TypeError, …
                done.dropped[_refusal(error, done.dropped)] += 1
        for place, row in zip(places, _encoded(tokenizer, found, max_tokens), strict=True):
            _take(done, place, row, max_tokens, ends)
    return done


def summary(done: Supervised) -> Supervision:
    """The counts of `done` as a record."""
    return Supervision(
        rows=len(done.rows),
        dropped=dict(done.dropped),
        adapted=dict(done.adapted),
        truncated=sum(row.lost > 0 for row in done.rows),
        tokens=sum(len(row.input_ids) for row in done.rows),
        trained_tokens=sum(len(row.labels) - row.labels.count(IGNORED) for row in done.rows),
        lost_tokens=sum(row.lost for row in done.rows),
        eos_rows=done.eos_rows,
        how="loss on the assistant's turns and their end-of-turn token, rendered with the model's own template",
        lengths=lengths(done.lengths),
    )


def prove(record: Supervision, max_dropped: float = MAX_DROPPED) -> None:
    """Refuse to train what would not teach.

    Raises:
        SupervisionError: no token carries loss, the end-of-turn token is never trained, or more than the share
            `max_dropped` of the rows are dropped.
    """
    lost = sum(record.dropped.values())
    reasons = "; ".join(f"{count(rows)} × {reason}" for reason, rows in record.dropped.items())
    fix = _fix(record)
    if not record.trained_tokens:
        raise SupervisionError(
            f"no token carries loss, so nothing would be learned ({reasons or 'there is no row'})", fix
        )
    if lost > max_dropped * (record.rows + lost):
        raise SupervisionError(
            f"{count(lost)} of {count(record.rows + lost)} rows would carry no loss and be dropped, "
            f"and {100 * max_dropped:g} % may be ({reasons})",
            f"{fix}; or train without them: `--max-dropped {percent(lost, record.rows + lost)}`",
        )
    if not record.eos_rows:
        raise SupervisionError(
            "the end-of-turn token is never trained, so the tuned model would not know when to stop",
            "raise the length that rows are cut at: `--set max_tokens=…`"
            if record.truncated == record.rows
            else "the model's chat template does not end an answer with a token that it stops at; choose another "
            "model: `--model …`",
        )


def percent(part: int, whole: int) -> str:
    """The least whole percentage that the share is not above, as `--max-dropped` takes it."""
    return f"{-(-100 * part // whole)}%"


def proof(tokenizer: Any, done: Supervised) -> str:
    """One chat as the model sees it, what is trained in ⟦ ⟧: the row whose length is nearest the median."""
    middle = sorted(done.lengths)[len(done.lengths) // 2]
    row = done.rows[min(range(len(done.rows)), key=lambda i: abs(done.lengths[i] - middle))]
    parts, inside, run = [], False, []
    for token, label in zip(row.input_ids, row.labels, strict=True):
        if (label != IGNORED) != inside:
            parts.append(_mark(tokenizer, run, inside))
            inside, run = not inside, []
        run.append(token)
    return "".join([LEGEND, *parts, _mark(tokenizer, run, inside)])


def lengths(counts: Sequence[int]) -> Lengths:
    """Percentiles of measured token counts."""
    order = sorted(counts) or [0]
    return Lengths(
        p50=order[len(order) // 2],
        p95=order[min(len(order) - 1, int(len(order) * 0.95))],
        max=order[-1],
        total=sum(order),
        estimated=False,
    )


def _encoded(tokenizer: Any, found: Sequence[Answers], max_tokens: int) -> list[Encoded]:
    """Token ids and labels. The template has written the BOS, so the tokenizer adds none."""
    if not found:
        return []
    texts = [one.text for one in found]
    encoding = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True)
    rows = zip(found, encoding["input_ids"], encoding["offset_mapping"], strict=True)
    return [_row(one, ids, offsets, max_tokens) for one, ids, offsets in rows]


def _row(one: Answers, ids: list[int], offsets: list[tuple[int, int]], max_tokens: int) -> Encoded:
    labels, shares = [IGNORED] * len(ids), False
    for start, end in one.spans:
        first = bisect_left(offsets, start, key=itemgetter(0))
        last = bisect_left(offsets, end, lo=first, key=itemgetter(0))
        while last > first and offsets[last - 1][1] > end:
            last -= 1
        labels[first:last] = ids[first:last]
        shares = shares or (first > 0 and offsets[first - 1][1] > start)
    changes = (*one.changes, SHARED) if shares else one.changes
    return Encoded(ids[:max_tokens], labels[:max_tokens], max(0, len(ids) - max_tokens), changes)


def _take(done: Supervised, place: int, row: Encoded, max_tokens: int, ends: Collection[int]) -> None:
    last = next((label for label in reversed(row.labels) if label != IGNORED), None)
    if last is None:
        done.dropped[f"{_CUT} {max_tokens} tokens"] += 1
        return
    done.rows.append(row)
    done.kept.append(place)
    done.lengths.append(len(row.input_ids) + row.lost)
    done.adapted.update(row.changes)
    done.eos_rows += last in ends


def _refusal(error: Exception, known: Collection[str]) -> str:
    """What the template said, shortened; of templates that say something else of each row, the first few."""
    said = f"{_REFUSED}: {' '.join(str(error).split())[:_SAID]}"
    return said if said in known or len(known) < _REASONS else _REFUSED


def _fix(record: Supervision) -> str:
    """What helps against the reason why most rows are dropped."""
    most = max(record.dropped, key=lambda reason: record.dropped[reason], default=_CUT)
    if most.startswith(_CUT):
        return "shorten these rows, or raise the length they are cut at: `--set max_tokens=…`"
    if most.startswith(_REFUSED):
        return "mend these rows, or choose a model whose chat template takes them: `--model …`"
    return "mend these rows, or choose a model with another chat template: `--model …`"


def _mark(tokenizer: Any, tokens: list[int], trained: bool) -> str:
    text = tokenizer.decode(tokens)
    return f"⟦{text}⟧" if trained and text else text
