"""Task: can a model of this kind do what the data asks for?"""

from __future__ import annotations

from tunekit_hub.checks import Check
from tunekit_hub.facts import Finding, ModelFacts, Request

_WRITING = ("instruction_tuning",)  # tasks whose answers are written, which takes a decoder


def _run(facts: ModelFacts, request: Request) -> Finding | None:
    kind = facts.architecture.kind if facts.architecture else None
    if kind == "encoder" and request.task in _WRITING:
        message = "an encoder: it reads text and cannot write answers"
        return Finding(check="task", status="block", message=message, fix="name a chat model with `--model`")
    if kind is None or request.task is None:
        return None
    return Finding(check="task", status="pass", message=f"{kind}, which suits {request.task.replace('_', ' ')}")


TASK = Check(name="task", run=_run)
