"""Language: was the model made for the language of the data?"""

from __future__ import annotations

from tunekit_hub.checks import Check
from tunekit_hub.facts import Finding, ModelFacts, Request, Status


def _run(facts: ModelFacts, request: Request) -> Finding | None:
    """An encoder that never saw the language is turned down; a decoder can pick it up, but worse."""
    if not request.languages:
        return None
    if not facts.languages:
        return _finding("pass", "the model does not say which languages it was made for")
    known = {_primary(language) for language in facts.languages}
    missing = [name for name in request.languages if _primary(name) not in known]
    if "multilingual" in known or not missing:
        return _finding("pass", "made for the language of the data")
    what = f"made for {', '.join(facts.languages)}; the data is also in {', '.join(missing)}"
    if facts.architecture is not None and facts.architecture.kind == "decoder":
        return _finding("warn", f"{what}: expect weaker answers there", "compare with a multilingual model")
    return _finding("block", f"{what}, which its vocabulary breaks to pieces", "choose a multilingual model")


def _primary(language: str) -> str:
    """The language without its region: `en-GB` is English."""
    return language.lower().replace("_", "-").partition("-")[0]


def _finding(status: Status, message: str, fix: str = "") -> Finding:
    return Finding(check="language", status=status, message=message, fix=fix)


LANGUAGE = Check(name="language", run=_run)
