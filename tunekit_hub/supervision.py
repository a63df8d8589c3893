"""Which tokens carry loss, and the proof of it.

A chat is rendered once with the model's own template. The assistant's part is what the rendering gains when an
assistant turn is added to the turns before it, so it is found for any template, without `{% generation %}`
markers, as long as earlier turns render the same when later ones follow. The end-of-turn token is part of the
answer: a model that never trains it never stops.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunekit_hub.errors import SupervisionError
from tunekit_hub.records import Lengths, Supervision

IGNORED = -100  # the label torch's cross entropy skips
MAX_DROPPED = 0.05  # of the rows may carry no loss before a run refuses to start
Turns = Sequence[dict[str, str]]


@dataclass(frozen=True)
class Encoded:
    """One chat as token ids; `labels` equal them where loss is carried."""

    input_ids: list[int]
    labels: list[int]
    lost: int = 0  # tokens cut off


@dataclass
class Supervised:
    """All chats, encoded, with what became of the others and of the tokens."""

    rows: list[Encoded] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)  # index of each row in what was given
    dropped: Counter[str] = field(default_factory=Counter)
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


def render(tokenizer: Any, turns: Turns, *, prompt: bool = False) -> str:
    """The chat as text, with the model's own template; with `prompt`, up to where an answer would begin."""
    return tokenizer.apply_chat_template(list(turns), tokenize=False, add_generation_prompt=prompt)


def answer_spans(tokenizer: Any, turns: Turns) -> tuple[str, list[tuple[int, int]]]:
    """The rendered chat and the character spans of the assistant's answers, each with its end-of-turn token.

    Raises:
        SupervisionError: the template renders earlier turns differently once later ones follow, so that what
            is trained would not be what is seen in use.
    """
    text = render(tokenizer, turns)
    spans = []
    for i, turn in enumerate(turns):
        if turn["role"] != "assistant":
            continue
        before, through = render(tokenizer, turns[:i], prompt=True), render(tokenizer, turns[: i + 1])
        if not through.startswith(before) or not text.startswith(through):
            raise SupervisionError("the chat template renders earlier turns differently once later ones follow")
        end = through.rfind(tokenizer.eos_token, len(before)) if tokenizer.eos_token else -1
        spans.append((len(before), len(through) if end < 0 else end + len(tokenizer.eos_token)))
    return text, spans


def encode(tokenizer: Any, turns: Turns, max_tokens: int) -> Encoded:
    """Token ids and labels of one chat, cut to `max_tokens` from the end."""
    text, spans = answer_spans(tokenizer, turns)
    encoding = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids, offsets = encoding["input_ids"], encoding["offset_mapping"]
    labels = [IGNORED] * len(ids)
    position = 0
    for start, end in spans:
        while position < len(ids) and offsets[position][0] < start:
            position += 1
        while position < len(ids) and offsets[position][1] <= end and offsets[position][0] < end:
            labels[position] = ids[position]
            position += 1
    return Encoded(ids[:max_tokens], labels[:max_tokens], max(0, len(ids) - max_tokens))


def supervise(tokenizer: Any, chats: Sequence[Turns], max_tokens: int) -> Supervised:
    """Encode every chat; rows that would carry no loss, or cannot be rendered, are dropped and counted."""
    done = Supervised()
    for index, turns in enumerate(chats):
        try:
            row = encode(tokenizer, turns, max_tokens)
        except SupervisionError as error:
            done.dropped[error.message] += 1
            continue
        except Exception as error:  # a template raises what it likes: jinja2, TypeError, …
            done.dropped[f"the chat template refuses it: {error}"] += 1
            continue
        if all(label == IGNORED for label in row.labels):
            done.dropped[f"no answer within the first {max_tokens} tokens"] += 1
            continue
        done.rows.append(row)
        done.kept.append(index)
        done.lengths.append(len(row.input_ids) + row.lost)
        trained = [label for label in row.labels if label != IGNORED]
        done.eos_rows += trained[-1] == tokenizer.eos_token_id
    return done


def summary(done: Supervised) -> Supervision:
    """The counts of `done` as a record."""
    trained = sum(sum(label != IGNORED for label in row.labels) for row in done.rows)
    return Supervision(
        rows=len(done.rows),
        dropped=dict(done.dropped),
        truncated=sum(row.lost > 0 for row in done.rows),
        tokens=sum(len(row.input_ids) for row in done.rows),
        trained_tokens=trained,
        lost_tokens=sum(row.lost for row in done.rows),
        eos_rows=done.eos_rows,
        how="loss on the assistant's turns and their end-of-turn token, rendered with the model's own template",
        lengths=lengths(done.lengths),
    )


def prove(record: Supervision) -> None:
    """Refuse to train what would not teach.

    Raises:
        SupervisionError: no token carries loss, the end-of-turn token is never trained, or more than
            `MAX_DROPPED` of the rows are dropped.
    """
    lost = sum(record.dropped.values())
    reasons = "; ".join(f"{count} rows: {reason}" for reason, count in record.dropped.items())
    if not record.trained_tokens:
        raise SupervisionError(
            f"no token carries loss, so nothing would be learned ({reasons or 'no rows'})",
            "shorten the rows, or raise the length they are cut at: `--set max_tokens=…`",
        )
    if lost > MAX_DROPPED * (record.rows + lost):
        raise SupervisionError(
            f"{lost} of {record.rows + lost} rows would carry no loss and be dropped ({reasons})",
            "shorten these rows, or raise the length they are cut at: `--set max_tokens=…`",
        )
    if not record.eos_rows:
        raise SupervisionError(
            "the end-of-turn token is never trained, so the tuned model would not know when to stop",
            "the model's chat template does not end an answer with its EOS token; choose another model",
        )


def proof(tokenizer: Any, done: Supervised) -> str:
    """One chat as the model sees it, the trained tokens in ⟦ ⟧: the row whose length is nearest the median."""
    middle = sorted(done.lengths)[len(done.lengths) // 2]
    row = done.rows[min(range(len(done.rows)), key=lambda i: abs(done.lengths[i] - middle))]
    parts, inside, run = [], False, []
    for token, label in zip(row.input_ids, row.labels, strict=True):
        if (label != IGNORED) != inside:
            parts.append(_mark(tokenizer, run, inside))
            inside, run = not inside, []
        run.append(token)
    return "".join([*parts, _mark(tokenizer, run, inside)])


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


def _mark(tokenizer: Any, tokens: list[int], trained: bool) -> str:
    text = tokenizer.decode(tokens)
    return f"⟦{text}⟧" if trained and text else text
