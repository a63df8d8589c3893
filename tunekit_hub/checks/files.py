"""Files: are there weights, in a form that loads without running somebody's code?"""

from __future__ import annotations

from tunekit_hub import model_files
from tunekit_hub.checks import Check
from tunekit_hub.facts import Finding, ModelFacts, Request, Status

_ANOTHER = "name another repository of this model with `--model`"


# `quant_method` → what people call it.
_QUANTIZED = {"gptq": "GPTQ", "awq": "AWQ", "bitsandbytes": "bitsandbytes", "fp8": "FP8", "mxfp4": "MXFP4"}
_TRIFLES = (".gitattributes", "README.md", "LICENSE", "LICENSE.md", "LICENSE.txt")


def _run(facts: ModelFacts, request: Request) -> Finding:  # noqa: ARG001, every check takes both
    if not facts.files:
        return _no_list(facts)
    if facts.remote_code:
        code = ", ".join(f"`{name}`" for name in facts.code) or "code that is kept elsewhere"
        message = f"needs its own Python code ({code}), which is never run here"
        return _finding("block", message, "choose a model of an architecture that transformers has built in")
    if facts.quantized:
        how = _QUANTIZED.get(facts.quantized, facts.quantized)
        message = f"its weights are quantized ({how}), which cannot be fine-tuned and published"
        return _finding("block", message, "name the repository it was quantized from with `--model`")
    return _weights(facts)


def _weights(facts: ModelFacts) -> Finding:
    if model_files.safetensors(facts.files):
        return _finding("pass", "weights in safetensors")
    if pickles := model_files.pickles(facts.files):
        message = f"weights only as pickle (`{pickles[0]}`), which can hold code"
        return _finding("warn", message, "it is loaded with `weights_only`, which refuses code")
    if model_files.adapters(facts.files):
        base = f" of `{facts.adapter_of}`" if facts.adapter_of else ""
        name = f": `--model {facts.adapter_of}`" if facts.adapter_of else " with `--model`"
        return _finding("block", f"holds an adapter{base}, not a whole model", f"name its base model{name}")
    if any(name.endswith(".gguf") for name in facts.files):
        return _finding("block", "weights only as GGUF, which is made for inference", _ANOTHER)
    if foreign := [name for name in facts.files if name.endswith((".h5", ".msgpack"))]:
        return _finding("block", f"no weights that PyTorch loads, only `{foreign[0]}`", _ANOTHER)
    empty = ": it is empty" if set(facts.files) <= {*_TRIFLES} else ""
    return _finding("block", f"no weights in this repository{empty}", _ANOTHER)


def _no_list(facts: ModelFacts) -> Finding:
    if facts.access == "unverified":
        message = (
            f"not downloaded on this machine (recorded {facts.recorded}, not verified: the Hub was not asked)"
        )
        return _finding("warn", message, "unset `HF_HUB_OFFLINE` before training, so that it can be fetched")
    if facts.access in ("open", "granted"):
        return _finding("block", "no weights in this repository: it is empty", _ANOTHER)
    return _finding("unknown", "its files cannot be seen without access", "see `access`")


def _finding(status: Status, message: str, fix: str = "") -> Finding:
    return Finding(check="files", status=status, message=message, fix=fix)


FILES = Check(name="files", run=_run)
