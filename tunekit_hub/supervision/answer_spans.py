"""Where in a written chat the answers stand that can be learned from."""

from __future__ import annotations

from dataclasses import dataclass

from tunekit_hub.errors import SupervisionError
from tunekit_hub.supervision.chat_templates import Template, Turns

SHARED = "the first characters of an answer share a token with the prompt, which carries no loss"
REWRITTEN = "an earlier answer that the template writes otherwise once later turns follow carries no loss"
UNASKED = "an answer that opens the chat carries no loss, as no prompt comes before it"
MARKED = "the text holds marks of the template; an answer is trained up to the first of them"


@dataclass(frozen=True)
class Answers:
    """One chat as text, and the spans in it, in characters, that carry loss."""

    text: str
    spans: list[tuple[int, int]]
    changes: tuple[str, ...] = ()  # what is not as in the data, or not trained


def answers(template: Template, turns: Turns) -> Answers:
    """The chat as the template writes it, and the spans of the answers, each with its end-of-turn token.

    Raises:
        SupervisionError: no answer comes after a prompt, or the last prompt is written otherwise once its answer
            is there, so that what is trained would not be what is seen in use.
        Exception: the template refuses the chat, in words of its own.
    """
    written = template.write(turns)
    turns, text, changes = written.turns, written.text, dict.fromkeys(written.changes)
    places = [place for place, turn in enumerate(turns) if turn["role"] == "assistant"]
    spans = []
    for place in places:
        if place == 0:
            changes[UNASKED] = None
            continue
        before = template.apply(turns[:place], prompt=True)
        through = text if place == len(turns) - 1 else template.apply(turns[: place + 1])
        if len(before) <= len(through) and text.startswith(before) and text.startswith(through):
            spans.append((len(before), _end(template, through, turns[place]["content"], len(before))))
        elif place != places[-1]:
            changes[REWRITTEN] = None
        else:
            raise SupervisionError("the chat template writes the prompt otherwise once its answer is there")
    if not spans:
        raise SupervisionError("no answer comes after a prompt")
    if template.marked(turns):
        changes[MARKED] = None
    return Answers(text, spans, tuple(changes))


def _end(template: Template, through: str, content: str, start: int) -> int:
    """Where the answer that begins at `start` ends: behind what closes it, or before another mark in it."""
    if template.markers is None:
        return len(through)
    found = template.markers.search(through, max(start, through.find(content.strip(), start)))
    if found is None:
        return len(through)
    closed = template.closing and through.startswith(template.closing, found.start())
    return found.start() + len(template.closing) if closed else found.start()
