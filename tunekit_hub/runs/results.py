"""What visitors do with a model that was trained: publish it, talk to it, read its card."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tunekit_hub import card
from tunekit_hub.errors import AccessDenied, RunError
from tunekit_hub.facts import Publishing
from tunekit_hub.records import Publication
from tunekit_hub.replies import Reply
from tunekit_hub.runs import processes, worker
from tunekit_hub.runs.reading import Reading
from tunekit_hub.runs.settings import Settings
from tunekit_hub.runs.states import RunState
from tunekit_hub.runs.store import RunRow
from tunekit_hub.runs.talking import Talks
from tunekit_hub.runs.visitors import Visitor


class Results(Reading):
    """The calls of the service about trained models; the work is done in processes of their own."""

    def __init__(self, root: Path, settings: Settings, endpoint: str | None):
        super().__init__(root, settings, endpoint)
        self._talks = Talks(self.endpoint, settings.answer_time)
        self._at_publishing: set[str] = set()

    def publish(self, visitor: Visitor, run_id: str, publishing: Publishing, token: str | None) -> Publication:
        """Publish the model of a run, in a process of its own, and wait for it.

        Raises:
            AccessDenied: without a token, or the token may not write there.
            RunError: the run is not evaluated, or is being published already.
            TunekitError: as the publishing raises it; what was published before stays.
        """
        row = self._own(visitor, run_id)
        asked = Publishing.model_validate({name: getattr(publishing, name) for name in Publishing.model_fields})
        if not token:
            raise AccessDenied("nothing can be published without signing in", "sign in with Hugging Face")
        with self._lock:
            if row.id in self._at_publishing:
                raise RunError("this run is being published already", "wait until that is done")
            if "publish" not in self._state(row).can:
                raise RunError(
                    "this run has nothing that could be published", "its training must be done and evaluated"
                )
            self._at_publishing.add(row.id)
        try:
            with self._names(row).told():
                job = {"token": token, "endpoint": self.endpoint, "publishing": asked.model_dump(mode="json")}
                self._wait_for(self._folder / row.id, job)
        finally:
            self._at_publishing.discard(row.id)
        self._store.move(row.id, status="done", why="")
        return self.record(visitor, run_id).publication

    def card_preview(
        self, visitor: Visitor, run_id: str, repo_id: str, publishing: Publishing | None = None
    ) -> str:
        """The model card as it would be published; of a run that is not evaluated, as far as it can be written."""
        run, weights = self.record(visitor, run_id), publishing.weights if publishing else None
        if run.evaluation:
            return card.render(run.evaluation, repo_id, self.answers(visitor, run_id), weights=weights)
        if run.plan:
            return card.rehearsal(run.plan, repo_id, weights=weights)
        raise RunError("there is no plan yet, so there is nothing to say on a card", "wait until it is planned")

    def answer(
        self,
        visitor: Visitor,
        run_id: str,
        text: str,
        history: Sequence[dict[str, str]] = (),
        token: str | None = None,
    ) -> Reply:
        """What the tuned model says of `text`; of a chat, after the turns of `history`.

        Raises:
            RunError: the run is not trained, or the model took too long.
        """
        row = self._own(visitor, run_id)
        if "answer" not in self._state(row).can:
            raise RunError("this run has no model that could answer", "its training must be done")
        turns = [{"role": str(turn["role"]), "content": str(turn["content"])} for turn in history]
        with self._names(row).told():
            turns.append({"role": "user", "content": text})
            return self._talks.ask(self._folder / row.id, row.owner, turns, token)

    def _state(self, row: RunRow) -> RunState:
        state = super()._state(row)
        busy = {"publish", "delete"} if row.id in self._at_publishing else frozenset()
        return replace(state, can=state.can - busy)

    def _wait_for(self, folder: Path, job: dict[str, object]) -> None:
        """A job of a worker's that is waited for."""
        process = processes.start("worker", folder, self.endpoint, answers=True)
        try:
            said, _ = process.communicate(json.dumps(job).encode(), timeout=self.settings.publish_time)
        except subprocess.TimeoutExpired:
            raise RunError(
                f"it took longer than the {self.settings.publish_time:,.0f} seconds that it may take here",
                "look at the repository; then try again, or publish from your own machine",
            ) from None
        finally:
            if process.poll() is None:
                processes.end(process.pid)
                process.communicate()
        lines = said.splitlines()
        answer = json.loads(lines[-1]) if lines else {}
        if "error" in answer:
            raise worker.error_of(answer["error"])
        if process.returncode:
            raise RunError(f"the process that published ended with code {process.returncode}", "try again")
