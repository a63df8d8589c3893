"""What the visitor asks for, from the controls of two pages to the options of a run."""

from __future__ import annotations

from typing import Any

from tunekit_hub import runs
from tunekit_hub.errors import UsageError
from tunekit_hub.runs import Options

HERE = "this machine"
FOUND = "as found in the data"

# The controls in the order their values arrive: first those of Data, then those of Model.
DATA = ("source", "task", "columns", "license")
MODEL = ("description", "use", "hardware", "model", "minutes", "longest", "accepted")


def options(*values: Any, **more: Any) -> Options:
    """The options of these values, as `DATA` and `MODEL` name them; those of `MODEL` may be left out.

    Raises:
        UsageError: nothing is chosen, or something cannot be.
    """
    given = dict(zip((*DATA, *MODEL), values, strict=False))
    if not (given.get("source") or "").strip():
        raise UsageError("no data are chosen yet", "upload a file, name a dataset of the Hub, or take an example")
    hardware = (given.get("hardware") or "").strip()
    wishes = {
        "source": given["source"].strip(),
        "task": None if given.get("task") in (None, "", FOUND) else given["task"],
        "columns": columns(given.get("columns") or ""),
        "dataset_license": (given.get("license") or "").strip() or None,
        "description": (given.get("description") or "").strip(),
        "use": given.get("use") or Options.model_fields["use"].default,
        "hardware": None if hardware in ("", HERE) else hardware,
        "model": (given.get("model") or "").strip() or None,
        "max_time": given["minutes"] * 60 if given.get("minutes") else None,
        "settings": {"max_tokens": given["longest"]} if given.get("longest") else {},
        "accepted_licenses": listed(given.get("accepted") or ""),
    }
    return runs.options(**(wishes | more))


def columns(text: str) -> dict[str, str]:
    """`role=name, role=name` as a mapping.

    Raises:
        UsageError: a part without `=`.
    """
    parts = [part.partition("=") for part in text.split(",") if part.strip()]
    if wrong := [role.strip() for role, equals, name in parts if not (equals and role.strip() and name.strip())]:
        raise UsageError(
            f"`{wrong[0]}` does not say which column is which", "write it like `text=message, label=topic`"
        )
    return {role.strip(): name.strip() for role, _, name in parts}


def listed(text: str | None) -> tuple[str, ...]:
    """Parts between commas, each once."""
    return tuple(dict.fromkeys(part.strip() for part in (text or "").split(",") if part.strip()))


def values(options: Options) -> tuple[Any, ...]:
    """The values of the controls that ask for these options, as `DATA` and `MODEL` name them."""
    return (
        options.source,
        options.task or FOUND,
        ", ".join(f"{role}={name}" for role, name in options.columns.items()),
        options.dataset_license or "",
        options.description,
        options.use,
        options.hardware or HERE,
        options.model or "",
        round(options.max_time / 60) if options.max_time else None,
        options.settings.get("max_tokens"),
        ", ".join(options.accepted_licenses),
    )
