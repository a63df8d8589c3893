"""A dataset and one sentence in; a fine-tuned model, published on the Hugging Face Hub, out.

    import tunekit_hub as tk

    evaluation = tk.finetune("chats.jsonl", "runs/support", description="support chatbot")
    tk.publish(evaluation, "you/support")

`finetune` is `profile` → `recommend` → `select` → `plan` → `train` → `evaluate`; each can be called alone.
The records they hand on are in `tunekit_hub.records`, the errors in `tunekit_hub.errors`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunekit_hub.evaluation import evaluate
    from tunekit_hub.pipeline import finetune
    from tunekit_hub.planning import plan
    from tunekit_hub.profiling import profile
    from tunekit_hub.publication import publish
    from tunekit_hub.recommendation import get_model_recommendation, recommend
    from tunekit_hub.selection import select
    from tunekit_hub.training import train
    from tunekit_hub.version import __version__

# Public name → its module. They load on first use, so that `import tunekit_hub` costs next to nothing.
_HOMES = {
    "__version__": "version",
    "evaluate": "evaluation",
    "finetune": "pipeline",
    "get_model_recommendation": "recommendation",
    "plan": "planning",
    "profile": "profiling",
    "publish": "publication",
    "recommend": "recommendation",
    "select": "selection",
    "train": "training",
}

__all__ = [
    "__version__",
    "evaluate",
    "finetune",
    "get_model_recommendation",
    "plan",
    "profile",
    "publish",
    "recommend",
    "select",
    "train",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
