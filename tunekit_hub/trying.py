"""The tuned model of a run, to be tried by hand."""

from __future__ import annotations

from pathlib import Path

from tunekit_hub import extras, quiet, runfile
from tunekit_hub.errors import RunError
from tunekit_hub.hub import Hub
from tunekit_hub.replies import Ask, Reply, Turns
from tunekit_hub.tasks import TASKS

FORGET = "/new"  # typed in a chat: begin another


class Tuned:
    """A loaded model. A chat remembers its turns until `forget`; labels are given to each text alone."""

    def __init__(self, task: str, ask: Ask):
        self.task = task
        self.chats = TASKS[task].pipeline_tag == "text-generation"
        self._ask = ask
        self._turns: list[dict[str, str]] = []

    def reply(self, turns: Turns) -> Reply:
        """What the model says to `turns`, all of them given; nothing is remembered.

        Raises:
            ValueError: The last turn is empty.
        """
        if not turns or not turns[-1]["content"].strip():
            raise ValueError("there is no text to answer")
        with quiet.libraries():
            return self._ask(turns)

    def ask(self, text: str) -> Reply:
        """What the model says of `text`; in a chat, after the turns so far.

        Raises:
            ValueError: The text is empty.
        """
        turns = [*self._turns, {"role": "user", "content": text}]
        reply = self.reply(turns)
        if self.chats:
            self._turns = [*turns, {"role": "assistant", "content": reply.text}]
        return reply

    def forget(self) -> None:
        """Begin another chat."""
        self._turns = []


def load(run_dir: str | Path, *, hub: Hub | None = None) -> Tuned:
    """The model that a run has trained.

    Args:
        run_dir: the run's folder; it must be trained, and need not be evaluated.
        hub: where the base model of an adapter comes from.

    Raises:
        MissingExtra: torch is not installed.
        RunError: there is no run, or it is not trained yet.
    """
    extras.require("train", "trying a model")
    now = runfile.load(run_dir)
    if now.training is None:
        raise RunError(f"`{run_dir}` is not trained yet", f"`tunekit-hub resume {run_dir}` first")
    plan, folder = now.plan, Path(run_dir) / "model"
    base = folder
    if plan.adapter:
        base = (hub or Hub()).fetch(plan.selection.repo_id, plan.selection.revision)
    with quiet.libraries():
        return Tuned(plan.task, TASKS[plan.task].use(plan, base, folder))
