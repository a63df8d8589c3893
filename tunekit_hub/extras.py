"""A clear word where a part of the package is not installed."""

from __future__ import annotations

from importlib.util import find_spec

from tunekit_hub.errors import MissingExtra

_NEEDS = {
    "train": ("torch", "transformers", "datasets", "peft", "trl", "accelerate", "sklearn", "matplotlib"),
    "local": ("starlette", "uvicorn", "markdown_it", "joserfc"),
    "space": ("gradio",),
}


def missing(extra: str) -> list[str]:
    """The modules of `extra` that are not installed."""
    return [name for name in _NEEDS[extra] if find_spec(name) is None]


def require(extra: str, purpose: str) -> None:
    """Refuse `purpose` where `extra` is not installed.

    Raises:
        MissingExtra: with the pip line that installs it.
    """
    absent = missing(extra)
    if absent:
        raise MissingExtra(f"{purpose} needs {', '.join(absent)}", f"pip install 'tunekit-hub[{extra}]'")


def require_reporter(name: str | None) -> None:
    """Refuse to report to a service whose client is not installed.

    Raises:
        MissingExtra: with the pip line that installs it.
    """
    if name and find_spec(name) is None:
        raise MissingExtra(f"`--report-to {name}` needs {name}, which is not installed", f"pip install {name}")
