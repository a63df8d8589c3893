"""Will it fit: the training the memory, the download the disk, the run the time budget?"""

from __future__ import annotations

from tunekit_hub import estimates
from tunekit_hub.checks import Check
from tunekit_hub.facts import Finding, ModelFacts, Request
from tunekit_hub.units import duration, size


def _run(facts: ModelFacts, request: Request) -> Finding:
    fit = estimates.fit(facts, request)
    if fit is None and not facts.files:
        return Finding(
            check="size",
            status="unknown",
            message="how large it is cannot be seen without access",
            fix="see `access`",
        )
    if fit is None:
        message = "the architecture is not known, so memory and time cannot be predicted"
        return Finding(
            check="size", status="block", message=message, fix="name a model whose config.json is standard"
        )
    hardware = request.hardware
    rows = f"rows of {fit.tokens} tokens" + ("" if request.p95_tokens else " (assumed: no data)")
    needs = f"needs {size(fit.memory.total)} with {estimates.METHODS[fit.tried]} and {rows}"
    if fit.problem == "memory":
        message = f"does not fit here: {needs}; {size(hardware.memory)} available on {hardware.name}"
        assert facts.architecture is not None  # else nothing would be known of its size
        fix = estimates.remedy(facts.architecture, request.methods, hardware, fit.tokens)
        fix = f"a device with {size(fit.memory.total / estimates.SAFETY)} free; or {fix}"
        return Finding(check="size", status="block", message=message, fix=fix)
    if fit.problem == "disk":
        weights = size(facts.weight_bytes or 0)
        message = f"the download is {weights}; {size(hardware.disk)} free on the disk of the Hub cache"
        return Finding(
            check="size", status="block", message=message, fix="free disk, or set HF_HOME to a larger disk"
        )
    takes = f"one pass over the data and its evaluation take about {duration(fit.seconds)}"
    if fit.problem == "time":
        message = f"fits the memory, but {takes} here; the time budget is {duration(request.max_time or 0)}"
        fix = f"raise the budget: --max-time {int(fit.seconds // 60) + 1}m"
        return Finding(check="size", status="block", message=message, fix=fix)
    told = f"{needs}; {size(hardware.memory)} available" + (f"; {takes}" if fit.seconds else "")
    if fit.answer == "tight":
        fix = "close other programs, or take a smaller model: there is little room for anything else"
        return Finding(check="size", status="warn", message=f"tight: {told}", fix=fix)
    if fit.seconds > 24 * 3600:
        return Finding(check="size", status="warn", message=told, fix="set --max-time to choose a faster model")
    return Finding(check="size", status="pass", message=told)


SIZE = Check(name="size", run=_run)
