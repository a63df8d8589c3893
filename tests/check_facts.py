"""Facts of a model that passes every check, and a short way to ask one of them."""

from __future__ import annotations

from records import make_architecture, make_request

from tunekit_hub.checks import CHECKS
from tunekit_hub.facts import ModelFacts

URL = "https://hub.example/owner/name"


def facts(**changes) -> ModelFacts:
    fields = {"repo_id": "owner/name", "revision": "0" * 40, "access": "open", "license": ("mit",), "url": URL}
    fields |= {"files": ("config.json", "model.safetensors"), "languages": ("en",)}
    return ModelFacts(**(fields | {"architecture": make_architecture()} | changes))


def run(check: str, of: ModelFacts, **request):
    finding = CHECKS[check].run(of, make_request(**request))
    assert finding.check == check
    return finding
