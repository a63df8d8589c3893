"""Length: are the rows longer than the model can read?"""

from __future__ import annotations

from tunekit_hub.checks import Check
from tunekit_hub.facts import Finding, ModelFacts, Request, Status


def _run(facts: ModelFacts, request: Request) -> Finding | None:
    if request.p95_tokens is None or facts.architecture is None:
        return None
    context = facts.architecture.context
    if request.p95_tokens <= context:
        return _finding("pass", f"reads {context:,} tokens, enough for the rows")
    rows = f"1 row in 20 or more is longer ({request.p95_tokens:,}) and will be cut"
    return _finding(
        "warn", f"reads {context:,} tokens; {rows}", "split long rows, or name a model of longer reach"
    )


def _finding(status: Status, message: str, fix: str = "") -> Finding:
    return Finding(check="length", status=status, message=message, fix=fix)


LENGTH = Check(name="length", run=_run)
