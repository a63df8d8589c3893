"""Files: are there weights, in a form that loads without running somebody's code?"""

from __future__ import annotations

from tunekit_hub import model_files
from tunekit_hub.checks import Check
from tunekit_hub.facts import Finding, ModelFacts, Request, Status

_ANOTHER = "name another repository of this model with `--model`"


def _run(facts: ModelFacts, request: Request) -> Finding:  # noqa: ARG001, every check takes both
    if not facts.files:
        return _no_list(facts)
    if facts.remote_code:
        code = ", ".join(f"`{name}`" for name in facts.files if name.endswith(".py")) or "code kept elsewhere"
        message = f"needs its own Python code ({code}), which is never run here"
        return _finding("block", message, "choose a model of an architecture that transformers has built in")
    if facts.quantized:
        message = f"its weights are quantized ({facts.quantized}), which cannot be fine-tuned and published"
        return _finding("block", message, "name the repository it was quantized from with `--model`")
    return _weights(facts)


def _weights(facts: ModelFacts) -> Finding:
    if model_files.safetensors(facts.files):
        return _finding("pass", "weights in safetensors")
    if pickles := model_files.pickles(facts.files):
        message = f"weights only as pickle (`{pickles[0]}`), which can hold code"
        return _finding("warn", message, "it is loaded with `weights_only`, which refuses code")
    if model_files.adapters(facts.files):
        return _finding("block", "holds an adapter, not a whole model", "name its base model with `--model`")
    if any(name.endswith(".gguf") for name in facts.files):
        return _finding("block", "weights only as GGUF, which is made for inference", _ANOTHER)
    return _finding("block", "no weights in this repository", _ANOTHER)


def _no_list(facts: ModelFacts) -> Finding:
    if facts.access == "unverified":
        message = "not downloaded on this machine, and the Hub was not asked (offline)"
        return _finding("warn", message, "unset `HF_HUB_OFFLINE` before training, so that it can be fetched")
    if facts.access in ("open", "granted"):
        return _finding("block", "no weights in this repository: it is empty", _ANOTHER)
    return _finding("unknown", "its files cannot be seen without access", "see `access`")


def _finding(status: Status, message: str, fix: str = "") -> Finding:
    return Finding(check="files", status=status, message=message, fix=fix)


FILES = Check(name="files", run=_run)
