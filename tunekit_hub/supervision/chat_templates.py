"""Chats as a model's own chat template writes them: the one way for training, evaluation and use.

Where a template refuses a chat, or leaves its system text out, the chat is given the nearest form that it takes.
What was changed is said, so that it can be counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tunekit_hub.errors import SupervisionError

Turn = dict[str, str]  # "role": system, user or assistant; "content"
Turns = Sequence[Turn]

FOLDED = "a system turn stands at the head of the user's turn after it, as the template takes none there"
JOINED = "turns of one role in a row are joined, as the template takes only turns that alternate"
_BETWEEN = "\n\n"  # what was two turns
_PROBES = ("Probe0system", "Probe1question", "Probe2answer", "Probe3question")


@dataclass(frozen=True)
class Written:
    """A chat in the form that the template takes, and as it writes it."""

    turns: Turns
    text: str
    changes: tuple[str, ...] = ()  # FOLDED, JOINED


@dataclass
class Template:
    """The chat template of a tokenizer.

    Raises:
        SupervisionError: the tokenizer has none, or cannot say which characters its tokens stand for.
    """

    tokenizer: Any
    closing: str = field(init=False)  # what ends an answer, from the first special token on; empty: there is none
    end: str = field(init=False)  # the last special token of it
    markers: re.Pattern[str] | None = field(init=False)  # what the template alone should write

    def __post_init__(self) -> None:
        if not getattr(self.tokenizer, "chat_template", None):
            raise SupervisionError(
                "the model has no chat template, so nobody can say how a conversation is written for it",
                "choose one that was tuned to chat: `--model …`",
            )
        if not getattr(self.tokenizer, "is_fast", True):
            raise SupervisionError(
                "the model's tokenizer cannot say which characters a token stands for, so no answer can be marked",
                "choose a model with a `tokenizer.json`: `--model …`",
            )
        self.closing, self.end, self.markers = _own_writing(self)

    def apply(self, turns: Turns, *, prompt: bool = False) -> str:
        """The turns as they are; with `prompt`, up to where an answer would begin. It raises what it likes."""
        return self.tokenizer.apply_chat_template(list(turns), tokenize=False, add_generation_prompt=prompt)

    def write(self, turns: Turns, *, prompt: bool = False) -> Written:
        """The turns in the first form that the template takes without leaving system text out.

        Raises:
            Exception: the template takes none; what it said of the turns as they are.
        """
        refusal: Exception | None = None
        first: Written | None = None
        for form, changes in _forms(turns):
            try:
                written = Written(form, self.apply(form, prompt=prompt), changes)
            except Exception as error:  # a template raises what it likes: jinja2, TypeError, …
                refusal = refusal or error
                continue
            if all(turn["content"].strip() in written.text for turn in form if turn["role"] != "assistant"):
                return written
            first = first or written
        if first is None:
            raise refusal or ValueError("there is no turn")
        return first

    def marked(self, turns: Turns) -> bool:
        """Whether the text of a turn holds what the template alone should write."""
        return self.markers is not None and any(self.markers.search(turn["content"]) for turn in turns)


def render(tokenizer: Any, turns: Turns, *, prompt: bool = False) -> str:
    """The chat as the model reads it; with `prompt`, up to where an answer would begin."""
    return Template(tokenizer).write(turns, prompt=prompt).text


def stops(tokenizer: Any, folder: Path) -> set[int]:
    """The tokens at which the model in `folder` ends an answer when it generates."""
    try:
        own = json.loads((folder / "generation_config.json").read_text(encoding="utf-8")).get("eos_token_id")
    except (OSError, ValueError):
        own = None
    listed = own if isinstance(own, list) else [own]
    return {token for token in (*listed, tokenizer.eos_token_id) if isinstance(token, int)}


def _forms(turns: Turns) -> Iterator[tuple[Turns, tuple[str, ...]]]:
    """The chat in ever further forms, each with what was changed; equal ones once."""
    seen: list[Turns] = []
    for begin in (len(turns), 1, 0):  # system turns from this place on are folded
        folded = _folded(turns, begin)
        for form in (folded, _joined(folded)):
            if form in seen:
                continue
            seen.append(form)
            changes = ((FOLDED, folded != list(turns)), (JOINED, form != folded))
            yield form, tuple(what for what, done in changes if done)


def _folded(turns: Turns, begin: int) -> list[Turn]:
    """System turns from place `begin` on are the user's, and one with the user's turn after them."""
    made: list[Turn] = []
    open_head = False  # the last turn is folded, and waits for a user's
    for place, turn in enumerate(turns):
        folds = turn["role"] == "system" and place >= begin
        mine = {"role": "user", "content": turn["content"]} if folds else turn
        if open_head and mine["role"] == "user":
            made[-1:] = _joined([made[-1], mine])
        else:
            made.append(mine)
        open_head = folds
    return made


def _joined(turns: Turns) -> list[Turn]:
    """Turns of one role in a row as one."""
    made: list[Turn] = []
    for turn in turns:
        if made and made[-1]["role"] == turn["role"]:
            both = (made.pop()["content"], turn["content"])
            turn = {"role": turn["role"], "content": _BETWEEN.join(text for text in both if text)}
        made.append(turn)
    return made


def _own_writing(template: Template) -> tuple[str, str, re.Pattern[str] | None]:
    """What closes an answer, its last token, and a pattern of the markers that the template writes around turns.

    Both are read off a chat of words that stand in no template. Markers are special tokens and words with
    brackets, such as `[/INST]`. What is written between the prompt and the answer is left out, and so is thinking:
    both are part of an answer.
    """
    tokenizer = template.tokenizer
    system, question, answer, following = (
        {"role": role, "content": words}
        for role, words in zip(("system", "user", "assistant", "user"), _PROBES, strict=True)
    )
    specials = sorted(_special_tokens(tokenizer), key=len, reverse=True)
    prompt = _tried(template, [question], prompt=True)
    once = _tried(template, [question, answer])
    after = once.partition(answer["content"])[2]
    again = _tried(template, [question, answer, following]).partition(answer["content"])[2]
    texts = [prompt, after, again, _tried(template, [system, question])]
    plain = "|".join(map(re.escape, [*specials, *_PROBES])) or r"(?!)"
    words = {word for text in texts for word in re.sub(plain, " ", text).split() if re.search(r"[<>\[\]|]", word)}
    found = {token for token in specials if any(token in text for text in texts)}
    own = sorted({word for word in words | found if len(word) > 2 and "think" not in word}, key=len, reverse=True)
    return *_closing(after, specials, tokenizer.eos_token), re.compile(
        "|".join(map(re.escape, own))
    ) if own else None


def _tried(template: Template, turns: Turns, *, prompt: bool = False) -> str:
    """The turns written, or nothing where the template refuses them."""
    try:
        return template.apply(turns, prompt=prompt)
    except Exception:  # as above
        return ""


def _closing(after: str, specials: Sequence[str], eos: str | None) -> tuple[str, str]:
    """Of what follows an answer: from its first special token to the EOS, if that is there; and the last token."""
    found = [(after.index(token), -len(token), token) for token in specials if token in after]
    if not found:
        return "", ""
    begin, _, first = min(found)
    last = eos if eos and eos in after else first
    return after[begin : after.index(last) + len(last)], last


def _special_tokens(tokenizer: Any) -> set[str]:
    added = getattr(tokenizer, "added_tokens_decoder", {}).values()
    return {token for token in (*tokenizer.all_special_tokens, *(t.content for t in added if t.special)) if token}
